#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_rehearsal
short_description: Prove that a database can be restored from its backup
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Restores what CloudNativePG's barman-cloud plugin backed up of a Cluster into a second one, beside it and called
    C(CLUSTER-rehearsal), compares the two, opens every encrypted row with the Active Record keys that Vault has now, and removes it.
  - The second Cluster archives nothing, and a NetworkPolicy lets it reach only the ports of DNS, the API server and the store of backups, of
    any address; that of a store in this cluster only in the namespace of its Service.
  - What an earlier run left, as it was killed, is removed first. Only what has both the name and the label
    C(fediverse.mastodon/rehearsal-of) of a rehearsal is removed.
  - Nothing of the first Cluster is changed. How it ended is kept in ConfigMap C(CLUSTER-rehearsal), which
    M(fediverse.mastodon.status_info) reads, also when it was refused before it began, but for an O(at) that cannot be restored to. A
    ConfigMap of that name without the label is not touched.
  - Refuses before anything is created a time that cannot be restored to, a Cluster whose WAL does not reach the archive, and a
    CloudNativePG that would restore too little without saying so, and what a quota or the StorageClass has no room for.
  - Its user needs the rights to create and delete Clusters of CloudNativePG, NetworkPolicies, Leases and a ConfigMap in the namespace, to
    read Secrets, pods and their logs there, and to use C(pods/exec) and C(pods/portforward). Whether it may delete what it creates is
    asked before anything is created.
  - In check mode nothing is created, and it says what would be.
requirements:
  - pg8000 >= 1.31.6
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.subject.cluster
  - fediverse.mastodon.restored_database
  - fediverse.mastodon.attributes
options:
  at:
    description: Time to restore to, with its time zone, such as V(2026-11-29T03:00:00Z). As late as the archive goes when empty.
    type: str
    default: ""
  image:
    description:
      - Image of another major of PostgreSQL, to import the Cluster by it as it is now instead of restoring a backup. How that ended is kept in
        ConfigMap C(CLUSTER-import). What is not imported with a database is reported, such as other logins.
    type: str
    default: ""
  media:
    description:
      - Bucket in which pictures of restored posts are looked for. What its origin has deleted meanwhile need not be there. Without it, none is
        looked for.
    type: dict
    suboptions:
      copy:
        description: Bucket with a copy of it, in which those that it lacks are looked for.
        type: dict
        suboptions: &bucket
          endpoint:
            description: Address of the S3 server.
            type: str
            required: true
          bucket:
            description: Name of the bucket.
            type: str
            required: true
          region:
            description: Its region.
            type: str
            default: us-east-1
          path:
            description: Path below the mount with its keys. When empty, they are in a Secret.
            type: str
            default: ""
          secret_namespace:
            description: Namespace of that Secret.
            type: str
            default: ""
          secret_name:
            description: Name of that Secret.
            type: str
            default: ""
      <<: *bucket
      sample:
        description: How many pictures, of which one is the newest and the others are chosen by chance.
        type: int
        default: 20
  wait_timeout:
    description: How many seconds restoring and comparing may take together.
    type: int
    default: 7200
"""

EXAMPLES = r"""
- name: Prove that the database can be restored
  fediverse.mastodon.restore_rehearsal:
    namespace: mastodon
    cluster: mastodon-db
    database: mastodon
    owner: mastodon
    secret: mastodon-db-owner
    path: mastodon/example.org/app
"""

RETURN = r"""
asked:
  description: Time that was asked for. Empty for the newest.
  returned: success
  type: str
  sample: "2026-11-29T03:00:00Z"
newest:
  description: When the newest row that was restored was last written. Empty in check mode.
  returned: success
  type: str
  sample: "2026-11-29T02:58:41Z"
rpo_seconds:
  description: How much of what was written is lost. Null when a time was asked for, as nobody may have written anything before it.
  returned: success
  type: int
  sample: 79
left:
  description: Which volumes are kept with a copy of the database, as the reclaimPolicy of their StorageClass is C(Retain). Empty without any.
  returned: success
  type: str
  sample: ""
skipped:
  description: What was not checked, and why. Empty when all was.
  returned: success
  type: str
  sample: ""
rto_seconds:
  description: How long it took until the restored database was proved.
  returned: success
  type: int
  sample: 142
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.restore_rehearsal import TASK

if __name__ == "__main__":
    main(TASK)
