# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A time that cannot be restored to is refused with both ends of what can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import (
    Taken,
    Window,
    read,
    refuse_outside,
    written,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

DAY = datetime(2026, 11, 29, tzinfo=UTC)
FIRST = Taken("mastodon-db-1", DAY + timedelta(hours=1), DAY + timedelta(hours=2))
SECOND = Taken("mastodon-db-2", DAY + timedelta(hours=5), DAY + timedelta(hours=6))
NOW = DAY + timedelta(hours=9)
WINDOW = Window("Cluster mastodon/mastodon-db", FIRST.ended, DAY + timedelta(hours=8), (FIRST, SECOND))


def refusal(wanted: datetime, window: Window = WINDOW) -> str:
    with pytest.raises(MastodonError) as caught:
        refuse_outside(wanted, window, NOW)
    return str(caught.value)


@pytest.mark.parametrize("hours", [2, 3, 5.5, 8])
def test_a_time_in_the_window_is_taken_also_inside_of_a_later_backup(hours: float) -> None:
    refuse_outside(DAY + timedelta(hours=hours), WINDOW, NOW)


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (0.5, "its first backup was complete only later"),
        (
            1.5,
            "that is inside its first backup, mastodon-db-1, which was taken from 2026-11-29T01:00:00Z to 2026-11-29T02:00:00Z",
        ),
        (8.5, "PostgreSQL has archived nothing since"),
        (10, "that is in the future, it is 2026-11-29T09:00:00Z"),
    ],
)
def test_any_other_time_is_refused_with_its_reason_and_both_ends(hours: float, why: str) -> None:
    said = refusal(DAY + timedelta(hours=hours))
    assert said.startswith("Cluster mastodon/mastodon-db: cannot be restored to ")
    assert why in said
    assert "Choose a time from 2026-11-29T02:00:00Z until 2026-11-29T08:00:00Z, or leave at out for the newest." in said


def test_a_primary_that_has_archived_nothing_yet_limits_no_time() -> None:
    window = Window("Cluster a/b", FIRST.ended, None)
    refuse_outside(NOW, window, NOW)
    assert "from 2026-11-29T02:00:00Z until now" in refusal(DAY, window)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-29T03:00:00Z", DAY + timedelta(hours=3)),
        ("2026-11-29T04:00:00+01:00", DAY + timedelta(hours=3)),
        ("2026-11-29 03:00:00.25Z", DAY + timedelta(hours=3, seconds=0.25)),
    ],
)
def test_a_time_is_read_with_its_zone(text: str, moment: datetime) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    ("text", "failed"),
    [("yesterday", "is not a time"), ("2026-11-29T03:00:00", "has no time zone"), ("1764385200", "is not a time")],
)
def test_what_is_no_time_or_has_no_zone_is_refused(text: str, failed: str) -> None:
    with pytest.raises(MastodonError, match=f"Option at: {failed}: {text}. Write it with its time zone"):
        read(text)


def test_a_time_is_written_in_utc_as_cloudnativepg_reads_it() -> None:
    assert written(datetime(2026, 11, 29, 4, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-29T03:00:00Z"
    assert written(DAY + timedelta(seconds=0.25)) == "2026-11-29T00:00:00.250000Z"
