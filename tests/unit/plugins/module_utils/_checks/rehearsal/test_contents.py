# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restored database lacks is found, and what was written or deleted meanwhile is not taken for a loss."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.contents import (
    Archived,
    Contents,
    Ended,
    Rows,
    missing,
    short,
)

SCHEMA = frozenset({"20251023210145", "20260805130216"})
SEGMENT = "000000020000000000000005"
HISTORY = "1\t0/3000148\tno recovery target specified\n\n2\t0/5000148\tno recovery target specified\n"


def contents(newest: float = 1000.0, migrations: frozenset[str] = SCHEMA, **tables: Rows) -> Contents:
    return Contents(migrations, tables, newest)


def test_the_end_of_recovery_is_the_last_line_of_a_history() -> None:
    assert Ended.of(HISTORY) == Ended(2, 0x5000148)
    assert Ended.of("1\t1A/FF000000\tbefore 2026-11-29 03:00:00+00\n") == Ended(1, 0x1AFF000000)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "1\n", "one\t0/5\tx", "1\tzero\tx"])
def test_what_is_no_history_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A|split|invalid|unpack"):
        Ended.of(text)


@pytest.mark.parametrize("ended", [Ended(2, 0x5000001), Ended(2, 0x6000000), Ended(3, 0x1000000)])
def test_what_reaches_into_the_last_wal_that_was_archived_is_whole(ended: Ended) -> None:
    assert short(ended, Archived(SEGMENT, 1.0)) == ""


def test_without_the_last_wal_it_is_short() -> None:
    said = short(Ended(2, 0x5000000), Archived(SEGMENT, 1764385200.0))
    assert said.startswith(
        f"recovery ended at 0/5000000, before WAL {SEGMENT}, which the origin says it archived at 2025-11-29T03:00:00Z"
    )


def test_a_recovery_that_stopped_at_a_change_of_the_primary_is_short() -> None:
    assert "ended on timeline 1, and the origin has archived WAL of timeline 2" in short(
        Ended(1, 0x9000000), Archived(SEGMENT)
    )


def test_the_size_of_segments_counts() -> None:
    archived = Archived("000000010000000000000005", 1.0, 64 * 1024 * 1024)
    assert archived.begins == (1, 5 * 64 * 1024 * 1024)


def test_the_label_of_a_backup_is_archived_after_the_wal_that_it_names() -> None:
    assert Archived(f"{SEGMENT}.00000028.backup").begins == (2, 0x5000000)


@pytest.mark.parametrize("segment", ["", "00000002.history", f"{SEGMENT}.partial"])
def test_what_was_archived_and_is_no_segment_says_nothing(segment: str) -> None:
    assert short(Ended(1, 0), Archived(segment)) == ""


def test_the_same_is_whole() -> None:
    assert list(missing(contents(users=Rows(3, 2)), contents(users=Rows(3, 2)))) == []


def test_what_was_deleted_or_written_since_is_no_loss() -> None:
    restored = contents(users=Rows(9, 9), statuses=Rows(5, 5))
    assert list(missing(restored, contents(users=Rows(4, 4), statuses=Rows(70, 5)))) == []


def test_rows_that_nobody_touched_since_must_be_there() -> None:
    assert list(missing(contents(users=Rows(1, 1)), contents(users=Rows(3, 3)))) == ["2 of 3 rows of users are missing"]


def test_rows_between_the_newest_and_the_asked_time_are_missing() -> None:
    [said] = missing(contents(1764385200.0, users=Rows(1, 1)), contents(users=Rows(4, 1, 3)))
    assert said == "it ends too early, as its newest row is of 2025-11-29T03:00:00Z: 3 later rows of users are missing"


def test_a_table_that_is_missing_is_named() -> None:
    assert list(missing(contents(), contents(users=Rows(0)))) == ["it has no table users"]


def test_an_older_schema_is_of_before_an_upgrade_and_a_foreign_one_is_not() -> None:
    assert list(missing(contents(migrations=frozenset({"20251023210145"})), contents())) == []
    assert list(missing(contents(migrations=frozenset({"1"})), contents())) == [
        "its schema has what the origin's has not: migration 1"
    ]
    assert list(missing(contents(migrations=frozenset()), contents())) == [
        "it has no schema of Mastodon's (schema_migrations is empty or missing)"
    ]
