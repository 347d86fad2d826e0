#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_public_read
short_description: Let anyone read a bucket's objects and nobody list them, and prove it
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Reads an object as anyone would, and tries to list the bucket. When the first works and the second is refused, nothing is done,
    however that was arranged.
  - Otherwise it writes the object C(.fediverse-mastodon), adds one statement to the bucket's policy if that is needed, leaves all
    other statements as they are, and tries again.
  - Fails when the object still cannot be read, and when the bucket can be listed.
  - The keys are read from a Secret of the cluster, such as the one of an ObjectBucketClaim.
  - An endpoint inside the cluster, C(name.namespace.svc), is reached through the API server, as C(kubectl port-forward) does.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.attributes
requirements:
  - requests
  - requests-aws4auth
options:
  endpoint:
    description: Address of the S3 server, with its scheme.
    type: str
    required: true
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  region:
    description: Region to sign requests for.
    type: str
    default: us-east-1
  secret_namespace:
    description: Namespace of the Secret with the bucket's keys.
    type: str
    required: true
  secret_name:
    description: Secret with C(AWS_ACCESS_KEY_ID) and C(AWS_SECRET_ACCESS_KEY).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Let anyone read Mastodon's media
  fediverse.mastodon.s3_public_read:
    endpoint: http://rook-ceph-rgw-mastodon.rook-ceph.svc
    bucket: mastodon-mastodon-media
    secret_namespace: mastodon
    secret_name: mastodon-s3
"""

RETURN = r"""#"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import run_module
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3 import task


def main() -> None:
    """Run on the target."""
    run_module(task.ARGUMENTS, task.public_read)


if __name__ == "__main__":
    main()
