# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which migration runs, ran or failed, and of what, by the log of a Job of Mastodon's chart. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# https://github.com/rails/rails/blob/main/activerecord/lib/active_record/migration.rb, announce
_ANNOUNCED = re.compile(r"^== (?:\[[^\]]*\] )?(\d{14}) (\w+): (migrating|migrated \(([\d.]+)s\))")
# Rake names what ended it in the lines after this one.
_ABORTED = "rake aborted!"
# What Rails raises around the error itself, whose own words come below.
_WRAPPERS = ("StandardError: An error has occurred", "Caused by:", "Tasks: TOP", "(See full trace")
_ERROR = re.compile(r"^[A-Z]\w*(::[A-Z]\w*)*: ")


@dataclass(frozen=True)
class Migration:
    """One that was announced. `seconds` is None as long as it has not ended."""

    version: str
    name: str
    seconds: float | None = None

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"migration {self.version} {self.name}"


def announced(log: str) -> list[Migration]:
    """Return what a log announces, in order, each as it was left."""
    found: dict[str, Migration] = {}
    for line in log.splitlines():
        if match := _ANNOUNCED.match(line):
            version, name, _what, seconds = match.groups()
            found[version] = Migration(version, name, float(seconds) if seconds else None)
    return list(found.values())


def unfinished(found: Sequence[Migration]) -> Migration | None:
    """Return the one that was begun and has not ended."""
    return next((one for one in reversed(found) if one.seconds is None), None)


def cause(log: str) -> str:
    """Return in one line what ended a Job, as far as its log says it; empty where it says nothing."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if _ABORTED in lines:
        # Of several attempts in one log the last counts.
        after = lines[len(lines) - lines[::-1].index(_ABORTED) :]
        named = [line for line in after if not line.startswith(_WRAPPERS)]
        return next((line for line in named if _ERROR.match(line)), named[0] if named else "")
    return lines[-1] if lines else ""
