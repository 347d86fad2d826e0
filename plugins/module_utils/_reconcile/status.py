# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a status is, and how to read conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]
Verdict = Literal["Current", "InProgress", "Failed"]


@dataclass(frozen=True)
class Status:
    """Whether an object is as declared (Current), on its way (InProgress), or will not get there by itself (Failed)."""

    verdict: Verdict
    reason: str = ""
    message: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        """Return why, in words."""
        return self.message or self.reason or self.verdict


CURRENT = Status("Current")

# How to report the status of a kind.
Rule = Callable[[Item], Status]


def progressing(reason: str, message: str = "") -> Status:
    """Return that the object is not there yet."""
    return Status("InProgress", reason, message or reason)


def failed(reason: str, message: str = "", remedy: str = "") -> Status:
    """Return that waiting on will not help, and what would."""
    return Status("Failed", reason, message or reason, remedy)


@dataclass(frozen=True)
class Condition:
    """One entry of a `conditions` list. `status` is True, False or Unknown, as text."""

    type: str
    status: str
    reason: str
    message: str

    def text(self) -> str:
        """Return the message, or where there is none the reason."""
        return self.message or self.reason or f"{self.type} is {self.status}"


def conditions(holder: Mapping[str, Any], generation: int) -> dict[str, Condition]:
    """Return by type the conditions of `holder` that speak of this generation of the object."""
    return {
        condition.type: condition
        for entry in maps_at(holder, "conditions")
        if (condition := _condition(entry)).type and entry.get("observedGeneration", generation) == generation
    }


def _condition(entry: Mapping[str, Any]) -> Condition:
    status = at(entry, "status", "Unknown")
    return Condition(at(entry, "type", ""), status, at(entry, "reason", ""), at(entry, "message", ""))


def conditions_of(item: Item) -> dict[str, Condition]:
    """Return by type the conditions of an object that speak of its latest generation."""
    return conditions(at(item, "status", {}), at(item, "metadata.generation", 0))


def require(found: Mapping[str, Condition], *types: str) -> Status:
    """Return Current when all these conditions are True, otherwise what the first other one says."""
    for name in types:
        condition = found.get(name)
        if condition is None:
            return progressing(f"{name}Unknown", f"its controller has not set the condition {name} yet")
        if condition.status != "True":
            return progressing(condition.reason or name, condition.text())
    return CURRENT
