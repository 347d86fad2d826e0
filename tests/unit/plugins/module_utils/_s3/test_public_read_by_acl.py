# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether ACLs or a policy let anyone read, which only a try says, and which is remembered."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import SHOWN, public_read
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import (
    CONTENT,
    PROBE,
    SECRET_PROBE,
    WITHHELD_PROBE,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import Access, ask, ensure
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._s3.test_public_read import (
    DUE,
    EVERYTHING,
    no_sleep,
    run,
)

from ..s3_server import S3


def test_where_acls_are_obeyed_they_do_it_alone_and_hide_media_of_suspended_people(s3: S3, bucket: Bucket) -> None:
    s3.acls = "obeyed"
    first = ensure(bucket, check=False, sleep=no_sleep)
    assert ([change.line for change in first.changes], first.acl) == (DUE[:3], True)
    assert s3.policy is None
    assert bucket.get_anonymously(PROBE).status == 200
    for key in (WITHHELD_PROBE, SECRET_PROBE):
        assert bucket.get_anonymously(key).status == 403
    written = list(s3.writes)
    assert ensure(bucket, check=False, sleep=no_sleep) == Access([], acl=True)
    assert ask(bucket, check=False, sleep=no_sleep).acl is True
    assert s3.writes == written


REFUSE_ACLS = [(400, "AccessControlListNotSupported"), (501, "NotImplemented"), (403, "AccessDenied"), "ignored"]


@pytest.mark.parametrize("acls", REFUSE_ACLS)
def test_where_they_are_not_a_policy_does_it_and_mastodon_gives_none(
    s3: S3, bucket: Bucket, acls: str | tuple[int, str]
) -> None:
    s3.acls = acls
    first = ensure(bucket, check=False, sleep=no_sleep)
    assert ([change.line for change in first.changes], first.acl) == (DUE, False)
    assert bucket.get_anonymously(PROBE).status == 200
    assert bucket.get_anonymously(SECRET_PROBE).status == 403
    assert ensure(bucket, check=False, sleep=no_sleep) == Access([], acl=False)
    assert ask(bucket, check=False, sleep=no_sleep).acl is False


@pytest.mark.parametrize("acls", REFUSE_ACLS)
def test_a_bucket_that_its_provider_lets_anyone_read_needs_neither(
    s3: S3, bucket: Bucket, acls: str | tuple[int, str]
) -> None:
    s3.acls = acls
    s3.policy = {"Statement": [EVERYTHING | {"Resource": [f"arn:aws:s3:::media/{one}/*" for one in SHOWN]}]}
    found = ensure(bucket, check=False, sleep=no_sleep)
    assert ([change.line for change in found.changes], found.acl) == (DUE[:3], False)
    assert len(s3.policy["Statement"]) == 1


@pytest.mark.parametrize("late", [1, 2, 3, 20])
@pytest.mark.parametrize("acls", REFUSE_ACLS)
def test_a_policy_that_some_gateways_do_not_know_yet_is_not_taken_for_acls(
    s3: S3, bucket: Bucket, acls: str | tuple[int, str], late: int
) -> None:
    s3.acls, s3.late = acls, {WITHHELD_PROBE: late}
    assert ensure(bucket, check=False, sleep=no_sleep).acl is False


@pytest.mark.parametrize("late", [1, 2, 3, 20])
def test_nor_is_one_that_an_interrupted_run_wrote(s3: S3, bucket: Bucket, late: int) -> None:
    s3.acls = (400, "AccessControlListNotSupported")
    run(bucket)
    s3.late = {WITHHELD_PROBE: late}
    assert ensure(bucket, check=False, sleep=no_sleep) == Access([], acl=False)
    s3.late = {WITHHELD_PROBE: late}
    assert ask(bucket, check=False, sleep=no_sleep).acl is False


def test_a_refused_acl_is_remembered_where_others_let_anyone_read_late(s3: S3, bucket: Bucket) -> None:
    s3.acls, s3.late = (501, "NotImplemented"), {WITHHELD_PROBE: 20}
    s3.policy = {"Statement": [EVERYTHING | {"Resource": [f"arn:aws:s3:::media/{one}/*" for one in SHOWN]}]}
    assert ensure(bucket, check=False, sleep=no_sleep).acl is False


def test_a_server_out_of_breath_is_asked_about_acls_again(s3: S3, bucket: Bucket) -> None:
    run(bucket)
    s3.breathless = [503, 500]
    assert ask(bucket, check=False, sleep=no_sleep).acl is False


def test_a_server_out_of_breath_has_not_refused_an_acl(s3: S3, bucket: Bucket) -> None:
    s3.acls = (503, "SlowDown")
    with pytest.raises(MastodonError, match=f"writing {PROBE} failed: 503 SlowDown"):
        run(bucket)


def test_what_nobody_can_tell_ends_the_run(s3: S3, bucket: Bucket) -> None:
    run(bucket)
    del s3.objects[WITHHELD_PROBE]
    s3.late = {WITHHELD_PROBE: 100}
    with pytest.raises(MastodonError) as refused:
        ask(bucket, check=False, sleep=no_sleep)
    assert str(refused.value) == (
        f"{bucket}: does not say whether ACLs decide who reads: {WITHHELD_PROBE}, which would show it, answers anyone with "
        "403 AccessDenied. Run role rook, too, which writes what is missing, or read the server's log."
    )
    assert ask(bucket, check=True, sleep=no_sleep).acl is None


def test_media_without_acls_are_never_hidden_by_a_change_to_acls(s3: S3, bucket: Bucket) -> None:
    ensure(bucket, check=False, sleep=no_sleep)
    # The policy is lost, and the bucket obeys ACLs from now on.
    s3.policy, s3.acls = None, "obeyed"
    found = ensure(bucket, check=False, sleep=no_sleep)
    assert ([change.line for change in found.changes], found.acl) == (DUE[3:], False)
    assert s3.policy == public_read("media")


def test_nobody_can_tell_before_the_first_run(s3: S3, bucket: Bucket) -> None:
    assert ensure(bucket, check=True, sleep=no_sleep).acl is None
    assert ask(bucket, check=True, sleep=no_sleep).acl is None
    assert s3.writes == []


def test_a_policy_that_was_lost_is_still_what_decides(s3: S3, bucket: Bucket) -> None:
    ensure(bucket, check=False, sleep=no_sleep)
    s3.policy = None
    found = ensure(bucket, check=True, sleep=no_sleep)
    assert ([change.line for change in found.changes], found.acl) == (DUE[3:], False)


def test_a_bucket_of_before_gets_the_probe_that_it_lacks(s3: S3, bucket: Bucket) -> None:
    s3.policy = public_read("media")
    s3.objects |= {PROBE: CONTENT, SECRET_PROBE: CONTENT}
    found = ensure(bucket, check=False, sleep=no_sleep)
    assert ([change.line for change in found.changes], found.acl) == (DUE[1:2], False)
    assert ensure(bucket, check=False, sleep=no_sleep) == Access([], acl=False)
