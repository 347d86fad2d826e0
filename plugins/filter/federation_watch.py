# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks at Mastodon from inside its cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: federation_watch
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Content of the ConfigMap by which a pod looks at an instance
description:
  - Returns C(binaryData) with C(federation-check.pyz), the program that M(fediverse.mastodon.federation_check) is as well, and C(data) with its
    options. It is the same each time, as long as the collection, Python's zlib and dnspython are.
options:
  _input:
    description: Options of M(fediverse.mastodon.federation_check), but for those about a cluster.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show how large it is
  ansible.builtin.debug:
    msg: "{{ ({'domain': 'example.org'} | fediverse.mastodon.federation_watch).binaryData['federation-check.pyz'] | length }}"
"""

RETURN = r"""
_value:
  description: The content, with C(binaryData) and C(data).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._federation_watch import content


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filters by name."""
        return {"federation_watch": content}
