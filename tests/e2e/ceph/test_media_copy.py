# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media that lie in Ceph are copied to another S3 server, by the keys of their claim."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.tests.unit.roles.test_media_copy import CLAIMED, NAME, copy

from ..bucket import server
from ..support import eventually
from .store import Store

COPY = "media-copy"
SHOWN, HIDDEN = "media_attachments/files/109/348/000/original/a1.png", "backups/dumps/1/original/archive.zip"
HERE = "-n=mastodon"


@pytest.fixture(scope="module")
def copied(store: Store) -> Bucket:
    """The bucket of the copy, for which the CronJob is there."""
    stored = store.lab.stored("s3")
    keys = {"AWS_ACCESS_KEY_ID": stored["access-key-id"], "AWS_SECRET_ACCESS_KEY": stored["secret-access-key"]}
    place = {"name": NAME, "namespace": "mastodon"}
    to = {"rook_copy_endpoint": "http://s3.object-store.svc:8333", "rook_copy_bucket": COPY}
    # As External Secrets, which this lab is without, makes the one of the other.
    items: list[Any] = [item for item in copy(**CLAIMED, **to).values() if item["kind"] != "ExternalSecret"]
    items.append({"apiVersion": "v1", "kind": "Secret", "metadata": place, "stringData": keys})
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    store.lab.kubectl("apply", "--server-side", "-f-", given=given)
    return Bucket(server(store.lab), COPY, "us-east-1", Keys(*keys.values(), "Vault path secret/s3"))


def said(store: Store, name: str) -> str:
    store.lab.kubectl("create", "job", HERE, name, f"--from=cronjob/{NAME}")
    status = eventually(lambda: store.lab.get("job", HERE, name)["status"], lambda found: "conditions" in found, 120)
    log = store.lab.kubectl("logs", HERE, f"job/{name}")
    assert status.get("succeeded") == 1, log
    return log.strip().splitlines()[-1]


def test_what_is_in_ceph_is_copied_and_what_is_deleted_there_is_kept(store: Store, copied: Bucket) -> None:
    bucket = store.bucket()
    bucket.upload(SHOWN, b"picture", "public-read")
    bucket.upload(HIDDEN, b"archive", "private")
    # Three more are the role's own, by which it looks at who may read.
    assert said(store, "first").endswith("has the 5 objects of the source; 5 of them were compared byte by byte.")
    assert (copied.get(SHOWN), copied.get(HIDDEN)) == (b"picture", b"archive")
    bucket.delete(SHOWN)
    assert said(store, "second").endswith("has the 4 objects of the source; 4 of them were compared byte by byte.")
    assert copied.get(SHOWN) is None
