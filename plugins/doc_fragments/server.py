# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that log in to a database or a cache."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  host:
    description: Host of the server, as pods find it.
    type: str
    required: true
  secret_namespace:
    description: Namespace of the Secret with the login.
    type: str
    required: true
  managed:
    description:
      - Whether an operator gives the server its password from the Secret. One that it does not accept may then be newer than what the
        server knows, and is waited for.
    type: bool
    default: false
  wait_timeout:
    description: How long O(depends_on) is waited for, in seconds.
    type: int
    default: 600
"""
