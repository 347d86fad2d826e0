# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting of every role, changed once on a Mastodon that runs: safe, a restart, or refused. The docs tell which."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from . import defaults
from .changes import BASE, Launched, other, settings
from .conftest import ROOT

TABLE = ROOT / "docs/changing-settings.md"
SPECS = settings()
# All of them take minutes: lab/test --long does it. Without it those that are refused, and some of the others.
EVERY = bool(os.environ.get("TEST_EVERY_SETTING") or os.environ.get("UPDATE_DOCS"))
ONE_IN = 25
INTRODUCTION = """\
# Changing settings

What happens when one setting is changed on a Mastodon that runs. *Refused* is refused before anything is written, in check mode too, with
the value to put back; what can be moved by you is allowed once `mastodon_moved_from` names the place that you moved it from.
A *restart* is done pod by pod where there is more than one. Everything else is applied while Mastodon runs.

This table is written by `UPDATE_DOCS=1 pytest tests/unit/roles/test_changes.py`, which changes every setting of every role once.

| setting | what a change does |
|---|---|"""


@pytest.fixture(scope="module")
def launched() -> Iterator[Launched]:
    with pytest.MonkeyPatch.context() as patches:
        yield Launched(patches)


def documented() -> dict[str, str]:
    if not TABLE.exists():
        return {}
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE))


def chosen() -> list[str]:
    reported = documented()
    return [name for at, name in enumerate(SPECS) if EVERY or "refused" in reported.get(name, "") or at % ONE_IN == 0]


def summary(outcome: str) -> str:
    """Return an outcome as the table tells it: of a refusal only why."""
    refused, _unused, sentence = outcome.partition("refused: ")
    if refused or not sentence:
        return outcome
    return f"refused: {sentence.partition('. ')[0].rpartition(': ')[2]}"


def test_as_it_was_launched_nothing_is_refused_or_restarted(launched: Launched) -> None:
    assert launched.outcome("mastodon_locale", "en") == "safe"


@pytest.mark.parametrize("name", chosen())
def test_a_setting_that_is_changed_does_what_the_docs_tell(launched: Launched, name: str) -> None:
    spec = SPECS[name]
    value = other(name, spec, launched.site.value(name) if name in launched.site.variables else BASE.get(name))
    outcome = summary(launched.outcome(name, value))
    OUTCOMES[name] = outcome
    if not os.environ.get("UPDATE_DOCS"):
        assert documented()[name] == outcome


OUTCOMES: dict[str, str] = {}


def test_the_docs_tell_of_every_setting() -> None:
    if os.environ.get("UPDATE_DOCS"):
        reported = {name: outcome for name, outcome in (documented() | OUTCOMES).items() if name in SPECS}
        rows = [f"| `{name}` | {outcome} |" for name, outcome in sorted(reported.items())]
        TABLE.write_text("\n".join([INTRODUCTION, *rows, ""]), encoding="utf-8")
    assert documented().keys() == SPECS.keys()


def test_the_docs_tell_the_default_of_every_setting_that_follows_from_others() -> None:
    if os.environ.get("UPDATE_DOCS"):
        defaults.PAGE.write_text(defaults.page(), encoding="utf-8")
    assert defaults.PAGE.read_text(encoding="utf-8") == defaults.page()


def test_a_default_that_follows_from_nothing_is_in_the_documentation_of_every_setting() -> None:
    reported = defaults.computed().items()
    assert [name for name, default in reported if default is not None and "{{" not in str(default)] == []
