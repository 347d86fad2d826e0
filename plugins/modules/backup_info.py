#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: Say when backups were made and what can be restored
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Reads what CloudNativePG's barman-cloud plugin and VolSync say of their backups, and reports it in one line each.
  - Clusters and volumes that are not there are left out.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.attributes
options:
  namespace:
    description: Namespace of the clusters and volumes.
    type: str
    required: true
  clusters:
    description: Names of CloudNativePG Clusters.
    type: list
    elements: str
    default: []
  volumes:
    description: Names of VolSync ReplicationSources.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Report what can be restored
  fediverse.mastodon.backup_info:
    namespace: mastodon
    clusters: [mastodon-db]
"""

RETURN = r"""
backups:
  description: One entry a cluster or volume. Times are empty where there is none.
  returned: success
  type: list
  elements: dict
  sample:
    - subject: Cluster mastodon/mastodon-db
      last_success: "2026-11-24T03:00:12Z"
      restorable_since: "2026-10-25T03:00:09Z"
      trouble: ""
      warnings: ""
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.backup_info import TASK

if __name__ == "__main__":
    main(TASK)
