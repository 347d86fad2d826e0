# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object of ours goes through a bucket and is gone again."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip

from .conftest import KEYS, S3


@pytest.mark.parametrize(
    ("readable", "wanted", "told"),
    [
        (True, True, "put and got, anyone reads it"),
        (False, True, "put and got, nobody else reads it yet, which site.yml changes"),
        (False, False, "put and got, nobody else reads it"),
        (True, False, "put and got, anyone reads it, which rook_anonymous_read does not ask for"),
    ],
)
def test_it_is_put_got_and_removed(s3: S3, bucket: Bucket, readable: bool, wanted: bool, told: str) -> None:
    s3.readable = readable
    assert round_trip(bucket, anyone_reads=wanted) == f"{bucket}: {told}"
    assert len(s3.writes) == 1
    assert s3.objects == {}


def test_what_was_put_is_removed_even_when_it_cannot_be_got(
    s3: S3, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "get", lambda _key: b"something else")
    with pytest.raises(MastodonError, match="gives back something else than was put"):
        round_trip(bucket, anyone_reads=True)
    assert s3.objects == {}


def test_wrong_keys_are_named_by_where_they_are(s3: S3) -> None:
    s3.accepts = "others"
    with pytest.raises(MastodonError) as caught:
        round_trip(Bucket(s3.endpoint, "media", "us-east-1", KEYS), anyone_reads=True)
    assert "403 InvalidAccessKeyId. Give the keys in Secret mastodon/mastodon-s3 this right" in str(caught.value)
