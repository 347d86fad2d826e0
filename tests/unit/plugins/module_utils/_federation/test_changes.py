# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since an earlier report: only what was looked at and found fine is mended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import LINKS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.changes import changes, earlier
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import CHECKS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Finding,
    Verdict,
    fine,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.inbox import DROPPED
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.nodeinfo import NO_LINK
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError

from .test_hostile import EVIL
from .world import DECLARED

LOST = DROPPED.at("https://social.example.org/inbox", "403").of("inbox")
ODD = NO_LINK.at("https://example.org/.well-known/nodeinfo").of("nodeinfo")


def plain(*findings: Finding, vantage: str = "here") -> dict[str, Any]:
    return dict(Report(DECLARED, vantage, findings).plain(findings))


def written(*instances: Mapping[str, Any]) -> bytes:
    return json.dumps({"format": 1, "instances": instances}).encode()


def since(before: Mapping[str, Any], *now: Finding) -> dict[str, Any]:
    found = changes(plain(*now), earlier(written(before)))
    return {key: [one["fault"] for one in value] if isinstance(value, list) else value for key, value in found.items()}


def test_what_is_new_comes_first_and_what_stayed_is_counted() -> None:
    before = plain(ODD)
    found = since(before, LOST, ODD)
    assert found == {"since": before["at"], "new": ["dropped"], "mended": [], "unseen": [], "same": 1}
    shown = {**plain(LOST, ODD), "changes": changes(plain(LOST, ODD), earlier(written(before)))}
    said = list(lines(shown))
    assert said[1] == f"Since {before['at']}: 1 new, 0 mended, 0 not looked at this time, 1 as before"
    assert said[2] == ("new: https://social.example.org/inbox: refuses what others send in a way that is final: 403.")


def test_another_fact_of_the_same_fault_is_no_change() -> None:
    again = DROPPED.at("https://social.example.org/inbox", "404").of("inbox")
    assert (since(plain(LOST), again)["same"], since(plain(LOST), again)["new"]) == (1, [])


@pytest.mark.parametrize(
    ("now", "mended"),
    [
        ([fine("a", "is well").of("inbox")], True),
        ([skipped("a", "the mode").of("inbox")], False),
        ([fine("a", "is well").of("inbox"), Finding(Verdict.CANNOT_TELL, "b", "c", check="inbox")], False),
        ([fine("a", "is well").of("actor")], False),
        ([], False),
    ],
)
def test_only_what_was_found_fine_is_mended(now: list[Finding], mended: bool) -> None:
    found = since(plain(LOST), *now)
    assert (found["mended"], found["unseen"]) == ((["dropped"], []) if mended else ([], ["dropped"]))


def test_another_place_and_another_instance_are_not_compared() -> None:
    assert since(plain(LOST, vantage="there"), ODD) == {}
    assert since({**plain(LOST), "domain": "example.com"}, ODD) == {}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 2, "instances": []}',
        b'{"format": 1, "instances": [1]}',
        b'{"format": 1, "instances": [{"findings": [{"fault": "a"}], "domain": "a", "vantage": "b", "at": "c"}]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_report_is_not_compared(text: bytes) -> None:
    with pytest.raises(WrongShapeError):
        earlier(text)


def test_what_an_earlier_report_says_is_shown_as_all_that_others_write() -> None:
    before = plain(LOST)
    before["findings"] = [{**before["findings"][0], "subject": EVIL, "fact": EVIL}]
    before["at"] = EVIL
    shown = {**plain(), "changes": changes(plain(), earlier(written(before)))}
    assert [line for line in lines(shown) if not line.isprintable()] == []


def test_every_check_is_a_part_of_one_link() -> None:
    named = [check for checks in LINKS.values() for check in checks]
    assert sorted(named) == sorted(check.name for check in CHECKS)
