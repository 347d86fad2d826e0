# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from mastodon_stand_in import database as module
from mastodon_stand_in.database import Database, check, migrate, prepare
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrations import MIGRATIONS

from .servers import execute

ALL = sorted(migration.version for migration in MIGRATIONS)
DOUBLED = """
    INSERT INTO accounts (username, domain, uri, public_key)
    VALUES ('a', 'one.test', 'https://one.test/a', ''), ('b', 'one.test', 'https://one.test/a', '')
"""


def migrated(database: Database) -> list[str]:
    with database.transaction() as cursor:
        cursor.execute("SELECT version FROM schema_migrations ORDER BY version")
        return [row["version"] for row in cursor.fetchall()]


def test_a_new_database_is_prepared_and_again_without_harm(empty: Database, keys: Keys) -> None:
    prepare(empty, keys)
    prepare(empty, keys)
    assert migrated(empty) == ALL
    check(empty, keys)


def test_an_upgrade_climbs_the_ladder_in_two_steps_each(empty: Database, keys: Keys) -> None:
    migrate(empty, skip_post_deployment=False, version="4.5.20")
    before = migrated(empty)
    migrate(empty, skip_post_deployment=True, version="4.6.9")
    migrate(empty, skip_post_deployment=False, version="4.6.9")
    between = migrated(empty)
    migrate(empty, skip_post_deployment=True, version="4.7.2")
    assert set(before) < set(between) < set(migrated(empty)) < set(ALL)
    migrate(empty, skip_post_deployment=False, version="4.7.2")
    assert migrated(empty) == ALL


def test_a_migration_that_fails_is_named_and_a_later_run_goes_on(empty: Database, keys: Keys) -> None:
    migrate(empty, skip_post_deployment=False, version="4.6.9")
    execute(empty.settings, DOUBLED)
    with pytest.raises(RefusalError, match=r"migration 20260805140000 failed: could not create unique index") as failed:
        migrate(empty, skip_post_deployment=False, version="4.7.2")
    assert "\n" not in str(failed.value)
    # What came before it is kept.
    assert migrated(empty) == ALL[:-1]
    execute(empty.settings, "DELETE FROM accounts WHERE username = 'b'")
    migrate(empty, skip_post_deployment=False, version="4.7.2")
    assert migrated(empty) == ALL


def test_two_do_not_migrate_at_once(empty: Database) -> None:
    other = Database(empty.settings)
    with other.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (module._MIGRATION_LOCK,))
        with pytest.raises(RefusalError, match="another process is migrating it"):
            migrate(empty, skip_post_deployment=False)
        cursor.execute("SELECT pg_advisory_unlock(%s)", (module._MIGRATION_LOCK,))
    migrate(empty, skip_post_deployment=False)


def test_too_old_a_schema_cannot_put_off_post_deployment_migrations(empty: Database) -> None:
    execute(empty.settings, "CREATE TABLE schema_migrations (version text PRIMARY KEY)")
    execute(empty.settings, "INSERT INTO schema_migrations VALUES ('20230907150100')")
    with pytest.raises(RefusalError, match="its schema 20230907150100 is too old to put off"):
        migrate(empty, skip_post_deployment=True, version="4.7.2")
    migrate(empty, skip_post_deployment=True, version="4.6.9")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (130022, "its PostgreSQL is 13, Mastodon .* needs 14"),
        (140003, r"its PostgreSQL is 14\.3, which corrupts indexes"),
        (140004, None),
        (180006, None),
    ],
)
def test_too_old_a_server_is_refused(
    empty: Database, monkeypatch: pytest.MonkeyPatch, version: int, message: str | None
) -> None:
    monkeypatch.setattr(module, "_version_of", lambda cursor: version)
    if message is None:
        migrate(empty, skip_post_deployment=False)
    else:
        with pytest.raises(RefusalError, match=message):
            migrate(empty, skip_post_deployment=False)


@pytest.mark.parametrize(
    ("changed", "column", "name"),
    [
        ("primary_key", "private_key", "PRIMARY_KEY"),
        ("deterministic_key", "key_fingerprint", "DETERMINISTIC_KEY"),
        ("key_derivation_salt", "private_key and key_fingerprint", "KEY_DERIVATION_SALT"),
    ],
)
def test_a_changed_key_is_seen_and_named(database: Database, keys: Keys, changed: str, column: str, name: str) -> None:
    check(database, keys)
    message = f"row -99 of accounts: {column} cannot be decrypted, as ACTIVE_RECORD_ENCRYPTION_{name} is another"
    with pytest.raises(RefusalError, match=message):
        check(database, replace(keys, **{changed: "X" * 32}))


def test_a_database_without_schema_or_actor_is_refused(empty: Database, keys: Keys) -> None:
    with pytest.raises(RefusalError, match="it has no schema"):
        check(empty, keys)
    migrate(empty, skip_post_deployment=False)
    with pytest.raises(RefusalError, match="it has no instance actor"):
        check(empty, keys)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"host": "/nowhere"}, "Database prepared.* at /nowhere:5432: .*Check DB_"),
        ({"name": "nobodys"}, 'database "nobodys" does not exist'),
        ({"user": "nobody"}, 'role "nobody" does not exist'),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence(
    database: Database, keys: Keys, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(UnavailableError, match=message) as refusal:
        check(Database(replace(database.settings, **changed)), keys)
    assert "\n" not in str(refusal.value)
