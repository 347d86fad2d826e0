# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which name server is asked."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  nameserver:
    description: Address of the name server to ask. When empty, those that this machine asks.
    type: str
    default: ""
  nameserver_port:
    description: Its port.
    type: int
    default: 53
"""
