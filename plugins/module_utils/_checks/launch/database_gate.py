# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database is ready for the migrations of another minor series, from what it says of itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import (
    DUPLICATES,
    SERIES,
    acknowledgement,
    between,
    left_to_run,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Reader, Session

_sleep = time.sleep
# A migration waits for whoever holds a lock, and everybody else then waits for the migration.
_LONG_SECONDS = 60
# How much longer the transaction of a session lasts whose beginning is hidden.
_LASTING_SECONDS = 5
# CloudNativePG's own: https://cloudnative-pg.io/documentation/current/postgresql_conf/
_OPERATORS = ("postgres", "streaming_replica", "cnpg_pooler_pgbouncer", "cnpg_metrics_exporter")
# They hold a lock on every table until they end.
_DUMPS = ("pg_dump", "pg_dumpall", "pg_restore")
# An index that is built anew is written once to its place and once to the WAL, beside what Mastodon writes meanwhile.
_COPIES = 2
_MEANWHILE = 2**30


@dataclass(frozen=True)
class Contents:
    """What speaks for and against it. `same_uris` is counted only for a series that cares.

    `lasting` are the processes of sessions that hide when their transaction began, and were in the same one a while later. `pooled` is None
    where nobody knows. `sealed` is what is wrong with encrypted rows, and `largest` the largest index with its bytes.
    """

    migrations: frozenset[str]
    sessions: Sequence[Session]
    same_uris: int
    lasting: frozenset[int] = frozenset()
    pooled: bool | None = False
    backed_up: bool = False
    sealed: Sequence[str] = ()
    largest: tuple[str, int] = ("", 0)


def look(
    reader: Reader,
    running: Release,
    wanted: Release,
    sealed: Callable[[Reader], Sequence[str]],
) -> Contents:
    """Read what the rest of this file is about. `sealed` returns what is wrong with encrypted rows."""
    cares = any(SERIES[series].unique_uris for series in between(running.series, wanted.series))
    sessions = reader.sessions()
    return Contents(
        reader.migrations(),
        sessions,
        reader.same_uris() if cares else 0,
        _lasting(reader, sessions),
        reader.is_pooled(),
        reader.is_backed_up(),
        sealed(reader),
        reader.largest_index(),
    )


def _lasting(reader: Reader, sessions: Sequence[Session]) -> frozenset[int]:
    """Return the processes that hide when their transaction began, and do not end it."""
    hidden = {(one.pid, one.transaction) for one in sessions if one.hidden and one.transaction}
    if not hidden:
        return frozenset()
    _sleep(_LASTING_SECONDS)
    return frozenset(pid for pid, _transaction in hidden & {(one.pid, one.transaction) for one in reader.sessions()})


def problems(
    subject: str, found: Contents, running: Release, wanted: Release, accepted: Collection[str]
) -> Iterator[MastodonError]:
    """Yield what speaks against an upgrade."""
    left = left_to_run(running.series)
    if left and left not in found.migrations:
        yield MastodonError(
            subject,
            f"lacks migrations of {running}",
            f"{left}, which runs after a roll-out, never ran here",
            "Run bundle exec rake db:migrate in a pod of web first, at a quiet hour.",
        )
    yield from _of_access(subject, found)
    for why in found.sealed:
        remedy = "Write the right keys back to Vault first."
        yield MastodonError(subject, "holds what Mastodon cannot read", why, remedy)
    for series in between(running.series, wanted.series):
        name = acknowledgement(series, DUPLICATES)
        if SERIES[series].unique_uris and found.same_uris and name not in accepted:
            yield MastodonError(
                subject,
                f"has {found.same_uris} ActivityPub ids with more than one account",
                f"{wanted} merges them one by one while it migrates, which takes hours",
                f"Run bin/tootctl accounts fix-duplicates in a pod of web first, or set mastodon_upgrade_accept to [{name}].",
            )


def _of_access(subject: str, found: Contents) -> Iterator[MastodonError]:
    """Yield who or what would be in the way of migrations."""
    if found.pooled:
        why = "what answers there is a pooler, and migrations hold locks of a session, which it hands on to others"
        remedy = "Set mastodon_postgresql_direct_host and mastodon_postgresql_direct_port to the server itself."
        yield MastodonError(subject, "is not the database itself", why, remedy)
    if found.backed_up:
        why = "its snapshot keeps all that migrations replace, and its WAL grows by it"
        yield MastodonError(subject, "is being copied by a base backup", why, "Wait until it has ended.")
    for session in found.sessions:
        if why := _held(session, found.lasting):
            failed = f"is held by {session}"
            yield MastodonError(subject, failed, f"{why}, and migrations would wait for it", "Let it end, or end it.")


def _held(session: Session, lasting: Collection[int]) -> str:
    """Return why migrations would wait for a session, empty where they would not."""
    if session.application in _DUMPS:
        return "a dump holds a lock on every table"
    if session.seconds > _LONG_SECONDS:
        return f"it has been in a transaction for {session.seconds:.0f} seconds"
    if session.pid in lasting:
        return f"it has been in the same transaction for more than {_LASTING_SECONDS} seconds, of which the rest is hidden from us"
    return ""


def others(found: Contents, username: str) -> list[Session]:
    """Return who else reads or writes it and may lock what a migration changes."""
    return [one for one in found.sessions if one.user not in (username, *_OPERATORS)]


def crowded(free: Mapping[str, int], largest: tuple[str, int]) -> Iterator[MastodonError]:
    """Yield who has no room for the largest index once more, of `free` bytes by subject."""
    name, size = largest
    needed = _COPIES * size + _MEANWHILE
    for subject, left in free.items():
        if left < needed:
            why = f"{_mib(left)} are free, and building the largest index anew, {name}, may take {_mib(needed)}"
            yield MastodonError(subject, "has too little room for migrations", why, "Raise cnpg_cluster_storage_size.")


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"
