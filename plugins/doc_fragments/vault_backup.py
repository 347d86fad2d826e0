# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that names whose secrets are backed up."""

from __future__ import annotations


class ModuleDocFragment:
    """What modules that report backups of Vault have in common."""

    DOCUMENTATION = r"""
options:
  vault_backup:
    description: Whose secrets M(fediverse.mastodon.vault_export) should have backed up.
    type: dict
    suboptions:
      namespace:
        description: Namespace of its record.
        type: str
        required: true
      name:
        description: What its record is called by.
        type: str
        required: true
      wanted:
        description: Whether a backup is made here. If not, that there is none is no warning.
        type: bool
        default: true
"""
