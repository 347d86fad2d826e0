#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: delete
author: fediverse.mastodon contributors (@fediverse)
version_added: 0.1.0
short_description: Delete what a set applied, or single Kubernetes objects
description:
  - Deletes the objects that M(fediverse.mastodon.apply) applied as a set, in the order in which they can be taken down,
    or objects that you name one by one, or both.
  - Of a set, it leaves alone what others have taken over or apply to as well, and kinds that hold data or lead to it unless they are named.
    What was left alone stays in the inventory.
  - An object that is held by a finalizer is named with the finalizer and with who has to remove it.
extends_documentation_fragment:
  - fediverse.mastodon.attributes
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.objects.named
options:
  name:
    description:
      - Name of the set.
    type: str
  namespace:
    description:
      - Namespace of the set's inventory.
    type: str
  objects:
    description:
      - Objects to delete, whoever made them.
      - Of an API group that the cluster does not have, there is nothing to delete, which is said. A kind that it does not have in a group that
        it has, or without a group, ends the task, as it may be misspelt.
  field_manager:
    description:
      - Under which name the set was applied.
    type: str
    default: fediverse.mastodon
  prune_allow:
    description:
      - Objects of the set, written as C(Kind namespace/name), of kinds that are otherwise never deleted with a set, because
        they hold data or lead to it; O(fediverse.mastodon.apply#module:prune_allow) says which.
    type: list
    elements: str
    default: []
  wait:
    description:
      - Wait until the objects are gone. Without it, what has to go before other objects is not waited for either.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long the task may take, in seconds. An API server that goes away in the meantime is waited for as long.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Delete what a set applied
  fediverse.mastodon.delete:
    name: dragonfly-operator
    namespace: dragonfly
    prune_allow:
      - HelmRelease dragonfly/dragonfly-operator
      - HelmRepository dragonfly/dragonfly-operator

- name: Delete a failed Job
  fediverse.mastodon.delete:
    objects:
      - {kind: Job, namespace: mastodon, name: migrate}
"""

RETURN = r"""
objects:
  description: What was done with each object that was there; in check mode, what would be done.
  returned: once the cluster answered
  type: list
  elements: dict
  contains:
    subject:
      description: The object, as C(Kind namespace/name).
      type: str
      sample: Job mastodon/migrate
    action:
      description: V(deleted), V(skipped), or V(configured) where others declare it too and only our fields went.
      type: str
      sample: deleted
    changes:
      description: Why it was skipped, or whom it was left to, in words.
      type: list
      elements: str
      sample: []
requests:
  description: How many requests were sent to the API server.
  returned: once the cluster answered
  type: int
  sample: 6
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.delete import TASK

if __name__ == "__main__":
    main(TASK)
