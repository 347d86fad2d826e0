#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Make a base backup of a database now
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks CloudNativePG's barman-cloud plugin for a base backup of a Cluster, and returns when it is complete, when the WAL that it cannot be
    restored without is archived, and when the plugin reports it. To have that WAL archived, PostgreSQL is asked to begin a new one.
  - How it ended is kept in ConfigMap C(CLUSTER-backup), which M(fediverse.mastodon.status_info) reads, also when it failed or was refused. A ConfigMap
    of that name without the label C(fediverse.mastodon/backup-of) is not touched.
  - Refuses a Cluster that is not backed up, whose WAL does not reach the archive, or of which another backup runs. A run that was killed
    goes on with the Backup that it had begun.
  - Its user needs the rights to create Backups of CloudNativePG, ConfigMaps and Leases in the namespace, and to use C(pods/exec).
  - In check mode nothing is created, and it says what would be.
requirements:
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.subject.cluster
  - fediverse.mastodon.attributes
options:
  wait_timeout:
    description: How many seconds it may take.
    type: int
    default: 7200
"""

EXAMPLES = r"""
- name: Back up the database now
  fediverse.mastodon.backup:
    namespace: mastodon
    cluster: mastodon-db
"""

RETURN = r"""
backup:
  description: Name of the Backup. Empty in check mode.
  returned: success
  type: str
  sample: mastodon-db-now-20261129030000
ended:
  description: From when on the database can be restored by it.
  returned: success
  type: str
  sample: "2026-11-29T03:00:12Z"
wal:
  description: The WAL that was archived last, which is the one that it needs last or a later one.
  returned: success
  type: str
  sample: "000000010000000000000004"
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.backup import TASK

if __name__ == "__main__":
    main(TASK)
