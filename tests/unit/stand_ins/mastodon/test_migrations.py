# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from mastodon_stand_in.migrations import MIGRATIONS, Migration, pending

BEFORE = [migration for migration in MIGRATIONS if not migration.after_deployment]
AFTER = [migration for migration in MIGRATIONS if migration.after_deployment]


def versions(migrations: list[Migration]) -> list[str]:
    return [migration.version for migration in migrations]


def test_there_are_both_kinds_and_each_version_once() -> None:
    assert BEFORE
    assert AFTER
    assert len({migration.version for migration in MIGRATIONS}) == len(MIGRATIONS)


def test_a_new_database_gets_everything_in_the_order_of_versions() -> None:
    assert versions(pending((), skip_post_deployment=False)) == sorted(versions(list(MIGRATIONS)))


def test_before_the_deployment_the_second_kind_waits() -> None:
    assert versions(pending((), skip_post_deployment=True)) == sorted(versions(BEFORE))


def test_after_the_deployment_only_the_second_kind_is_left() -> None:
    assert pending(versions(BEFORE), skip_post_deployment=False) == AFTER


def test_a_finished_database_gets_nothing() -> None:
    assert pending(versions(list(MIGRATIONS)), skip_post_deployment=False) == []
