#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wait
author: fediverse.mastodon contributors (@fediverse)
version_added: 0.1.0
short_description: Wait for Kubernetes objects that others made
description:
  - Waits until objects are ready, or gone, by watching them. M(fediverse.mastodon.apply) waits for what it applies itself.
  - What will not become ready by itself ends the task as soon as that is certain, with the cause, which is looked for
    among the pods behind the objects as well.
  - In check mode nothing is waited for, as what would have made the objects did not run.
extends_documentation_fragment:
  - fediverse.mastodon.attributes
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.objects.selected
options:
  objects:
    description:
      - What to wait for. An object that is named is waited for until it exists; by labels, until any object has them.
  until:
    description:
      - V(Current) waits until all are ready, V(deleted) until all that are there now are gone.
    type: str
    choices: [Current, deleted]
    default: Current
  wait_timeout:
    description:
      - How long the task may take, in seconds. An API server that goes away in the meantime is waited for as long.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Wait for a certificate
  fediverse.mastodon.wait:
    objects:
      - {kind: Certificate, namespace: mastodon, name: mastodon-tls}

- name: Wait until the old pods are gone
  fediverse.mastodon.wait:
    objects:
      - {kind: Pod, namespace: mastodon, label_selector: app=old}
    until: deleted
    wait_timeout: 120
"""

RETURN = r"""
objects:
  description: What was waited for, each as C(Kind namespace/name).
  returned: success
  type: list
  elements: str
  sample: [Certificate mastodon/mastodon-tls]
requests:
  description: How many requests were sent to the API server.
  returned: success
  type: int
  sample: 5
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.wait import TASK

if __name__ == "__main__":
    main(TASK)
