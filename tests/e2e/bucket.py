# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon's bucket in the lab, as this machine reaches it."""

from __future__ import annotations

import base64

from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys

from ..conftest import Lab

PROBE, SECRET_PROBE = "accounts/.fediverse-mastodon", "backups/.fediverse-mastodon"


def secret(lab: Lab, name: str) -> dict[str, str]:
    """Return what a Secret of Mastodon's namespace holds."""
    data = lab.get("secret", "-n=mastodon", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def address(lab: Lab) -> str:
    """Return the bucket's address: of the lab's Ceph, or of its S3 server where the lab is without."""
    if not lab.facts["ceph_disk"]:
        return f"{server(lab)}/mastodon"
    data = lab.get("configmap", "-n=mastodon", "mastodon-s3")["data"]
    name, namespace = data["BUCKET_HOST"].split(".")[:2]
    service = lab.get("service", f"-n={namespace}", name)["spec"]
    return f"http://{service['clusterIP']}:{data['BUCKET_PORT']}/{data['BUCKET_NAME']}"


def server(lab: Lab) -> str:
    """Return the address of the lab's S3 server."""
    service = lab.get("service", "-n=object-store", "s3")["spec"]
    return f"http://{service['clusterIP']}:{service['ports'][0]['port']}"


def bucket(lab: Lab) -> Bucket:
    """Return the bucket, with the keys that Mastodon has now."""
    keys, (endpoint, _slash, name) = secret(lab, "mastodon-s3"), address(lab).rpartition("/")
    known = Keys(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], "Secret mastodon/mastodon-s3")
    return Bucket(endpoint, name, "us-east-1", known)


def forget_policy(lab: Lab) -> None:
    """Delete the bucket's policy, as its owner can."""
    bucket(lab).set_policy({})
