# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a restored database is what its origin was. Pure.

Rows that nobody has touched since must be in both; what was written or deleted meanwhile may not, or still, be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written

# What was written in the last moments may have been committed a little later.
SLACK = 60.0
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.[0-9A-F]{8}\.backup)?")


@dataclass(frozen=True)
class Rows:
    """How many a table has, how many of them nobody has written since a while before a moment, and how many were after it."""

    count: int
    until: int = 0
    between: int = 0


@dataclass(frozen=True)
class Contents:
    """What is in a database. `migrations` are those of its schema; `newest` is the moment that its rows were counted by."""

    migrations: frozenset[str]
    tables: Mapping[str, Rows] = field(default_factory=dict)
    newest: float = 0.0


@dataclass(frozen=True)
class Archived:
    """What PostgreSQL last archived, as it says itself. Empty for one that has just become the primary."""

    segment: str = ""
    at: float = 0.0
    segment_bytes: int = 16 * 1024 * 1024

    @property
    def moment(self) -> datetime | None:
        """Return when, None when it has not."""
        return datetime.fromtimestamp(int(self.at), UTC) if self.at else None

    @property
    def begins(self) -> tuple[int, int] | None:
        """Return timeline and position at which the segment begins; None for what is not one."""
        found = _SEGMENT.fullmatch(self.segment)
        if found is None:
            return None
        timeline, log, number = (int(found[part], 16) for part in (1, 2, 3))
        return timeline, (log << 32) + number * self.segment_bytes


@dataclass(frozen=True)
class Ended:
    """On which timeline recovery ended, and where."""

    timeline: int
    position: int

    @classmethod
    def of(cls, history: str) -> Ended:
        """Read the last line of a timeline's history, `<timeline> <position> <reason>`. Raises ValueError for any other text.

        https://github.com/postgres/postgres/blob/master/src/backend/access/transam/timeline.c
        """
        lines = [
            line.split(None, 2) for line in history.splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]
        if not lines or len(lines[-1]) < 2:
            raise ValueError(history)
        timeline, position = lines[-1][:2]
        high, low = position.split("/")
        return cls(int(timeline), (int(high, 16) << 32) + int(low, 16))


def short(ended: Ended, archived: Archived) -> str:
    """Return why what was restored ends before what was in the archive when the rehearsal began; empty when it does not."""
    if archived.begins is None:
        return ""
    timeline, position = archived.begins
    where = f"{ended.position >> 32:X}/{ended.position & 0xFFFFFFFF:X}"
    if ended.timeline < timeline:
        return (
            f"recovery ended on timeline {ended.timeline}, and the origin has archived WAL of timeline {timeline}: what was"
            " written since its primary changed is missing"
        )
    if ended.timeline == timeline and ended.position <= position:
        return (
            f"recovery ended at {where}, before WAL {archived.segment}, which the origin says it archived at"
            f" {moment(archived.at)}: that, or WAL before it, is not in the bucket any more"
        )
    return ""


def missing(restored: Contents, origin: Contents) -> Iterator[str]:
    """Yield what a restored database lacks; `until` and `between` of both were counted by the same moments."""
    if not restored.migrations:
        yield "it has no schema of Mastodon's (schema_migrations is empty or missing)"
    if odd := restored.migrations - origin.migrations:
        yield f"its schema has what the origin's has not: migration {', '.join(sorted(odd)[:3])}"
    for name, rows in origin.tables.items():
        there = restored.tables.get(name)
        if there is None:
            yield f"it has no table {name}"
        elif there.until < rows.until:
            yield f"{rows.until - there.until} of {rows.until} rows of {name} are missing"
        elif rows.between:
            newest = moment(restored.newest) or "never"
            yield f"it ends too early, as its newest row is of {newest}: {rows.between} later rows of {name} are missing"


def moment(seconds: float) -> str:
    """Return a time in seconds since 1970 as people read it, empty for none."""
    return written(datetime.fromtimestamp(int(seconds), UTC)) if seconds else ""
