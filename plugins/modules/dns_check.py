#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_check
short_description: Check that names lead to their Gateway, and wait until they do
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks a name server where names lead for which a Gateway has routes. Those that lead elsewhere, or nowhere, are reported, and waited for
    until external-dns has put them right.
  - It writes no record itself. Check mode reports what external-dns would change, and does not wait.
  - A name that no route asks for yet is reported as skipped.
  - It fails at once where names that the world reaches would lead to a private address of the Gateway, unless O(target) names that address.
requirements:
  - dnspython >= 2.6.1
extends_documentation_fragment:
  - fediverse.mastodon.nameserver
  - fediverse.mastodon.objects.depends_on
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.attributes
options:
  names:
    description: Names to look at.
    type: list
    elements: str
    required: true
  gateway_name:
    description: Gateway that they must lead to.
    type: str
    required: true
  gateway_namespace:
    description: Its namespace.
    type: str
    required: true
  target:
    description: Address or name that they must lead to, where it is not the Gateway's own.
    type: str
    default: ""
  owner:
    description: Owner by which external-dns distinguishes its records. One that leads elsewhere and is another owner's is not waited for, as
      external-dns leaves it alone.
    type: str
    default: ""
  txt_prefix:
    description: Prefix of the names of the TXT records in which it says so, such as C(edns-%{record_type}.).
    type: str
    default: ""
  txt_suffix:
    description: Suffix of the first label of those names, such as C(-edns), where they have no prefix.
    type: str
    default: ""
  wait_timeout:
    description: How long to wait for external-dns, in seconds.
    type: int
    default: 180
"""

EXAMPLES = r"""
- name: Check the DNS records of the routes
  fediverse.mastodon.dns_check:
    names: [social.example.org]
    gateway_name: shared-gateway-external
    gateway_namespace: gateway-system
"""

RETURN = r"""
records:
  description: What led elsewhere at first, and where it must lead.
  returned: success
  type: list
  elements: str
  sample: ["DNS record social.example.org: 192.0.2.9 → 192.0.2.1"]
skipped_names:
  description: Names that could not be looked at yet, and why.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.dns_check import TASK

if __name__ == "__main__":
    main(TASK)
