# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule has an example among the mistakes of tests/wrong_config, in which it says what that file says it must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.check import FIRST, TOGETHER
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import (
    Rule,
    Rules,
    Settings,
    UnclearError,
)
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

from ....roles.conftest import Site

ROOT = Path(__file__).parents[5]
OPTIONS = load(ROOT / "roles").options
MISTAKES = {
    file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / "tests/wrong_config/mistakes").glob("*.yml")
}
# Of values that can be meant; the others are refused before a rule reads them.
EXAMPLES = [name for name, mistake in MISTAKES.items() if not wrong(mistake["settings"], OPTIONS)]
# What the lab's inventory sets, in which the mistakes are made.
SOUND: dict[str, Any] = {
    "gateway_media_hostname": "media.example.org",
    "mastodon_admin_email": "owner@example.org",
    "mastodon_admin_username": "owner",
    "rook_backend": "rook",
    "rook_storage": {"deviceFilter": "^none$"},
}
RULES = [rule for rules in (*FIRST, *TOGETHER) for rule in rules]


@cache
def settings(name: str) -> Settings:
    """Return the settings of the cluster whose inventory has one mistake; those of all others are its neighbours."""
    own: dict[str, Any] = MISTAKES[name]["settings"]
    neighbours = {other: mistake["settings"] for other, mistake in MISTAKES.items() if other != name}
    return Settings(Site(**SOUND | own).value, OPTIONS, given=own.keys(), neighbours=neighbours)


def about(rule: Rule, mistake: str) -> set[str]:
    """Return the variables that a rule speaks of when it is asked about a mistake."""
    try:
        return {sentence.partition(": ")[0] for sentence in rule(settings(mistake))}
    except KeyError:
        return set()


def test_what_a_rule_found_before_an_unclear_setting_is_reported() -> None:
    rules = Rules()

    @rules.rule
    def two_findings(_settings: Settings) -> Iterator[str]:
        yield "the first"
        raise UnclearError

    assert rules.problems(Settings(Site().value, OPTIONS)) == ["the first"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_an_example(rule: Rule) -> None:
    assert list(rule(Settings(Site(**SOUND).value, OPTIONS))) == []
    assert any(MISTAKES[name]["says"].partition(": ")[0] in about(rule, name) for name in EXAMPLES)


def test_what_rules_read_has_a_default_wherever_they_are_asked() -> None:
    files = [
        ROOT / f"plugins/plugin_utils/_rules/{name}.py"
        for name in ("domains", "edge", "needs", "disks", "chart_values")
    ]
    read = {
        name
        for file in files
        for name in re.findall(r'(?:settings\[|needed\(\s*)"(\w+)"', file.read_text(encoding="utf-8"))
    }
    defaults = [yaml.safe_load(file.read_text()) or {} for file in ROOT.glob("roles/*/defaults/main.yml")]
    assert len(read) > 40
    assert sorted(read & OPTIONS.keys() - {name for found in defaults for name in found}) == sorted(
        name for name in read & OPTIONS.keys() if OPTIONS[name].get("required")
    )
    assert read <= OPTIONS.keys()


def test_the_names_of_rules_are_their_own() -> None:
    names = [rule.__name__ for rule in RULES]
    assert len(names) == len(set(names))
