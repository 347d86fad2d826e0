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

    `no_way_back` is why the one before it cannot run any more afterwards, empty where it can be put back before the migrations that come last.
    """

    released: str
    postgresql: str
    redis: str
    marks: str
    no_way_back: str = ""


# Servers: README.md and lib/tasks/db.rake of each .0. PostgreSQL 14.0 to 14.3 corrupt indexes: https://github.com/mastodon/mastodon/issues/32309
# Marks: "Upgrade overview" and notes of each .0, https://github.com/mastodon/mastodon/releases and CHANGELOG.md.
SERIES: Mapping[Minor, Series] = {
    (4, 2): Series("2023-09-21", "10", "4", "new search indexes: `tootctl search deploy`"),
    (4, 3): Series(
        "2024-10-08",
        "12",
        "4",
        "encryption keys must be there before the first pod starts; streaming has an image of its own",
    ),
    (4, 4): Series(
        "2025-07-08", "13", "6.2", "`OTP_SECRET` is gone, so all migrations of 4.3 must have run; new queue `fasp`"
    ),
    (4, 5): Series("2025-11-06", "14.4", "7.0", "database migrations; streaming restarts"),
    (4, 6): Series("2026-06-17", "14.4", "7.0", "database migrations; streaming restarts; S3 uploads carry checksums"),
    # https://github.com/mastodon/mastodon/blob/main/db/post_migrate/20260702144128_migrate_local_account_keypairs.rb
    (4, 7): Series(
        "2026-08-20",
        "14.4",
        "7.0",
        "unusually long database migrations; streaming restarts",
        "its last migrations move every account's signing key, encrypted with Mastodon's own keys, to where no older release looks for it",
    ),
}
NO_WAY_BACK = "no_way_back"


def acknowledgement(series: Minor) -> str:
    """Return by what name people accept that there is no way back from a series."""
    return f"{series[0]}.{series[1]}:{NO_WAY_BACK}"
