# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gateway is to serve Mastodon."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  gateway:
    description: A Gateway that must serve the hosts of Mastodon, or that others must not have made.
    type: dict
    suboptions:
      name:
        description: Name of the Gateway.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      made:
        description: Whether it is about to be made. If not, it must be ready and serve the hosts.
        type: bool
        required: true
      gateway_class:
        description:
          - GatewayClass that it is to be of, which must exist and be accepted by its controller. A Gateway that is of another one is refused, as
            whoever serves it now would stop. Looked at with O(gateway.made=true).
        type: str
        default: ""
      issuer:
        description: ClusterIssuer of others that its certificates are to come from, which must exist and be ready. Looked at with O(gateway.made=true).
        type: str
        default: ""
      hostnames:
        description: Hosts that it must serve over HTTPS.
        type: list
        elements: str
        required: true
      listener:
        description: Listener that serves them. When empty, each host has one called like it.
        type: str
        default: ""
      route_namespaces:
        description: Namespaces whose routes the listeners must take.
        type: list
        elements: str
        required: true
"""
