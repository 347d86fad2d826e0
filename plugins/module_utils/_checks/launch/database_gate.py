# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database is ready for the migrations of another minor series, from what it says of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
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

# A migration waits for whoever holds a lock, and everybody else then waits for the migration.
_LONG_SECONDS = 60
# CloudNativePG's own: https://cloudnative-pg.io/documentation/current/postgresql_conf/
_OPERATORS = ("postgres", "streaming_replica", "cnpg_pooler_pgbouncer", "cnpg_metrics_exporter")


@dataclass(frozen=True)
class Contents:
    """What speaks for and against it. `same_uris` is counted only for a series that cares."""

    migrations: frozenset[str]
    sessions: Sequence[Session]
    same_uris: int


def look(reader: Reader, running: Release, wanted: Release) -> Contents:
    """Read what the rest of this file is about."""
    cares = any(SERIES[series].unique_uris for series in between(running.series, wanted.series))
    return Contents(reader.migrations(), reader.sessions(), reader.same_uris() if cares else 0)


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
    for session in found.sessions:
        if session.seconds > _LONG_SECONDS:
            why = f"it has been in a transaction for {session.seconds:.0f} seconds, and migrations would wait for it"
            yield MastodonError(subject, f"is held by {session}", why, "Let it end, or end it.")
    for series in between(running.series, wanted.series):
        name = acknowledgement(series, DUPLICATES)
        if SERIES[series].unique_uris and found.same_uris and name not in accepted:
            yield MastodonError(
                subject,
                f"has {found.same_uris} ActivityPub ids with more than one account",
                f"{wanted} merges them one by one while it migrates, which takes hours",
                f"Run bin/tootctl accounts fix-duplicates in a pod of web first, or set mastodon_upgrade_accept to [{name}].",
            )


def others(found: Contents, username: str) -> list[Session]:
    """Return who else reads or writes it and may lock what a migration changes."""
    return [one for one in found.sessions if one.user not in (username, *_OPERATORS)]
