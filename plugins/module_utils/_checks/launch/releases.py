# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon's minor series: data only, written into docs/upgrade.md as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Minor = tuple[int, int]


@dataclass(frozen=True)
class Series:
    """One minor series: when its .0 was released, the oldest servers that it takes, and what its notes say of an upgrade to it.

    `last_migration` is one that runs after a roll-out to it, as its tree and those of all later series have it; empty where it has none.
    `no_way_back` is why the one before it cannot run any more afterwards, empty where it can be put back before the migrations that come last.
    With `unique_uris` accounts with the same ActivityPub id are merged one by one. `schema` is the newest migration of a release of it
    that is known, empty where none is.
    """

    released: str
    postgresql: str
    redis: str
    marks: str
    last_migration: str = ""
    no_way_back: str = ""
    unique_uris: bool = False
    schema: str = ""


# Servers: README.md and lib/tasks/db.rake of each .0. PostgreSQL 14.0 to 14.3 corrupt indexes: https://github.com/mastodon/mastodon/issues/32309
# Marks: "Upgrade overview" and notes of each .0, https://github.com/mastodon/mastodon/releases and CHANGELOG.md.
SERIES: Mapping[Minor, Series] = {
    (4, 2): Series("2023-09-21", "10", "4", "new search indexes: `tootctl search deploy`"),
    # https://github.com/mastodon/mastodon/pull/34748
    (4, 3): Series(
        "2024-10-08",
        "12",
        "4",
        "encryption keys must be there before the first pod starts; streaming has an image of its own",
        "20240307180905",
    ),
    # https://github.com/mastodon/mastodon/pull/34743; 4.5 and 4.6 have none: https://github.com/mastodon/mastodon/issues/36759
    (4, 4): Series("2025-07-08", "13", "6.2", "`OTP_SECRET` is gone; new queue `fasp`", "20250520192024"),
    # https://github.com/mastodon/mastodon/blob/v4.5.0/db/schema.rb, and those of 4.6.5 and 4.7.0
    (4, 5): Series("2025-11-06", "14.4", "7.0", "database migrations; streaming restarts", schema="20251023210145"),
    (4, 6): Series(
        "2026-06-17",
        "14.4",
        "7.0",
        "database migrations; streaming restarts; S3 uploads carry checksums",
        schema="20260611150940",
    ),
    # https://github.com/mastodon/mastodon/tree/main/db/post_migrate: migrate_local_account_keypairs, add_unique_index_on_accounts_uri
    (4, 7): Series(
        "2026-08-20",
        "14.4",
        "7.0",
        "unusually long database migrations; streaming restarts",
        "20260804081821",
        "its last migrations move every account's signing key, encrypted with Mastodon's own keys, to where no older release looks for it",
        unique_uris=True,
        schema="20260805130216",
    ),
}
NO_WAY_BACK, DUPLICATES, UNREHEARSED = "no_way_back", "duplicates", "unrehearsed"


def written(series: Minor) -> str:
    """Return a series as people write it."""
    return f"v{series[0]}.{series[1]}"


def acknowledgement(series: Minor, what: str = NO_WAY_BACK) -> str:
    """Return by what name people accept something of a series."""
    return f"{series[0]}.{series[1]}:{what}"


def left_to_run(running: Minor) -> str:
    """Return the newest migration known that must have run before a series is left; empty where none is known."""
    return max((one.last_migration for series, one in SERIES.items() if series <= running), default="")


def series_of(newest: str) -> Minor | None:
    """Return the series that a database is of at least, by its newest migration; None where it has none.

    What is older than all that is known is of the oldest one.
    """
    known = {series: one.schema or one.last_migration for series, one in SERIES.items()}
    found = [series for series, migration in known.items() if migration and migration <= newest]
    return max(found, default=min(SERIES)) if newest else None


def between(running: Minor, wanted: Minor) -> list[Minor]:
    """Return the series that an upgrade reaches."""
    return [series for series in SERIES if running < series <= wanted]
