# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the prerequisites that are used as others installed them."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  adopted:
    description:
      - Prerequisites that somebody else installed, by the roles that would have done so.
      - Their controllers must run and be new enough. They are found by the names of their images; one that is not found is reported as such.
    type: list
    elements: str
    choices: [cert_manager, cnpg, dragonfly, external_secrets, flux, rook, volsync]
    default: []
"""
