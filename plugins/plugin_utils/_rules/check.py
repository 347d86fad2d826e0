# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules about settings, asked in two rounds: what is wrong by itself or missing, then what does not go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError, all_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import (
    chart_environment,
    chart_values,
    disks,
    domains,
    edge,
    names,
    needs,
    sets,
)
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings, Spec
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

FIRST: tuple[Rules, ...] = (
    domains.RULES,
    needs.RULES,
    disks.RULES,
    chart_values.RULES,
    chart_environment.RULES,
)
TOGETHER: tuple[Rules, ...] = (edge.RULES, sets.RULES)
# What Rook is asked for may be too long though the names that it follows from are not.
_FOLLOWS = "rook_bucket"
# A kubeconfig may be given as its content; whoever reads it says what is wrong with it, and shows none of it.
_READ_ELSEWHERE = frozenset({"kubeconfig"})


@dataclass(frozen=True)
class Inventory:
    """What is set for one host: its variables, how one is worked out, and what the other hosts set themselves."""

    variables: Mapping[str, Any]
    read: Callable[[str], Any]
    neighbours: Mapping[str, Mapping[str, Any]]


def refuse_settings(inventory: Inventory, known: names.Known, play: Mapping[str, Spec], tags: Sequence[str]) -> None:
    """Raise CombinedError with all that is wrong. `play` are settings that no role but every task reads."""
    given = names.given(inventory.variables, known) | (inventory.variables.keys() & play.keys())
    options = {**play, **known.options}
    values, unread = _worked_out(inventory.read, given)
    unset = names.unset({**unread, **values}, known)
    judged = {name: value for name, value in values.items() if name not in _READ_ELSEWHERE}
    bad = wrong(judged | _following(inventory.read), options)
    settings = Settings(
        inventory.read, options, given=given, wrong={*bad, *unread, *unset}, neighbours=inventory.neighbours
    )
    problems = (
        names.misspelt_tags(inventory.variables, tags),
        names.misspelt(inventory.variables, known),
        unset.values(),
        # What follows from a setting that is missing is right when that is set.
        (problem for problem in unread.values() if not any(f"'{name}' is undefined" in problem for name in unset)),
        bad.values(),
        *(rules.problems(settings) for rules in FIRST),
    )
    if found := [*chain(*problems)]:
        raise CombinedError(found)
    all_of((lambda: _refuse_sizes(values), lambda: _refuse_together(settings, TOGETHER)))


def _worked_out(read: Callable[[str], Any], asked: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of settings, and why those that cannot be worked out cannot."""
    values, unread = {}, {}
    for name in sorted(asked):
        try:
            values[name] = read(name)
        except MastodonError as error:
            unread[name] = str(error)
    return values, unread


def _following(read: Callable[[str], Any]) -> dict[str, Any]:
    """Return what Rook is asked for, where it is and where that can be worked out."""
    with suppress(MastodonError):
        return {_FOLLOWS: read(_FOLLOWS)} if read("rook_backend") == "rook" else {}
    return {}


def refuse_contradictions(inventory: Inventory, roles: Path) -> None:
    """Raise CombinedError with what of the edge contradicts each other, whatever else may be wrong."""
    _refuse_together(Settings(inventory.read, names.options_of(roles), neighbours=inventory.neighbours), (edge.RULES,))


def _refuse_sizes(values: Mapping[str, Any]) -> list[str]:
    size(values)
    return []


def _refuse_together(settings: Settings, together: Iterable[Rules]) -> list[str]:
    if found := [problem for rules in together for problem in rules.problems(settings)]:
        raise CombinedError(found)
    return []
