# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check starts failed: what does not say that something is fine has found nothing fine."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import examine, fleet
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Finding,
    Verdict,
    fine,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import HERE

from . import zones
from .world import DECLARED, World, faults


def nothing(_scene: Scene) -> Iterator[Finding]:
    yield from ()


def half(_scene: Scene) -> Iterator[Finding]:
    yield fine("a", "is well")
    raise KeyError("secret")


def test_a_check_that_says_nothing_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "CHECKS", (Check("empty", "", (), nothing),))
    report = world.look()
    assert faults(report) == ["CUT Check empty: ended without a verdict."]
    assert not report.passed


def test_an_error_that_nobody_foresaw_fails_its_check_and_no_other_and_shows_no_value(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Check("whole", "", (), lambda _scene: iter([fine("b", "is well")]))
    monkeypatch.setattr(examine, "CHECKS", (Check("half", "", (), half), whole))
    report = world.look()
    (said,) = faults(report)
    assert said.startswith("CUT Check half: ended without a verdict: KeyError at ")
    assert "secret" not in said
    assert [str(one) for one in report.findings if one.verdict is Verdict.FINE] == ["a: is well.", "b: is well."]
    assert not report.passed


def test_an_error_of_who_knows_causes_takes_nothing_of_what_was_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(_scene: Scene, _findings: Sequence[Finding]) -> Sequence[Finding]:
        raise KeyError("secret")

    whole = Check("whole", "", (), lambda _scene: iter([fine("b", "is well")]))
    monkeypatch.setattr(examine, "CHECKS", (whole,))
    world.explain = explain
    found = [str(one) for one in world.look().findings]
    assert "b: is well." in found
    [told] = [one for one in found if one.startswith("The causes: were not looked for")]
    assert "KeyError at " in told
    assert "secret" not in told


def test_an_error_at_one_instance_is_its_own_and_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def examined(target: Target, *_unused: Any, **_unused_too: Any) -> Report:
        if target.domain == "bad.example.org":
            raise KeyError("secret")
        return Report(target, "here", [fine("b", "is well")])

    monkeypatch.setattr(fleet, "examine", examined)
    resolver, trust = Resolver(zones.RESOLVER), ssl.create_default_context()
    targets = [replace(DECLARED, domain="bad.example.org"), DECLARED]
    bad, good = fleet.examine_all(targets, HERE, resolver, trust)
    assert [str(one) for one in good.findings] == ["b: is well."]
    [told] = bad.findings
    assert str(told).startswith("bad.example.org: ended without a verdict: KeyError at ")
    assert (bad.passed, told.verdict, "secret" in str(told)) == (False, Verdict.CUT, False)


def test_where_nothing_is_fine_nothing_has_passed() -> None:
    for findings in ([], [skipped("a", "b")], [Finding(Verdict.CANNOT_TELL, "a", "b")]):
        assert not Report(DECLARED, "here", findings).passed
    assert Report(DECLARED, "here", []).verdict is Verdict.LOST
    assert not Report(DECLARED, "here", [skipped("a", "b"), fine("a", "b")]).passed
    proof = [fine("a", "b").of("inbox"), fine("a", "b").of("actor")]
    assert Report(DECLARED, "here", [skipped("a", "b"), *proof]).passed
    late = Finding(Verdict.CANNOT_TELL, "Check webfinger", "was not finished", check="webfinger", unseen=True)
    assert not Report(DECLARED, "here", [*proof, late]).passed
