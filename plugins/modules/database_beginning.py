#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_beginning
short_description: Find how a database is to begin, and as what it is backed up
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Refuses a Cluster of CloudNativePG that would be created empty although the bucket of its backups holds one of an earlier one, unless
    O(begin_anew) says so. It is an earlier one's by the name of its folder, which is O(cluster), or that with a number.
  - Refuses to restore what is not in the bucket, or a time that it cannot be restored to, before anything is created.
  - Finds a name to back it up as that is free in the bucket, as Barman mixes no two databases.
  - Of a Cluster that is there it returns how that began, whatever is asked for now. It refuses to restore over a database, and a Cluster
    that was to be restored otherwise and did not come up.
  - Writes nothing, and asks the bucket only before a Cluster is created, or backed up for the first time.
requirements:
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.beginning
  - fediverse.mastodon.attributes
options:
  wait_timeout:
    description: How many seconds to wait for an S3 server in the cluster that starts.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Find how the database is to begin
  fediverse.mastodon.database_beginning:
    namespace: mastodon
    cluster: mastodon-db
    domain: example.org
    endpoint: https://s3.example.net
    bucket: backups
    path: mastodon/example.org/postgresql-backup
    restore_from: mastodon-db
  register: beginning
"""

RETURN = r"""
server_name:
  description: Folder that it is, or is to be, backed up to.
  returned: success
  type: str
  sample: mastodon-db-2
restored_from:
  description: Folder with the backup that it begins or began with. Empty for none.
  returned: success
  type: str
  sample: mastodon-db
restored_at:
  description: Time that was asked for. Empty for as late as the archive goes.
  returned: success
  type: str
  sample: "2026-11-29T03:00:00Z"
imported_from:
  description: Cluster that it was imported from, by another major of PostgreSQL. Empty for none.
  returned: success
  type: str
  sample: ""
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.database_beginning import TASK

if __name__ == "__main__":
    main(TASK)
