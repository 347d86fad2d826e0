# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule about settings is: one function that yields one sentence for each thing that is wrong.

Each has an example among the mistakes that are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

Spec = Mapping[str, Any]


class UnclearError(Exception):
    """A rule read a setting whose value is wrong by itself, which is reported already."""


class Settings:
    """The settings of one cluster, defaults included, each worked out when a rule reads it first.

    `given` are those that the inventory sets itself, `wrong` those whose values can't be meant; `neighbours` has what the
    inventory's other clusters set themselves, by host.
    """

    def __init__(
        self,
        read: Callable[[str], Any],
        options: Mapping[str, Spec],
        *,
        given: Collection[str] = (),
        wrong: Collection[str] = (),
        neighbours: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._read = read
        self._options = options
        self._wrong = wrong
        self._values: dict[str, Any] = {}
        self.given = given
        self.neighbours = neighbours or {}

    def __getitem__(self, name: str) -> Any:
        """Return the value of a setting in the type of its argument spec."""
        if name in self._wrong:
            raise UnclearError(name)
        if name not in self._values:
            value = self._worked_out(name)
            self._values[name] = _coerced(name, value, self._options[name]) if name in self._options else value
        return self._values[name]

    def _worked_out(self, name: str) -> Any:
        try:
            return self._read(name)
        except MastodonError as error:
            # It may follow from what is wrong or missing.
            raise UnclearError(name) if self._wrong else error from error


Rule = Callable[[Settings], Iterator[str]]
Applies = Callable[[Settings], bool]


class Rules:
    """Rules of one theme."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def __iter__(self) -> Iterator[Rule]:
        """Return each rule."""
        return iter(self._rules)

    def rule(self, rule: Rule) -> Rule:
        """Add a rule; decorates it."""
        self._rules.append(rule)
        return rule

    def needed(self, variable: str, *, because: str, unless: str) -> Callable[[Applies], Applies]:
        """Add the rule that a setting is needed where the function that is decorated says so."""

        def decorate(applies: Applies) -> Applies:
            def rule(settings: Settings) -> Iterator[str]:
                if applies(settings) and not settings[variable]:
                    yield missing(variable, because, unless)

            rule.__name__ = applies.__name__
            self.rule(rule)
            return applies

        return decorate

    def problems(self, settings: Settings) -> list[str]:
        """Return what all rules say. One that comes to what is wrong by itself says no more."""
        return [problem for rule in self for problem in _asked(rule, settings)]


def missing(variable: str, because: str, unless: str) -> str:
    """Return that a setting is needed because of another one."""
    return f"Variable {variable}: missing: {because}. Set it in your inventory, or set {unless}."


def _asked(rule: Rule, settings: Settings) -> list[str]:
    found: list[str] = []
    with suppress(UnclearError):
        # What it found before it came to what is unclear stays found.
        for sentence in rule(settings):
            found.append(sentence)
    return found


def _coerced(name: str, value: Any, spec: Spec) -> Any:
    """Return a right value in the type of its argument spec: the command line gives text for everything."""
    bare = {key: item for key, item in spec.items() if key in ("type", "elements", "options", "no_log")}
    found = ArgumentSpecValidator({name: bare}).validate({name: value})
    return value if found.error_messages else found.validated_parameters[name]
