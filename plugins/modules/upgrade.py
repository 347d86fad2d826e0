#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade
short_description: Accompany a Mastodon from one release to the next
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Does what goes on around a release of Flux that is changed to another image tag. It changes nothing of that release itself.
  - Keeps a record in the ConfigMap C(NAME-upgrade), without anything secret, by which a run that was killed is gone on with, and which
    M(fediverse.mastodon.status_info) reports.
  - Its user needs the rights to read Deployments, Jobs, pods and their logs, to create and delete pods and ConfigMaps in the namespace, and to use
    C(pods/exec).
  - In check mode it creates nothing, and says what it would do.
requirements:
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.site
  - fediverse.mastodon.subject.release
  - fediverse.mastodon.attributes
options:
  version:
    description: Image tag that is wanted.
    type: str
    required: true
  state:
    description:
      - With V(begun) it decides whether there is anything to do, has a node pull both images by a pod that ends at once, as the kubelet may ask
        another registry, or by another login, than whoever runs Ansible, waits for Jobs that schedules began, and keeps that it has begun.
      - With V(rolled_out) it waits for the release, says which migration runs and how long each took, and fails for pods of another release
        and for migrations that have not run.
      - With V(ended) it keeps that all is done.
      - With V(stopped) it keeps O(why), and fails with that, what serves now, and what to run.
    type: str
    choices: [begun, rolled_out, ended, stopped]
    required: true
  backup:
    description: Backup that was made before the release is changed, for the record.
    type: str
    default: ""
  why:
    description: Of what it stopped.
    type: str
    default: ""
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1800
"""

EXAMPLES = r"""
- name: Begin the upgrade
  fediverse.mastodon.upgrade:
    namespace: mastodon
    name: mastodon
    version: v4.7.4
    state: begun
  register: mastodon_upgrading
"""

RETURN = r"""
upgrade:
  description: Whether there is anything to do.
  returned: success
  type: bool
applied:
  description: Whether Flux was given the wanted release already, as by a run that was killed.
  returned: success
  type: bool
before:
  description: The release that it began from.
  returned: success
  type: str
  sample: v4.6.9
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.upgrade import TASK

if __name__ == "__main__":
    main(TASK)
