# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a restored database is what its origin was. Pure.

Rows that nobody has touched since must be in both; what was written or deleted meanwhile may not, or still, be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written

# What was written in the last moments may have been committed a little later.
SLACK = 60.0
# Also of a timeline's history, and of the last segment of a timeline, which is archived as far as it was written:
# https://github.com/postgres/postgres/blob/master/src/include/access/xlog_internal.h
_NAME = re.compile(r"([0-9A-F]{8})(?:([0-9A-F]{8})([0-9A-F]{8})(\.[0-9A-F]{8}\.backup|\.partial)?|\.history)")
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Rows:
    """How many a table has, how many of them nobody has written since a while before a moment, and how many were after it."""

    count: int
    until: int = 0
    between: int = 0


@dataclass(frozen=True)
class Contents:
    """What is in a database. `migrations` are those of its schema; `newest` is the moment that its rows were counted by.

    `sealed` are the rows of columns that are encrypted.
    """

    migrations: frozenset[str]
    tables: Mapping[str, Rows] = field(default_factory=dict)
    newest: float = 0.0
    sealed: Mapping[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True)
class Archived:
    """What PostgreSQL last archived, as it says itself; `segment` is empty for one that has just become the primary.

    `timeline` is the one that it writes, and `redo` where its last checkpoint on that begins, zero when it does not say; `position` is
    how far it had written then.
    """

    segment: str = ""
    at: float = 0.0
    segment_bytes: int = 16 * 1024 * 1024
    timeline: int = 0
    redo: int = 0
    position: int = 0

    @property
    def moment(self) -> datetime | None:
        """Return when, None when it has not."""
        return datetime.fromtimestamp(int(self.at), UTC) if self.at else None

    @property
    def reach(self) -> Ended | None:
        """Return the timeline that recovery has to end on, and a position that it has to get past; None when neither is known."""
        named, begins = self._named()
        timeline = max(named, self.timeline)
        if begins is not None and named == timeline:
            return Ended(timeline, begins)
        if not (timeline and self.redo):
            return None
        # The segment before that of a checkpoint is complete.
        return Ended(timeline, max(0, self.redo - self.redo % self.segment_bytes - self.segment_bytes))

    def _named(self) -> tuple[int, int | None]:
        """Return the timeline that its name has, zero for none, and where the last segment begins that is whole by it."""
        found = _NAME.fullmatch(self.segment)
        if found is None:
            return 0, None
        if found[2] is None:
            return int(found[1], 16), None
        timeline, log, number = (int(found[part], 16) for part in (1, 2, 3))
        begins = (log << 32) + number * self.segment_bytes
        return timeline, max(0, begins - self.segment_bytes) if found[4] == _PARTIAL else begins

    @property
    def until(self) -> float:
        """Return up to when rows must have been archived, zero where that is not known: no WAL that was complete was waiting."""
        named, begins = self._named()
        whole = begins is not None and named >= self.timeline and not self.segment.endswith(_PARTIAL)
        return (
            self.at - SLACK if begins is not None and whole and self.position < begins + 2 * self.segment_bytes else 0.0
        )


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
    reach = archived.reach
    if reach is None:
        return (
            "the origin does not say what it archived last, so that nothing proves that what was restored is all of it: run again"
            " when it has archived WAL, which it does within five minutes after something was written"
        )
    if ended.timeline < reach.timeline:
        return (
            f"recovery ended on timeline {ended.timeline}, and the origin is on timeline {reach.timeline}: what was"
            " written since its primary changed is missing"
        )
    if ended.position > reach.position:
        return ""
    where, when = _place(ended.position), moment(archived.at)
    if archived.segment and when:
        last = f"WAL {archived.segment}, which the origin says it archived at {when}"
    else:
        last = f"{_place(reach.position)}, which the origin wrote before its last checkpoint"
    return f"recovery ended at {where}, before {last}: that, or WAL before it, is not in the bucket any more"


def _place(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def unseen(tables: Iterable[str], required: Iterable[str]) -> str:
    """Return that tables are not there of which nothing could be compared; empty when all are."""
    lacking = [name for name in required if name not in tables]
    return f"schema public has no table {', '.join(lacking)}" if lacking else ""


def missing(restored: Contents, origin: Contents) -> Iterator[str]:
    """Yield what a restored database lacks; `until` and `between` of both were counted by the same moments."""
    if not restored.migrations:
        yield "it has no schema of Mastodon's (schema_migrations is empty or missing)"
    if odd := restored.migrations - origin.migrations:
        yield f"its schema has what the origin's has not: migration {', '.join(sorted(odd)[:3])}"
    if not restored.newest and any(rows.count for rows in origin.tables.values()):
        counts = ", ".join(f"{rows.count} {name}" for name, rows in origin.tables.items() if rows.count)
        yield f"it has no row at all, and the origin has {counts}"
        return
    yield from (f"it has no table {name}" for name in origin.tables if name not in restored.tables)
    is_older = bool(origin.migrations - restored.migrations)
    yield from (f"it has no column {name}" for name in origin.sealed if name not in restored.sealed and not is_older)
    yield from _fewer({**restored.tables, **restored.sealed}, {**origin.tables, **origin.sealed}, restored.newest)


def _fewer(restored: Mapping[str, Rows], origin: Mapping[str, Rows], newest: float) -> Iterator[str]:
    for name, rows in origin.items():
        there = restored.get(name)
        if there and there.until < rows.until:
            yield f"{rows.until - there.until} of {rows.until} rows of {name} are missing"
        elif there and rows.between:
            when = moment(newest) or "never"
            yield f"it ends too early, as its newest row is of {when}: {rows.between} later rows of {name} are missing"


def moment(seconds: float) -> str:
    """Return a time in seconds since 1970 as people read it, empty for none."""
    return written(datetime.fromtimestamp(int(seconds), UTC)) if seconds else ""
