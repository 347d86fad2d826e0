# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import Answer
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import (
    OWNER_SID,
    SID,
    owner_of,
    public_read,
    with_owner,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import (
    CONTENT,
    PROBE,
    SECRET_PROBE,
    WITHHELD_PROBE,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import (
    Access,
    ensure,
    take_over,
    withdraw,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip

from ..s3_server import KEYS, S3, error

OTHERS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject"], "Resource": ["x"]}],
}


EVERYTHING = {
    "Sid": "All",
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject"],
    "Resource": ["arn:aws:s3:::media/*"],
}
DUE = [
    f"created object {PROBE} in bucket media",
    f"created object {WITHHELD_PROBE} in bucket media",
    f"created object {SECRET_PROBE} in bucket media",
    "created policy of bucket media",
]


def no_sleep(_seconds: float) -> None:
    """Pass the time."""


def run(bucket: Bucket, *, check: bool = False, claimed: bool = True) -> list[str]:
    return [change.line for change in ensure(bucket, check=check, claimed=claimed, sleep=no_sleep).changes]


def off(bucket: Bucket, *, check: bool = False, claimed: bool = True) -> tuple[list[str], list[str]]:
    """Take it back, and return what was changed and what was reported."""
    reported: list[str] = []
    changes = withdraw(bucket, reported.append, check=check, claimed=claimed, sleep=no_sleep)
    return [change.line for change in changes], reported


def test_an_empty_bucket_gets_the_probes_and_a_policy_and_then_nothing_more(s3: S3, bucket: Bucket) -> None:
    assert run(bucket) == DUE
    # The first once more, as Mastodon's media are from then on: without an ACL.
    writes = [PROBE, WITHHELD_PROBE, SECRET_PROBE, "policy", PROBE]
    assert s3.writes == writes
    assert run(bucket) == []
    assert s3.writes == writes


def test_check_mode_tells_the_same_and_writes_nothing(s3: S3, bucket: Bucket) -> None:
    s3.writable = True
    assert run(bucket, check=True) == DUE
    assert s3.writes == []


def test_the_statements_of_others_are_kept(s3: S3, bucket: Bucket) -> None:
    s3.policy = OTHERS
    assert run(bucket)[-1] == "configured policy of bucket media"
    assert s3.policy["Statement"][0] == OTHERS["Statement"][0]
    assert len(s3.policy["Statement"]) == 2


def test_archives_of_accounts_that_a_policy_of_ours_once_opened_are_closed(s3: S3, bucket: Bucket) -> None:
    s3.policy = {"Version": "2012-10-17", "Statement": [EVERYTHING | {"Sid": SID}]}
    assert run(bucket) == [*DUE[:3], "configured policy of bucket media"]
    assert s3.policy == public_read("media")
    assert bucket.get_anonymously(SECRET_PROBE).status == 403
    assert run(bucket) == []


def test_archives_of_accounts_that_others_open_end_the_run(s3: S3, bucket: Bucket) -> None:
    s3.policy = {"Version": "2012-10-17", "Statement": [EVERYTHING]}
    with pytest.raises(MastodonError) as refused:
        run(bucket)
    assert str(refused.value) == (
        f"{bucket}: nobody should read {SECRET_PROBE} but anyone may: it answers 200 OK, and archives of people's accounts "
        "lie there. Remove s3:GetObject of backups/* for * from its policy, or let no ACL or setting of the provider allow it."
    )


def test_a_bucket_that_anyone_reads_by_other_means_gets_no_policy(s3: S3, bucket: Bucket) -> None:
    s3.policy = {"Statement": [EVERYTHING | {"Resource": ["arn:aws:s3:::media/acc*"]}]}
    assert run(bucket) == DUE[:3]
    assert len(s3.policy["Statement"]) == 1


def test_a_probe_of_other_content_is_written_again(s3: S3, bucket: Bucket) -> None:
    s3.policy = public_read("media")
    s3.objects |= {PROBE: b"old", WITHHELD_PROBE: CONTENT, SECRET_PROBE: CONTENT}
    assert run(bucket) == [f"configured object {PROBE} in bucket media"]
    assert s3.objects[PROBE] == CONTENT


def test_what_anyone_may_write_is_refused_before_anything_else_is_written(s3: S3, bucket: Bucket) -> None:
    s3.writable = True
    with pytest.raises(
        MastodonError, match=r"can be written by anyone: so all media can be replaced\. Remove s3:PutObject"
    ):
        run(bucket)
    assert s3.objects == {PROBE: CONTENT}


@pytest.mark.parametrize("status", [404, 405, 400, 302])
def test_only_a_refusal_counts_as_refused(s3: S3, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(bucket, "list_anonymously", lambda: Answer(status))
    with pytest.raises(MastodonError, match=f"does not say whether anyone may list it: {status} "):
        run(bucket)
    assert s3.writes == []


def test_a_server_out_of_breath_is_asked_again_and_not_believed(s3: S3, bucket: Bucket) -> None:
    s3.breathless = [503, 500]
    assert run(bucket) == DUE
    s3.breathless = [503] * 6
    with pytest.raises(MastodonError, match="does not say whether anyone may list it: 503 SlowDown"):
        run(bucket)


def test_what_was_allowed_is_taken_back(s3: S3, bucket: Bucket) -> None:
    run(bucket)
    assert off(bucket, check=True) == (["deleted policy of bucket media"], [])
    assert s3.policy is not None
    assert off(bucket) == (["deleted policy of bucket media"], [])
    assert s3.policy is None
    assert bucket.get_anonymously(PROBE).status == 403
    assert off(bucket) == ([], [])


def test_the_statements_of_others_stay_when_ours_is_taken_back(s3: S3, bucket: Bucket) -> None:
    s3.policy = OTHERS
    run(bucket)
    assert off(bucket) == (["configured policy of bucket media"], [])
    assert s3.policy == OTHERS


def test_a_bucket_that_others_let_anyone_read_is_reported_when_it_should_not(s3: S3, bucket: Bucket) -> None:
    run(bucket)
    s3.readable = True
    changed, reported = off(bucket)
    assert changed == ["deleted policy of bucket media"]
    assert reported == [
        f"{bucket}: anyone still reads {PROBE}, which rook_anonymous_read does not ask for: "
        "an ACL, a statement of others or a setting of the provider allows it"
    ]


def test_keys_that_may_not_see_policies_matter_only_where_anyone_reads(s3: S3, bucket: Bucket) -> None:
    s3.knows_policies = False
    assert off(bucket) == ([], [])
    s3.readable = True
    s3.objects[PROBE] = CONTENT
    [reported] = off(bucket)[1]
    assert "reading its policy failed: 501 NotImplemented" in reported


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
    ("fault", "reported"),
    [
        (listable, "can be listed by anyone: so every upload can be found. Remove s3:ListBucket for *"),
        (absent, "does not exist. Create the bucket"),
        (
            without_policies,
            "reading its policy failed: 501 NotImplemented. Let anyone read its objects by the provider's",
        ),
        (deaf, f"anyone should read {PROBE} but cannot: 403 AccessDenied. Find a statement that denies it"),
        (with_other_keys, "403 InvalidAccessKeyId. Give the keys in Secret mastodon/mastodon-s3 this right"),
    ],
)
def test_what_is_wrong_is_reported_in_one_sentence(
    s3: S3, bucket: Bucket, fault: Callable[[S3], None], reported: str
) -> None:
    fault(s3)
    with pytest.raises(MastodonError) as refused:
        run(bucket)
    assert reported in str(refused.value)
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

    assert len(ensure(bucket, check=False, sleep=sleep).changes) == len(DUE)
    assert len(waits) == 2


def test_a_policy_that_is_blocked_is_reported_with_the_way_out(
    s3: S3, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        s3,
        "_policy",
        lambda method, _body: (403, error("AccessDenied")) if method == "PUT" else (404, error("NoSuchBucketPolicy")),
    )
    with pytest.raises(
        MastodonError,
        match=r"writing its policy failed: 403 AccessDenied\. .* AWS: turn off Block Public Access, too\.",
    ):
        run(bucket)


def test_a_server_that_knows_no_anyone_is_reported_with_the_way_out_which_works(s3: S3, bucket: Bucket) -> None:
    s3.knows_anyone, s3.knows_policies, s3.acls = False, False, (501, "NotImplemented")
    with pytest.raises(
        MastodonError, match=r"400 InvalidArgument\. If it answers nobody without keys, as R2 does, set rook_anonymous"
    ):
        run(bucket)
    assert s3.writes == []
    assert off(bucket) == ([], [])
    assert "written without an ACL, which it does not take, read and removed" in round_trip(bucket, anyone_reads=False)


def handed_over(s3: S3, bucket: Bucket) -> None:
    """Let the bucket be as Rook gives it to the second claim: what the first one's user wrote is that user's."""
    s3.acls = "obeyed"
    run(bucket)
    s3.withheld = {SECRET_PROBE, WITHHELD_PROBE}


def test_what_an_earlier_claim_s_user_wrote_is_given_to_the_user_of_this_one(s3: S3, bucket: Bucket) -> None:
    handed_over(s3, bucket)
    with pytest.raises(MastodonError, match="403 AccessDenied"):
        run(bucket)
    (shown,) = take_over(bucket, check=True)
    assert (shown.line, s3.policy) == ("created policy of bucket media", None)
    assert [change.line for change in take_over(bucket, check=False)] == ["created policy of bucket media"]
    assert s3.policy == public_read("media", anyone=False, owner=s3.user)
    assert take_over(bucket, check=False) == []
    assert ensure(bucket, check=False, sleep=no_sleep) == Access([], acl=True)


def test_a_user_who_came_before_is_no_more_named(s3: S3, bucket: Bucket) -> None:
    handed_over(s3, bucket)
    s3.policy = with_owner(OTHERS, "media", "obc-mastodon-mastodon-s3-1")
    assert [change.line for change in take_over(bucket, check=False)] == ["configured policy of bucket media"]
    assert owner_of(s3.policy) == s3.user
    assert [one["Sid"] for one in s3.policy["Statement"]] == ["Theirs", OWNER_SID]


def test_nothing_is_written_where_all_is_one_user_s(s3: S3, bucket: Bucket) -> None:
    assert take_over(bucket, check=False) == []
    run(bucket)
    written = list(s3.writes)
    assert take_over(bucket, check=False) == []
    assert s3.writes == written
