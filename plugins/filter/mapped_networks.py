# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as a socket of both families names who comes from them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mapped_networks
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Networks, with those of IPv4 as IPv6 writes them, too
description:
  - Returns the networks, and after each of IPv4 the same one in C(::ffff:0:0/96), which is how a server that listens at both families by one
    socket is given the addresses of who comes by IPv4.
options:
  _input:
    description: Networks and addresses.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show whom to trust
  ansible.builtin.debug:
    msg: "{{ ['192.0.2.0/24', '2001:db8::/32'] | fediverse.mastodon.mapped_networks }}"
"""

RETURN = r"""
_value:
  description: The networks, for instance C(192.0.2.0/24), C(::ffff:192.0.2.0/120) and C(2001:db8::/32).
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, ip_network


def mapped(networks: Iterable[str]) -> list[str]:
    """Return the networks, each of IPv4 followed by the one of IPv6 that holds the same hosts: RFC 4291, 2.5.5.2."""
    return [name for one in networks for name in (one, _in_ipv6(one)) if name]


def _in_ipv6(name: str) -> str:
    network = ip_network(name, strict=False)
    if not isinstance(network, IPv4Network):
        return ""
    return f"::ffff:{network.network_address}/{96 + network.prefixlen}"


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filters by name."""
        return {"mapped_networks": mapped}
