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
    unseen,
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


@pytest.mark.parametrize("ended", [Ended(2, 0x5000001), Ended(2, 0x6000000), Ended(3, 0x6000000)])
def test_what_reaches_into_the_last_wal_that_was_archived_is_whole(ended: Ended) -> None:
    assert short(ended, Archived(SEGMENT, 1.0)) == ""


def test_without_the_last_wal_it_is_short() -> None:
    said = short(Ended(2, 0x5000000), Archived(SEGMENT, 1764385200.0))
    assert said.startswith(
        f"recovery ended at 0/5000000, before WAL {SEGMENT}, which the origin says it archived at 2025-11-29T03:00:00Z"
    )


def test_a_recovery_that_stopped_at_a_change_of_the_primary_is_short() -> None:
    assert "ended on timeline 1, and the origin is on timeline 2" in short(Ended(1, 0x9000000), Archived(SEGMENT))


def test_the_size_of_segments_counts() -> None:
    archived = Archived("000000010000000000000005", 1.0, 64 * 1024 * 1024)
    assert archived.reach == Ended(1, 5 * 64 * 1024 * 1024)


def test_the_label_of_a_backup_is_archived_after_the_wal_that_it_names() -> None:
    assert Archived(f"{SEGMENT}.00000028.backup").reach == Ended(2, 0x5000000)


# Of a primary that has just been promoted, whose last checkpoint may still be of before.
PROMOTED = [
    Archived("", 0.0, timeline=2, redo=0x5000148),
    Archived("00000002.history", 1.0, timeline=1, redo=0x5000028),
    Archived("00000002.history", 1.0, timeline=2, redo=0x5000148),
    Archived("000000010000000000000005.partial", 1.0, timeline=2, redo=0x5000148),
    # What it archived last when it was the primary before.
    Archived("000000010000000000000002", 1.0, timeline=2, redo=0x5000148),
]


@pytest.mark.parametrize("archived", PROMOTED)
def test_after_a_change_of_the_primary_the_old_timeline_is_not_the_whole(archived: Archived) -> None:
    assert "ended on timeline 1, and the origin is on timeline 2" in short(Ended(1, 0x9000000), archived)


@pytest.mark.parametrize("archived", PROMOTED)
def test_after_a_change_of_the_primary_what_is_before_it_must_be_there(archived: Archived) -> None:
    assert "recovery ended at 0/4000000, before " in short(Ended(2, 0x4000000), archived)
    assert short(Ended(2, 0x4FFFF00), archived) == ""


def test_what_postgresql_15_restored_and_said_after_a_promotion_is_told_apart() -> None:
    archived = Archived("000000010000000000000007.partial", 1.0, timeline=2, redo=0x70000C0, position=0x70000C0)
    assert short(Ended.of("1\t0/7000090\tno recovery target specified\n\n2\t0/7000000\tno"), archived) == ""
    # Without segment 6, and without the history of timeline 2.
    assert "recovery ended at 0/6000000, before" in short(Ended(2, 0x6000000), archived)
    assert "recovery ended on timeline 1, and" in short(Ended(1, 0x7000000), archived)


def test_the_last_segment_of_a_timeline_proves_the_one_before() -> None:
    archived = Archived(f"{SEGMENT}.partial", 1.0, timeline=2)
    assert archived.reach == Ended(2, 0x4000000)


@pytest.mark.parametrize("ended", [Ended(3, 0x4000000), Ended(9, 0x5000000)])
def test_a_history_alone_does_not_stand_for_the_wal_before_it(ended: Ended) -> None:
    assert "before WAL" in short(ended, Archived(SEGMENT, 1.0))


@pytest.mark.parametrize("archived", [Archived(), Archived("00000002.history", 1.0), Archived("nonsense", 1.0)])
def test_where_nobody_knows_how_far_the_archive_goes_nothing_is_proved(archived: Archived) -> None:
    assert "nothing proves that what was restored is all of it" in short(Ended(9, 0x9000000), archived)


@pytest.mark.parametrize(
    ("archived", "until"),
    [
        (Archived(SEGMENT, 1000.0, position=0x6000100), 940.0),
        (Archived(f"{SEGMENT}.00000028.backup", 1000.0, position=0x6FFFFFF), 940.0),
        # WAL that is complete waits to be archived.
        (Archived(SEGMENT, 1000.0, position=0x7000000), 0.0),
        (Archived(f"{SEGMENT}.partial", 1000.0, position=0x5000100), 0.0),
        (Archived(SEGMENT, 1000.0, timeline=3, position=0x5000100), 0.0),
        (Archived("00000002.history", 1000.0), 0.0),
        (Archived(), 0.0),
    ],
)
def test_rows_of_before_the_last_wal_was_archived_must_be_in_it(archived: Archived, until: float) -> None:
    assert archived.until == until


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


def test_without_any_row_it_is_not_the_same() -> None:
    origin = contents(users=Rows(5000), statuses=Rows(0))
    assert list(missing(contents(0.0, users=Rows(0), statuses=Rows(0)), origin)) == [
        "it has no row at all, and the origin has 5000 users"
    ]
    assert list(missing(contents(0.0, users=Rows(0)), contents(0.0, users=Rows(0)))) == []


def test_rows_that_are_encrypted_must_be_there_as_well() -> None:
    origin = Contents(SCHEMA, {}, 1000.0, {"users.otp_secret": Rows(5, 4)})
    assert list(missing(Contents(SCHEMA, {}, 1000.0, {"users.otp_secret": Rows(4, 4)}), origin)) == []
    assert list(missing(Contents(SCHEMA, {}, 1000.0, {"users.otp_secret": Rows(1, 1)}), origin)) == [
        "3 of 4 rows of users.otp_secret are missing"
    ]
    assert list(missing(Contents(SCHEMA, {}, 1000.0), origin)) == ["it has no column users.otp_secret"]
    # Mastodon before it had that.
    assert list(missing(Contents(frozenset({"20251023210145"}), {}, 1000.0), origin)) == []


def test_a_look_that_sees_nothing_is_named() -> None:
    required = ("accounts", "users", "statuses")
    assert unseen({}, required) == "schema public has no table accounts, users, statuses"
    assert unseen(("accounts", "statuses"), required) == "schema public has no table users"
    assert unseen(("accounts", "statuses", "users", "follows"), required) == ""


def test_an_older_schema_is_of_before_an_upgrade_and_a_foreign_one_is_not() -> None:
    assert list(missing(contents(migrations=frozenset({"20251023210145"})), contents())) == []
    assert list(missing(contents(migrations=frozenset({"1"})), contents())) == [
        "its schema has what the origin's has not: migration 1"
    ]
    assert list(missing(contents(migrations=frozenset()), contents())) == [
        "it has no schema of Mastodon's (schema_migrations is empty or missing)"
    ]
