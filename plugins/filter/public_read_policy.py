# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a bucket for media, for whoever else has to write it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: public_read_policy
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Policy that lets anyone read what Mastodon shows of a bucket
description:
  - Returns the policy that M(fediverse.mastodon.s3_public_read) writes into a bucket that has none.
options:
  _input:
    description: Name of the bucket.
    type: str
    required: true
  anyone:
    description: Whether anyone reads.
    type: bool
    default: true
  owner:
    description: User of Ceph who may use what other users wrote, as after a claim was deleted and made again.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the policy
  ansible.builtin.debug:
    msg: "{{ 'mastodon' | fediverse.mastodon.public_read_policy }}"
"""

RETURN = r"""
_value:
  description: The policy.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import public_read


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filters by name."""
        return {"public_read_policy": public_read}
