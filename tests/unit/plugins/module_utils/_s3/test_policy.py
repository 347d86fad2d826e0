# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import (
    SID,
    is_readable_by_rook,
    public_read,
    with_public_read,
    without_public_read,
)

[OURS] = public_read("media")["Statement"]
OLD = {
    "Sid": SID,
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject"],
    "Resource": ["arn:aws:s3:::media/*"],
}
THEIRS = {"Sid": "T", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "x"}


@pytest.mark.parametrize(
    ("before", "statements"),
    [
        ({}, [OURS]),
        ({"Statement": [THEIRS]}, [THEIRS, OURS]),
        ({"Statement": THEIRS}, [THEIRS, OURS]),
        ({"Statement": [OLD, THEIRS]}, [THEIRS, OURS]),
        ({"Statement": [OURS]}, [OURS]),
    ],
)
def test_only_our_statement_is_added_or_replaced(before: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    assert with_public_read(before, "media")["Statement"] == statements


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"Version": "2012-10-17", "Statement": [OLD]}, {}),
        ({"Id": "mine", "Statement": [OURS, THEIRS]}, {"Id": "mine", "Statement": [THEIRS]}),
        ({"Id": "mine", "Statement": [THEIRS]}, {"Id": "mine", "Statement": [THEIRS]}),
    ],
)
def test_only_our_statement_is_taken_out(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert without_public_read(before) == after


def test_the_policys_own_version_and_name_stay() -> None:
    after = with_public_read({"Version": "2008-10-17", "Id": "mine", "Statement": []}, "media")
    assert (after["Version"], after["Id"]) == ("2008-10-17", "mine")


@pytest.mark.parametrize(
    ("policy", "readable"),
    [
        ({}, True),
        (public_read("media"), True),
        ({"Statement": [{**OURS, "Principal": "*"}]}, False),
        ({"Statement": [OURS, {**OURS, "Principal": {"AWS": "*"}}]}, False),
        ({"Statement": [{**OURS, "Action": "s3:GetObject"}]}, False),
        ({"Statement": [{**OURS, "Resource": "arn:aws:s3:::media/*"}]}, False),
        ({"Statement": OURS}, False),
        ({"Statement": [{"Effect": "Deny", "NotPrincipal": "*", "NotAction": "s3:*", "Condition": {}}]}, True),
    ],
)
def test_a_policy_is_readable_by_rook_or_not(policy: dict[str, Any], readable: bool) -> None:
    assert is_readable_by_rook(policy) is readable


def test_rook_can_read_it() -> None:
    """As Go reads it into Rook's types: https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/object/policy.go"""
    read = json.loads(json.dumps(public_read("media")))
    assert read.keys() <= {"Id", "Version", "Statement"}
    for statement in read["Statement"]:
        assert statement.keys() == {"Sid", "Effect", "Principal", "Action", "Resource"}
        assert isinstance(statement["Sid"], str)
        assert statement["Effect"] in ("Allow", "Deny")
        for texts in (*statement["Principal"].values(), statement["Action"], statement["Resource"]):
            assert isinstance(texts, list)
            assert all(isinstance(text, str) for text in texts)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("accounts/avatars/109/302/original/a.png", True),
        ("cache/accounts/avatars/109/302/original/a.png", True),
        ("cache/preview_cards/images/000/original/a.png", True),
        ("custom_emojis/images/000/original/a.png", True),
        ("media_attachments/files/109/original/a.png", True),
        ("preview_card_providers/icons/000/original/a.png", True),
        ("site_uploads/files/000/original/a.png", True),
        ("backups/dumps/000/original/archive.tar.gz", False),
        ("imports/data/000/original/follows.csv", False),
        ("accounts", False),
        ("postgresql/base.tar", False),
    ],
)
def test_what_mastodon_shows_is_readable_and_nothing_else(key: str, shown: bool) -> None:
    assert any(fnmatchcase(f"arn:aws:s3:::media/{key}", one) for one in OURS["Resource"]) == shown
