#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: objects_info
author: fediverse.mastodon contributors (@fediverse)
version_added: 0.1.0
short_description: Read Kubernetes objects with their computed status
description:
  - Reads objects, and says of each whether it is as declared, on its way, or failed, by the same rules by which
    M(fediverse.mastodon.apply) waits.
  - What does not exist is left out, and so is all of an API group that the cluster does not have, which is said. A kind that it does not
    have in a group that it has, or without a group, ends the task, as it may be misspelt.
extends_documentation_fragment:
  - fediverse.mastodon.attributes
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.objects.selected
options:
  objects:
    description:
      - Which objects.
"""

EXAMPLES = r"""
- name: Show Mastodon's release and pods
  fediverse.mastodon.objects_info:
    objects:
      - {kind: HelmRelease, namespace: mastodon, name: mastodon}
      - {api_version: v1, kind: Pod, namespace: mastodon, label_selector: app.kubernetes.io/instance=mastodon}
  register: mastodon
"""

RETURN = r"""
objects:
  description: The objects, sorted by group, kind, namespace and name.
  returned: success
  type: list
  elements: dict
  contains:
    subject:
      description: The object, as C(Kind namespace/name).
      type: str
      sample: HelmRelease mastodon/mastodon
    status:
      description: One of V(Current), V(InProgress) and V(Failed).
      type: str
      sample: InProgress
    message:
      description: Why it is not V(Current), in words.
      type: str
      sample: 1 of 2 pods available
    owners:
      description: What it belongs to by its owner references, each as C(Kind namespace/name).
      type: list
      elements: str
      sample: [ReplicaSet mastodon/mastodon-web-56588c9d88]
    managers:
      description: Who set fields of it.
      type: list
      elements: str
      sample: [fediverse.mastodon, helm-controller]
    object:
      description: The object. Values of Secrets are masked.
      type: dict
requests:
  description: How many requests were sent to the API server.
  returned: success
  type: int
  sample: 4
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.objects_info import TASK

if __name__ == "__main__":
    main(TASK)
