# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since an earlier report: only what was looked at and found fine is mended."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.addresses import DEAD
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import LINKS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.changes import changes, earlier
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import CHECKS, NO_VERDICT
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Fault,
    Finding,
    Verdict,
    fine,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.inbox import DROPPED, RETRIED
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.nodeinfo import NO_LINK
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.tls import EXPIRED, LATE
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage, Way
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError

from .mastodon import HOST, Response, page
from .test_hostile import EVIL
from .test_places import without
from .world import ADDRESS, DECLARED, World

INBOX = "https://social.example.org/inbox"
LOST = DROPPED.at(INBOX, "403").of("inbox")
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
    assert found == {"since": before["at"], "new": ["dropped"], "changed": [], "mended": [], "unseen": [], "same": 1}
    shown = {**plain(LOST, ODD), "changes": changes(plain(LOST, ODD), earlier(written(before)))}
    said = list(lines(shown))
    assert said[1] == f"Since {before['at']}: 1 new, 0 changed, 0 mended, 0 not looked at this time, 1 as before"
    assert said[2] == ("new: https://social.example.org/inbox: refuses what others send in a way that is final: 403.")


def test_another_fact_of_the_same_fault_is_no_change() -> None:
    again = DROPPED.at("https://social.example.org/inbox", "404").of("inbox")
    assert (since(plain(LOST), again)["same"], since(plain(LOST), again)["new"]) == (1, [])


@pytest.mark.parametrize(
    ("now", "mended"),
    [
        ([fine(INBOX, "is well").of("inbox")], True),
        ([fine(INBOX, "is well").of("inbox"), Finding(Verdict.CANNOT_TELL, "b", "c", check="inbox")], True),
        ([fine(INBOX, "is well").of("inbox"), Finding(Verdict.CANNOT_TELL, INBOX, "c", check="inbox")], False),
        ([fine(INBOX, "is well").of("inbox"), Finding(Verdict.CANNOT_TELL, "Check inbox", "c", check="inbox")], False),
        ([fine("https://social.example.org/other", "is well").of("inbox")], False),
        ([skipped(INBOX, "the mode").of("inbox")], False),
        ([fine(INBOX, "is well").of("actor")], False),
        ([], False),
    ],
)
def test_only_what_was_found_fine_is_mended(now: list[Finding], mended: bool) -> None:
    found = since(plain(LOST), *now)
    assert (found["mended"], found["unseen"]) == ((["dropped"], []) if mended else ([], ["dropped"]))


ONE, OTHER = "https://social.example.org at 192.0.2.1", "https://social.example.org at 192.0.2.2"


def tls(fault: Fault, subject: str) -> Finding:
    return fault.at(subject, host="social.example.org", address="192.0.2.1").of("tls")


@pytest.mark.parametrize(
    ("before", "now", "was"),
    [
        (tls(LATE, ONE), [tls(EXPIRED, ONE)], f"{ONE}: shows a certificate that should have been renewed"),
        (tls(EXPIRED, ONE), [tls(EXPIRED, OTHER)], f"{ONE}: shows a certificate that has expired"),
        (LOST, [RETRIED.at(INBOX, "503").of("inbox")], f"{INBOX}: refuses what others send in a way that is final"),
    ],
)
def test_what_is_wrong_otherwise_than_before_is_neither_mended_nor_new(
    before: Finding, now: list[Finding], was: str
) -> None:
    found = changes(plain(*now), earlier(written(plain(before))))
    assert (found["new"], found["mended"], found["unseen"]) == ([], [], [])
    assert [(one["fault"], one["was"]) for one in found["changed"]] == [(now[0].fault, was)]
    said = list(lines({**plain(*now), "changes": found}))
    assert said[1].endswith(": 0 new, 1 changed, 0 mended, 0 not looked at this time, 0 as before")
    assert said[2] == f"changed: {now[0]} Before, {was}."


def test_one_address_is_mended_while_another_is_new() -> None:
    well = fine(ONE, "shows a certificate that is trusted").of("tls")
    found = since(plain(tls(EXPIRED, ONE)), well, tls(EXPIRED, OTHER))
    assert (found["new"], found["changed"], found["mended"]) == (["expired"], [], ["expired"])


def test_a_host_that_was_not_reached_is_not_mended_by_another_that_was() -> None:
    other = fine("https://example.org at 192.0.2.1", "shows a certificate that is trusted").of("tls")
    gone = skipped("https://social.example.org", "social.example.org was not reached").of("tls")
    found = since(plain(tls(EXPIRED, ONE)), other, gone)
    assert (found["mended"], found["unseen"]) == ([], ["expired"])


def test_a_host_is_mended_when_its_addresses_are_fine() -> None:
    before = plain(DEAD.at("social.example.org", address="192.0.2.1").of("addresses"))
    well = fine("social.example.org at 192.0.2.2", "takes connections").of("addresses")
    assert since(before, well)["mended"] == ["dead"]
    unknown = Finding(Verdict.CANNOT_TELL, "social.example.org at 192.0.2.1", "was not asked", check="addresses")
    assert since(before, well, unknown)["unseen"] == ["dead"]
    assert since(before, fine("social.example.org.example.net at 192.0.2.2", "").of("addresses"))["unseen"] == ["dead"]


def test_a_check_that_was_not_finished_is_mended_once_it_is() -> None:
    before = plain(NO_VERDICT.at("Check inbox").of("inbox"))
    assert since(before, fine(INBOX, "is well").of("inbox"))["mended"] == ["no-verdict"]
    assert since(before, skipped(INBOX, "the mode").of("inbox"))["unseen"] == ["no-verdict"]


BREAKS: Mapping[str, Callable[[World], object]] = {
    "gone": lambda world: world.change("/.well-known/nodeinfo", Response(410)),
    "dropped": lambda world: world.change("/inbox", page(403), method="POST"),
    "unwell": lambda world: world.change("/api/v1/streaming/health", Response(503)),
    "nowhere": lambda world: world.names.pop(HOST),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_a_look_found_wrong_and_the_next_found_fine_is_mended(world: World, name: str) -> None:
    names, answer = dict(world.names), world.answer
    BREAKS[name](world)
    broken = world.look()
    world.names.update(names)
    world.answer = answer
    now = world.look()
    found = changes(now.plain(now.findings), earlier(written(broken.plain(broken.findings))))
    assert name in {one["fault"] for one in found["mended"]}
    assert (found["new"], found["changed"], found["unseen"]) == ([], [], [])


def test_what_could_not_be_compared_again_is_not_mended(world: World) -> None:
    way, world.checks = world._way, ("addresses",)
    world.names[HOST] = [ADDRESS, "192.0.2.9"]
    world.serve("192.0.2.9").show(*world.authority.issue(HOST))

    def look(there: Way) -> Report:
        world.vantage = Vantage("Berlin", way, Vantage("Tokyo", there))
        return world.look()

    broken = look(without(way, {"192.0.2.9"}))
    before = earlier(written(broken.plain(broken.findings)))
    unseen, mended = look(without(way, {"192.0.2.9"}, errno.ENETUNREACH)), look(way)
    found = [changes(one.plain(one.findings), before) for one in (unseen, mended)]
    assert [[finding["fault"] for finding in one["mended"]] for one in found] == [[], ["by-place"]]
    assert [[finding["fault"] for finding in one["unseen"]] for one in found] == [["by-place"], []]


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
