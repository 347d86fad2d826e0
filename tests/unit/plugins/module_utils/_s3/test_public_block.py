# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ACLs show is hidden by a block, in a bucket that is all ours."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import public_read
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import PROBE
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import ensure, take_over
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._s3.test_public_read import (
    DUE,
    EVERYTHING,
    OTHERS,
    handed_over,
    no_sleep,
    off,
    run,
)

from ..s3_server import S3


@pytest.mark.parametrize("given", [True, False], ids=["with an owner's statement", "without"])
def test_media_that_acls_show_are_hidden_and_shown_again(s3: S3, bucket: Bucket, given: bool) -> None:
    s3.acls, s3.block = "obeyed", []
    run(bucket)
    if given:
        s3.policy = public_read("media", anyone=False, owner=s3.user)
    hidden = ["configured bucket media: nobody reads by an ACL"]
    assert (off(bucket, check=True), s3.block) == ((hidden, []), [])
    assert (off(bucket), s3.block) == ((hidden, []), ["IgnorePublicAcls"])
    assert bucket.get_anonymously(PROBE).status == 403
    assert off(bucket) == ([], [])
    shown = ["configured bucket media: ACLs decide who reads"]
    assert (run(bucket, check=True), s3.block) == (shown, ["IgnorePublicAcls"])
    assert ensure(bucket, check=False, claimed=True, sleep=no_sleep).acl is True
    assert (s3.block, bucket.get_anonymously(PROBE).status) == ([], 200)
    assert run(bucket) == []


@pytest.mark.parametrize("block", [None, ["BlockPublicAcls", "IgnorePublicAcls"]], ids=["unknown", "somebody else's"])
def test_a_block_is_neither_made_nor_taken_away_where_it_is_not_ours(
    s3: S3, bucket: Bucket, block: list[str] | None
) -> None:
    s3.acls = "obeyed"
    run(bucket)
    s3.block, s3.readable = block, True
    assert "anyone still reads" in off(bucket)[1][0]
    s3.readable = False
    run(bucket)
    assert s3.block == block


def test_a_block_that_does_not_help_is_taken_back(s3: S3, bucket: Bucket) -> None:
    s3.acls, s3.block = "obeyed", []
    run(bucket)
    s3.readable = True
    changed, reported = off(bucket)
    assert (changed, s3.block, len(reported)) == ([], [], 1)


def test_statements_of_others_are_not_fought_by_a_block(s3: S3, bucket: Bucket) -> None:
    s3.block = []
    run(bucket)
    s3.policy = {"Statement": [EVERYTHING | {"Resource": ["arn:aws:s3:::media/acc*"]}]}
    assert (len(off(bucket)[1]), s3.block) == (1, [])


def test_a_bucket_of_somebody_s_own_gets_no_block_by_which_what_else_is_in_it_would_be_hidden(
    s3: S3, bucket: Bucket
) -> None:
    s3.acls, s3.block = "obeyed", []
    run(bucket, claimed=False)
    written = list(s3.writes)
    told = (
        f"{bucket}: anyone still reads {PROBE}, which rook_anonymous_read does not ask for: "
        "an ACL, a statement of others or a setting of the provider allows it"
    )
    assert off(bucket, claimed=False, check=True) == ([], [])
    assert off(bucket, claimed=False) == ([], [told])
    assert (s3.block, s3.writes) == ([], written)


def test_a_bucket_of_somebody_s_own_keeps_his_block(s3: S3, bucket: Bucket) -> None:
    s3.acls, s3.block = "obeyed", ["IgnorePublicAcls"]
    assert run(bucket, claimed=False) == DUE
    assert s3.block == ["IgnorePublicAcls"]
    assert bucket.get_anonymously(PROBE).status == 200
    assert run(bucket, claimed=False) == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("policy", [None, OTHERS], ids=["without a policy", "with one of others"])
def test_a_server_that_does_not_say_whose_the_keys_are_ends_the_run(
    s3: S3, bucket: Bucket, check: bool, policy: dict[str, Any] | None
) -> None:
    handed_over(s3, bucket)
    s3.user, s3.policy = "", policy
    with pytest.raises(MastodonError) as refused:
        take_over(bucket, check=check)
    assert str(refused.value) == (
        f"{bucket}: does not say whose keys these are: its list of buckets names no owner. "
        "Check that the endpoint is the S3 server's, and what is in between."
    )
    assert s3.policy == policy
