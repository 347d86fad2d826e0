# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that the lab shows to its user."""

from __future__ import annotations


class LabError(Exception):
    """What stopped the lab, in one sentence a tired admin can act on: what failed, why, what to do."""
