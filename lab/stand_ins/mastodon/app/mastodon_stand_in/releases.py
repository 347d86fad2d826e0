# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each release of Mastodon asks of its servers, from README.md and lib/tasks/db.rake at each release."""

from __future__ import annotations

from dataclasses import dataclass

from mastodon_stand_in.errors import RefusalError

Minor = tuple[int, int]


@dataclass(frozen=True)
class Release:
    """A minor series. `zero_downtime_from` is the schema below which post-deployment migrations can't be put off."""

    minor: Minor
    postgresql: int
    redis: tuple[int, int]
    zero_downtime_from: str


RELEASES = (
    Release((4, 5), postgresql=14, redis=(7, 0), zero_downtime_from="20230907150100"),
    Release((4, 6), postgresql=14, redis=(7, 0), zero_downtime_from="20230907150100"),
    Release((4, 7), postgresql=14, redis=(7, 0), zero_downtime_from="20241007071624"),
)


def release(version: str) -> Release:
    """Return the series of a version such as 4.7.2."""
    minor = parsed(version)[:2]
    for known in RELEASES:
        if known.minor == minor:
            return known
    raise RefusalError(f"STAND_IN_VERSION: {version} is of no series that the stand-in knows. Use another image tag.")


def parsed(version: str) -> tuple[int, ...]:
    """Return a version's numbers; what follows the first part that is none is left out."""
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)
