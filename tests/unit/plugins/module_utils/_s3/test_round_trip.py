# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object of ours goes through a bucket and is gone again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip, write_and_remove

from ..s3_server import KEYS, S3


@pytest.mark.parametrize(
    ("readable", "wanted", "reported"),
    [
        (True, True, "anyone reads it"),
        (False, True, "nobody else reads it yet, which fediverse.mastodon.site changes"),
        (False, False, "nobody else reads it"),
        (True, False, "anyone reads it, which rook_anonymous_read does not ask for"),
    ],
)
def test_it_is_put_got_and_removed(s3: S3, bucket: Bucket, readable: bool, wanted: bool, reported: str) -> None:
    s3.readable = readable
    assert round_trip(bucket, anyone_reads=wanted) == f"{bucket}: written with an ACL, read and removed, {reported}"
    assert len(s3.writes) == 1
    assert s3.objects == {}


def test_what_was_put_is_removed_even_when_it_cannot_be_got(
    s3: S3, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "get", lambda _key: b"something else")
    with pytest.raises(MastodonError, match="returns something else than was written"):
        round_trip(bucket, anyone_reads=True)
    assert s3.objects == {}


@pytest.mark.parametrize(
    ("got", "why"),
    [
        (b"something else", "returns something else than was written"),
        (None, "returns something else than was written"),
        (MastodonError("Bucket media", "reading x failed", "403 AccessDenied"), "reading x failed: 403 AccessDenied"),
    ],
)
def test_what_a_rotation_wrote_is_removed_even_when_it_cannot_be_got(
    s3: S3, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, got: bytes | MastodonError | None, why: str
) -> None:
    def get(_key: str) -> bytes | None:
        if isinstance(got, MastodonError):
            raise got
        return got

    monkeypatch.setattr(bucket, "get", get)
    with pytest.raises(MastodonError, match=why):
        write_and_remove(bucket)
    assert len(s3.writes) == 1
    assert s3.objects == {}


@pytest.mark.parametrize("rounds", [write_and_remove, partial(round_trip, anyone_reads=True)])
def test_what_failed_first_is_reported_also_when_it_cannot_be_removed(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, rounds: Callable[[Bucket], str]
) -> None:
    def delete(_key: str) -> None:
        raise MastodonError("Bucket media", "removing x failed", "403 AccessDenied")

    monkeypatch.setattr(bucket, "get", lambda _key: b"something else")
    monkeypatch.setattr(bucket, "delete", delete)
    with pytest.raises(MastodonError, match="returns something else than was written"):
        rounds(bucket)


def test_wrong_keys_are_named_by_where_they_are(s3: S3) -> None:
    s3.accepts = "others"
    with pytest.raises(MastodonError) as caught:
        round_trip(Bucket(s3.endpoint, "media", "us-east-1", KEYS), anyone_reads=True)
    assert "403 InvalidAccessKeyId. Give the keys in Secret mastodon/mastodon-s3 this right" in str(caught.value)


@pytest.mark.parametrize(
    "acls", [(400, "AccessControlListNotSupported"), (501, "NotImplemented"), (403, "AccessDenied")]
)
def test_a_bucket_without_acls_is_used_without(s3: S3, bucket: Bucket, acls: tuple[int, str]) -> None:
    s3.acls = acls
    reported = round_trip(bucket, anyone_reads=True)
    assert reported == (
        f"{bucket}: written without an ACL, which it does not take, read and removed, nobody else reads it yet, which fediverse.mastodon.site changes"
    )
    assert s3.objects == {}


def test_a_bucket_that_does_not_let_mastodon_remove_is_refused(s3: S3, bucket: Bucket) -> None:
    s3.keeps = True
    with pytest.raises(
        MastodonError, match=r"removing accounts/\S+ as one of a list failed: the server answers AccessDenied"
    ):
        round_trip(bucket, anyone_reads=True)
    assert s3.objects == {}
