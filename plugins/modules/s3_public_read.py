#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_public_read
short_description: Let anyone read what Mastodon shows of a bucket and nothing else, and prove it
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - As anyone would, reads an object of a folder that Mastodon shows (C(accounts/.fediverse-mastodon)), one of those that hold archives of
    people's accounts (C(backups/.fediverse-mastodon)) and one as Mastodon leaves media of people who were suspended
    (C(media_attachments/.fediverse-mastodon)), tries to list the bucket and, except in check mode, to write to it. When the first works and
    the others are refused, nothing is done, however that was arranged.
  - Otherwise it writes these objects with the ACLs that Mastodon gives to its own. Where the bucket takes and obeys ACLs that is all.
  - Elsewhere it adds one statement to the bucket's policy, which names the folders that Mastodon shows, leaves all other statements as they are,
    and tries again. RV(acl) is false then, Mastodon has to give no ACLs, and media of people who were suspended can still be read.
  - Fails when an object of the first kind still cannot be read, and when anyone can read one of the other, list the bucket or write to it.
    Only 401 and 403 count as refused.
  - Of a bucket that Rook gave to a claim that was deleted and made again, Ceph keeps the earlier claim's user as the owner of what is in it. With
    O(claimed), a statement of the policy lets the user of the keys use that.
  - When a gateway of Rook's gives no answer, the failure says what Ceph reports of its health meanwhile.
  - The keys are read from a Secret of the cluster, such as the one of an ObjectBucketClaim.
  - An endpoint inside the cluster, C(name.namespace.svc), is reached through the API server, as C(kubectl port-forward) does.
requirements:
  - requests >= 2.32.2
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.bucket
  - fediverse.mastodon.objects.depends_on
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.attributes
options:
  state:
    description:
      - V(absent) takes the statement out of the policy, and says so when anyone can still read by whatever else allows it. With O(claimed) it
        lets nobody read by an ACL, either, where the server can (PutPublicAccessBlock, as of Ceph), which V(present) takes back.
      - V(asked) changes nothing, and returns RV(acl) as an earlier run left it, or fails when nobody can tell, except in check mode.
    type: str
    choices: [present, absent, asked]
    default: present
  optional:
    description: Whether the bucket or its keys may be missing still. Nothing is done then.
    type: bool
    default: false
  claimed:
    description:
      - Whether the bucket is Mastodon's alone, as Rook gave it to an ObjectBucketClaim. In others' buckets, where files of theirs may be, nothing
        is changed but our objects and our statement of the policy.
    type: bool
    default: false
  secret_namespace:
    description: Namespace of the Secret with the bucket's keys.
    type: str
    required: true
  secret_name:
    description: Secret with C(AWS_ACCESS_KEY_ID) and C(AWS_SECRET_ACCESS_KEY).
    type: str
    required: true
  wait_timeout:
    description: How long O(depends_on) is waited for, in seconds.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Let anyone read Mastodon's media
  fediverse.mastodon.s3_public_read:
    endpoint: http://rook-ceph-rgw-mastodon.rook-ceph.svc
    bucket: mastodon-mastodon-media
    secret_namespace: mastodon
    secret_name: mastodon-s3
    claimed: true
"""

RETURN = r"""
diff:
  description: Objects that are written and the bucket's policy, as far as each was or would be changed, as text before and after.
  returned: in diff mode
  type: list
  elements: dict
acl:
  description:
    - Whether ACLs decide who reads, so that Mastodon gives its own to each object. When false, C(S3_PERMISSION) must be empty, as the
      bucket refuses ACLs or a policy decides.
    - Null where nobody can tell yet, as in check mode before the first run.
  returned: success
  type: bool
  sample: true
owner:
  description: The user of Ceph who may use what an earlier claim's user wrote, by the bucket's policy. Empty when there is no such thing.
  returned: with O(claimed), unless O(state=asked)
  type: str
  sample: ""
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.s3_public_read import TASK

if __name__ == "__main__":
    main(TASK)
