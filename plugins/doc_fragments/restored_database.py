# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the database of a Cluster is read."""

from __future__ import annotations

_LOGIN = r"""
options:
  database:
    description: Name of the database.
    type: str
    required: true
  owner:
    description: Owner of the database.
    type: str
    required: true
  secret:
    description: Name of the Secret with the owner's C(password), in the namespace of the Cluster.
    type: str
    required: true
"""
_KEYS = r"""
  path:
    description: Path below the mount with C(are-primary-key) and C(are-derivation-salt).
    type: str
    required: true
"""


class ModuleDocFragment:
    """What modules that restore a database have in common."""

    DOCUMENTATION: str = f"{_LOGIN}{_KEYS}"

    # Of those that do not read what is encrypted.
    LOGIN: str = _LOGIN
