# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in.migrations import MIGRATIONS, Migration, pending

NEWEST = (4, 7)
BEFORE = [migration for migration in MIGRATIONS if not migration.after_deployment]
AFTER = [migration for migration in MIGRATIONS if migration.after_deployment]


def versions(migrations: list[Migration]) -> list[str]:
    return [migration.version for migration in migrations]


def test_there_are_both_kinds_and_each_version_once() -> None:
    assert BEFORE
    assert AFTER
    assert len({migration.version for migration in MIGRATIONS}) == len(MIGRATIONS)


def test_a_new_database_gets_everything_in_the_order_of_versions() -> None:
    assert versions(pending((), NEWEST, skip_post_deployment=False)) == sorted(versions(list(MIGRATIONS)))


def test_before_the_deployment_the_second_kind_waits() -> None:
    assert versions(pending((), NEWEST, skip_post_deployment=True)) == sorted(versions(BEFORE))


def test_after_the_deployment_only_the_second_kind_is_left() -> None:
    assert pending(versions(BEFORE), NEWEST, skip_post_deployment=False) == AFTER


def test_a_finished_database_gets_nothing() -> None:
    assert pending(versions(list(MIGRATIONS)), NEWEST, skip_post_deployment=False) == []


@pytest.mark.parametrize("minor", [(4, 5), (4, 6), (4, 7)])
def test_each_series_brings_something_and_nothing_of_a_later_one(minor: tuple[int, int]) -> None:
    found = pending((), minor, skip_post_deployment=False)
    assert {migration.since for migration in found if migration.since == minor}
    assert not [migration for migration in found if migration.since > minor]
