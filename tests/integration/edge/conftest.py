# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real API server, with the lab's Traefik on it, and a namespace of its own for every test."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.tests.integration.api.conftest import cluster, kubeconfig

# The same once more, for somebody else.
neighbour = cluster

__all__ = ["cluster", "kubeconfig", "neighbour"]
