# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the Mastodon is declared whose people are at a bare domain that is another web site."""

from __future__ import annotations

from ..zone import DOMAIN

BARE = "lab.test"
SPLIT = {"domain": BARE, "web_domain": DOMAIN, "external_dns_owner_id": f"lab.{BARE}"}
