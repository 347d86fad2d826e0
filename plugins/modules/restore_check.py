#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_check
short_description: Wait for a database that is restored, and read through it
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Waits for a Cluster of CloudNativePG that is restored from a backup. When that fails, it says why, from the log of what restored it.
  - Then it counts the rows, and opens every encrypted one with the Active Record keys that Vault has now, once for each Cluster. Mastodon
    must not start on a database that it cannot read.
  - What was found is kept in ConfigMap C(CLUSTER-restored). A ConfigMap of that name without the label C(fediverse.mastodon/restored) is
    not touched.
  - In check mode nothing is waited for.
requirements:
  - pg8000 >= 1.31.6
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.subject.cluster
  - fediverse.mastodon.restored_database
  - fediverse.mastodon.attributes
options:
  restored_from:
    description: Folder in the bucket whose backup it is restored from, to report it.
    type: str
    default: ""
  restored_at:
    description: Time that was asked for, to report it. Empty for as late as the archive goes.
    type: str
    default: ""
  imported_from:
    description: Name of the Cluster that it is imported from, which nobody writes to any more, to compare all that is in both.
    type: str
    default: ""
  wait_timeout:
    description: How many seconds restoring and reading may take together.
    type: int
    default: 7200
"""

EXAMPLES = r"""
- name: Verify that Mastodon can read what was restored
  fediverse.mastodon.restore_check:
    namespace: mastodon
    cluster: mastodon-db
    database: mastodon
    owner: mastodon
    secret: mastodon-db-owner
    path: mastodon/example.org/app
    restored_from: mastodon-db
"""

RETURN = r"""
ended:
  description: When it was read through. Empty in check mode.
  returned: success
  type: str
  sample: "2026-11-29T04:12:07Z"
cluster_uid:
  description: Which Cluster that was. Empty in check mode.
  returned: success
  type: str
  sample: 2f0c1a6e-0d4b-4a43-9d53-0b9a0b6f4f0e
restored_from:
  description: Folder in the bucket whose backup it was restored from, or Cluster that it was imported from.
  returned: success
  type: str
  sample: mastodon-db
asked:
  description: Time that was asked for. Empty for the newest.
  returned: success
  type: str
  sample: ""
newest:
  description: When the newest row was last written. Empty in check mode.
  returned: success
  type: str
  sample: "2026-11-29T02:58:41Z"
found:
  description: How many rows there are, and how many encrypted ones could be opened. Empty in check mode.
  returned: success
  type: str
  sample: "rows that were restored: 50 accounts, 3 users; encrypted rows that today's keys open: 2 of users.otp_secret"
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.restore_check import TASK

if __name__ == "__main__":
    main(TASK)
