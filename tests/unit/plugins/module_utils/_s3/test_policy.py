# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import SID, with_public_read

OURS = {
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
        ({"Statement": [{**OURS, "Resource": ["arn:aws:s3:::old/*"]}, THEIRS]}, [THEIRS, OURS]),
        ({"Statement": [OURS]}, [OURS]),
    ],
)
def test_only_our_statement_is_added_or_replaced(before: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    assert with_public_read(before, "media")["Statement"] == statements


def test_the_policys_own_version_and_name_stay() -> None:
    after = with_public_read({"Version": "2008-10-17", "Id": "mine", "Statement": []}, "media")
    assert (after["Version"], after["Id"]) == ("2008-10-17", "mine")
