# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import CONTENT, PROBE, ensure

from .conftest import KEYS, S3

OTHERS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject"], "Resource": ["x"]}],
}


def no_sleep(_seconds: float) -> None:
    """Pass the time."""


def run(bucket: Bucket, *, check: bool = False) -> list[str]:
    return [change.line for change in ensure(bucket, check=check, sleep=no_sleep)]


def test_an_empty_bucket_gets_the_probe_and_a_policy_and_then_nothing_more(s3: S3, bucket: Bucket) -> None:
    assert run(bucket) == [f"created object {PROBE} in bucket media", "created policy of bucket media"]
    assert s3.writes == [PROBE, "policy"]
    assert run(bucket) == []
    assert s3.writes == [PROBE, "policy"]


def test_check_mode_tells_the_same_and_writes_nothing(s3: S3, bucket: Bucket) -> None:
    assert run(bucket, check=True) == [f"created object {PROBE} in bucket media", "created policy of bucket media"]
    assert s3.writes == []


def test_the_statements_of_others_are_kept(s3: S3, bucket: Bucket) -> None:
    s3.policy = OTHERS
    assert run(bucket)[-1] == "configured policy of bucket media"
    assert s3.policy["Statement"][0] == OTHERS["Statement"][0]
    assert len(s3.policy["Statement"]) == 2


def test_a_bucket_that_anyone_reads_by_other_means_gets_no_policy(s3: S3, bucket: Bucket) -> None:
    s3.readable, s3.knows_policies = True, False
    assert run(bucket) == [f"created object {PROBE} in bucket media"]
    assert s3.policy is None


def test_a_probe_of_other_content_is_written_again(s3: S3, bucket: Bucket) -> None:
    s3.readable = True
    s3.objects[PROBE] = b"old"
    assert run(bucket) == [f"configured object {PROBE} in bucket media"]
    assert s3.objects[PROBE] == CONTENT


def listable(s3: S3) -> None:
    s3.listable = True


def absent(s3: S3) -> None:
    s3.bucket = "other"


def without_policies(s3: S3) -> None:
    s3.knows_policies = False


def deaf(s3: S3) -> None:
    s3.obeys_policies = False


def with_other_keys(s3: S3) -> None:
    s3.accepts = "AKIB"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (listable, "can be listed by anyone: so every upload can be found. Take s3:ListBucket from *"),
        (absent, "does not exist. Make the bucket"),
        (
            without_policies,
            "reading its policy failed: 501 NotImplemented. Let anyone read its objects by the provider's",
        ),
        (deaf, f"anyone should read {PROBE} but cannot: 403 AccessDenied. Look for a statement that denies it"),
        (with_other_keys, "403 InvalidAccessKeyId. Give the keys in Secret mastodon/mastodon-s3 this right"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(s3: S3, bucket: Bucket, fault: Callable[[S3], None], told: str) -> None:
    fault(s3)
    with pytest.raises(MastodonError) as refused:
        run(bucket)
    assert told in str(refused.value)
    assert str(refused.value).startswith(f"Bucket media at {s3.endpoint}: ")
    assert KEYS.secret_key not in str(refused.value)


def test_a_listable_bucket_is_refused_before_anything_is_written(s3: S3, bucket: Bucket) -> None:
    s3.listable = True
    with pytest.raises(MastodonError, match="listed"):
        run(bucket)
    assert s3.writes == []


def test_a_policy_that_takes_effect_late_is_waited_for(s3: S3, bucket: Bucket) -> None:
    s3.obeys_policies = False
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        s3.obeys_policies = len(waits) == 2

    assert len(ensure(bucket, check=False, sleep=sleep)) == 2
    assert len(waits) == 2
