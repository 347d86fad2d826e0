# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon's claim on a Rook that was there: it is made, limited, deleted and made again, and what is in the bucket stays."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import owner_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip

from ..bucket import secret
from ..support import eventually
from .store import CLAIM, Store

SHOWN, HIDDEN = "media_attachments/picture", "backups/archive"
PENDING = "ObjectBucketClaim mastodon/mastodon-s3: not ready after "


def test_a_second_run_changes_nothing(store: Store) -> None:
    assert store.well().recap["changed"] == 0


def test_settings_say_who_reads_both_ways(store: Store) -> None:
    bucket = store.bucket()
    bucket.upload(SHOWN, b"picture", "public-read")
    hidden = store.well(rook_anonymous_read=False)
    assert f"configured bucket {bucket.name}: nobody reads by an ACL" in hidden.output
    assert bucket.get_anonymously(SHOWN).status == 403
    assert store.well(rook_anonymous_read=False).recap["changed"] == 0
    store.well()
    assert bucket.get_anonymously(SHOWN).status == 200
    assert store.well().recap["changed"] == 0


def test_a_policy_that_rook_cannot_read_is_told_of(store: Store) -> None:
    bucket = store.bucket()
    resource = [f"arn:aws:s3:::{bucket.name}/site_uploads/*"]
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": resource}
    bucket.set_policy({"Version": "2012-10-17", "Statement": [theirs]})
    try:
        assert "has a policy of others in short forms: Rook cannot read it" in store.well().output
    finally:
        bucket.set_policy({})


def test_a_full_bucket_is_said_to_be_full(store: Store) -> None:
    store.well(rook_bucket_size="1k")
    try:

        def refused() -> str:
            try:
                return round_trip(store.bucket(), anyone_reads=True)
            except MastodonError as error:
                return str(error)

        said = eventually(refused, lambda found: "QuotaExceeded" in found)
    finally:
        store.well()
    assert said.endswith(
        "It is full: raise the bound on its size, which for Rook is rook_bucket_size, or remove media."
    )
    eventually(refused, lambda found: found.endswith("anyone reads it"))


def test_keys_that_ceph_has_anew_are_used_once_rook_has_written_them(store: Store) -> None:
    bucket, keys = store.bucket(), secret(store.lab, "mastodon-s3")
    bucket.upload(SHOWN, b"picture", "public-read")
    uid = store.lab.get(*CLAIM)["metadata"]["uid"]
    (user,) = (name for name in json.loads(store.admin("radosgw-admin", "user", "list")) if name.endswith(uid))
    key = ("radosgw-admin", "key")
    store.admin(*key, "create", f"--uid={user}", "--key-type=s3", "--gen-access-key", "--gen-secret")
    store.admin(*key, "rm", f"--uid={user}", "--key-type=s3", f"--access-key={keys['AWS_ACCESS_KEY_ID']}")
    refused = store.role()
    assert refused.returncode != 0
    assert "InvalidAccessKeyId. ObjectBucketClaim mastodon/mastodon-s3 is bound, and Rook writes its Secret again" in (
        " ".join(refused.output.split())
    )
    store.restart()
    eventually(lambda: secret(store.lab, "mastodon-s3"), lambda found: found != keys)
    assert store.well().recap["changed"] == 0
    assert store.bucket().get(SHOWN) == b"picture"


@pytest.fixture(scope="module")
def again(store: Store) -> dict[str, str]:
    """Delete the claim and make it again; return the keys that it had before."""
    bucket, keys = store.bucket(), secret(store.lab, "mastodon-s3")
    bucket.upload(SHOWN, b"picture", "public-read")
    bucket.upload(HIDDEN, b"archive", "private")
    store.lab.kubectl("delete", *CLAIM, "--timeout=120s")
    assert bucket.get_anonymously(SHOWN).status == 200
    # This Rook is older than 1.17 and links the bucket to nobody by itself.
    waited = store.role(rook_wait_timeout=20)
    assert waited.returncode != 0
    assert "ObjectBucketClaim mastodon/mastodon-s3" in waited.output
    uid = store.lab.get(*CLAIM)["metadata"]["uid"]
    (user,) = (name for name in json.loads(store.admin("radosgw-admin", "user", "list")) if name.endswith(uid))
    store.admin("radosgw-admin", "bucket", "link", f"--bucket={bucket.name}", f"--uid={user}")
    store.restart()
    run = store.well()
    assert f"policy of bucket {bucket.name}" in run.output
    return keys


def test_a_claim_made_again_has_new_keys_and_all_that_was_there(store: Store, again: dict[str, str]) -> None:
    assert secret(store.lab, "mastodon-s3") != again
    bucket = store.bucket()
    assert (bucket.get(SHOWN), bucket.get(HIDDEN)) == (b"picture", b"archive")
    assert (bucket.get_anonymously(SHOWN).status, bucket.get_anonymously(HIDDEN).status) == (200, 403)
    assert owner_of(bucket.policy()) == bucket.user()
    assert store.well().recap["changed"] == 0


@pytest.mark.usefixtures("again")
def test_what_an_operator_that_starts_takes_away_comes_back_with_the_next_run(store: Store) -> None:
    """Of a Rook that is not ours nobody knows whether its claims may ask for a policy."""
    bucket = store.bucket()
    store.restart()
    eventually(bucket.policy, lambda found: not found)
    run = store.well()
    assert f"created policy of bucket {bucket.name}" in run.output
    assert bucket.get(HIDDEN) == b"archive"
