# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from mastodon_stand_in import keypairs
from mastodon_stand_in import migrating as module
from mastodon_stand_in.database import Database, check
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrating import migrate, prepare, refuse_pending, status
from mastodon_stand_in.migrations import MIGRATIONS

from .servers import execute

ALL = sorted(migration.version for migration in MIGRATIONS)
POSTED = [migration.version for migration in MIGRATIONS if migration.after_deployment]
# Of one URI, with a post each; the second was looked up last.
DOUBLED = """
    INSERT INTO accounts (id, username, domain, uri, last_webfingered_at) VALUES
    (1, 'a', 'one.test', 'https://one.test/a', '2026-01-01'), (2, 'b', 'one.test', 'https://one.test/a', '2026-06-01');
    INSERT INTO statuses (account_id, text, visibility) VALUES (1, 'first', 'public'), (2, 'second', 'public')
"""
# Which nothing of upstream's refuses, but some tool made.
IN_THE_WAY = "CREATE TABLE old_index_accounts_on_uri ()"


def rows(database: Database, query: str) -> list[dict[str, Any]]:
    with database.transaction() as cursor:
        cursor.execute(query)
        return [dict(row) for row in cursor.fetchall()]


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
    migrate(empty, keys, skip_post_deployment=False, version="4.5.20")
    before = migrated(empty)
    migrate(empty, keys, skip_post_deployment=True, version="4.6.9")
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    between = migrated(empty)
    migrate(empty, keys, skip_post_deployment=True, version="4.7.2")
    assert set(before) < set(between) < set(migrated(empty)) < set(ALL)
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    assert migrated(empty) == ALL


def test_a_migration_that_fails_is_named_and_a_later_run_goes_on(empty: Database, keys: Keys) -> None:
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    execute(empty.settings, IN_THE_WAY)
    with pytest.raises(RefusalError, match=r"migration 20260720103819 failed: relation .* already exists") as failed:
        migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    assert "\n" not in str(failed.value)
    # What came before it is kept.
    assert set(POSTED) & set(migrated(empty)) == {"20260702144128", "20260720100326"}
    execute(empty.settings, "DROP TABLE old_index_accounts_on_uri")
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    assert migrated(empty) == ALL


def test_what_runs_and_what_fails_is_printed_as_rails_does(
    empty: Database, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    execute(empty.settings, IN_THE_WAY)
    capsys.readouterr()
    with pytest.raises(RefusalError):
        migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"== 20260702144128 MigrateLocalAccountKeypairs: migrating =+", lines[0])
    assert re.fullmatch(r"== 20260702144128 MigrateLocalAccountKeypairs: migrated \(\d\.\d{4}s\) =+", lines[1])
    failed = lines.index("rake aborted!")
    assert lines[failed - 1].startswith("== 20260720103819 RenameIndexAccountsOnUriToOld: migrating ")
    assert (
        'PG::DuplicateTable: ERROR:  relation "old_index_accounts_on_uri" already exists'
        in lines[failed + 3 : failed + 4]
    )


def test_migrations_that_were_put_off_are_pending_until_they_ran(empty: Database, keys: Keys) -> None:
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    migrate(empty, keys, skip_post_deployment=True, version="4.7.2")
    with pytest.raises(RefusalError, match=r"You have \d+ pending migrations:\n  20260702144128 "):
        refuse_pending(empty, "4.7.2")
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    refuse_pending(empty, "4.7.2")


def at_4_6(database: Database, keys: Keys) -> None:
    """As 4.6 leaves a database: the keys of local accounts in the clear, where they have always been."""
    migrate(database, keys, skip_post_deployment=False, version="4.6.9")
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO accounts (id, username) VALUES (-99, 'mastodon.internal')")
        keypairs.make(cursor, keys, -99, "4.6.9")


def test_4_7_moves_local_keys_encrypts_them_and_empties_the_old_place(empty: Database, keys: Keys) -> None:
    at_4_6(empty, keys)
    (before,) = rows(empty, "SELECT public_key, private_key FROM accounts")
    assert before["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    migrate(empty, keys, skip_post_deployment=True, version="4.7.2")
    # Both releases run at once then.
    check(empty, keys, "4.6.9")
    check(empty, keys, "4.7.2")
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    assert rows(empty, "SELECT public_key, private_key FROM accounts") == [{"public_key": "", "private_key": None}]
    (moved,) = rows(empty, "SELECT account_id, local_fragment, type, public_key, private_key FROM keypairs")
    assert (moved["account_id"], moved["local_fragment"], moved["type"]) == (-99, "#main-key", 0)
    assert moved["public_key"] == before["public_key"]
    assert keys.column.decrypt(moved["private_key"]) == before["private_key"]


def test_after_4_7_there_is_no_way_back(empty: Database, keys: Keys) -> None:
    at_4_6(empty, keys)
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    check(empty, keys, "4.7.2")
    with pytest.raises(RefusalError, match=r"has no keys to sign with, as Mastodon 4\.7 moved them.*no way back"):
        check(empty, keys, "4.6.9")


def test_4_7_merges_accounts_of_one_uri_into_the_one_that_was_looked_up_last(empty: Database, keys: Keys) -> None:
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    execute(empty.settings, DOUBLED)
    migrate(empty, keys, skip_post_deployment=False, version="4.7.2")
    assert rows(empty, "SELECT username FROM accounts") == [{"username": "b"}]
    assert rows(empty, "SELECT account_id, text FROM statuses ORDER BY text") == [
        {"account_id": 2, "text": "first"},
        {"account_id": 2, "text": "second"},
    ]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        execute(empty.settings, "INSERT INTO accounts (username, domain, uri) VALUES ('c', 'x', 'https://one.test/a')")


def test_operators_see_which_migrations_are_down(empty: Database, keys: Keys) -> None:
    with pytest.raises(RefusalError, match="Schema migrations table does not exist yet"):
        status(empty)
    migrate(empty, keys, skip_post_deployment=False, version="4.6.9")
    migrate(empty, keys, skip_post_deployment=True, version="4.7.2")
    lines = status(empty, "4.7.2").splitlines()
    assert lines[1] == f"database: {empty.settings.name}"
    assert lines[3] == " Status   Migration ID    Migration Name"
    assert [line.split()[1] for line in lines[5:] if line.startswith("  down")] == POSTED
    assert "  down    20260702144128  Migrate local account keypairs" in status(empty, "4.7.2")
    execute(empty.settings, "INSERT INTO schema_migrations VALUES ('20990101000000')")
    assert "   up     20990101000000  ********** NO FILE **********" in status(empty, "4.7.2")


def test_two_do_not_migrate_at_once(empty: Database, keys: Keys) -> None:
    other = Database(empty.settings)
    with other.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (module._MIGRATION_LOCK,))
        with pytest.raises(RefusalError, match="another process is migrating it"):
            migrate(empty, keys, skip_post_deployment=False)
        cursor.execute("SELECT pg_advisory_unlock(%s)", (module._MIGRATION_LOCK,))
    migrate(empty, keys, skip_post_deployment=False)


def test_too_old_a_schema_cannot_put_off_post_deployment_migrations(empty: Database, keys: Keys) -> None:
    execute(empty.settings, "CREATE TABLE schema_migrations (version text PRIMARY KEY)")
    execute(empty.settings, "INSERT INTO schema_migrations VALUES ('20230907150100')")
    with pytest.raises(RefusalError, match="its schema 20230907150100 is too old to put off"):
        migrate(empty, keys, skip_post_deployment=True, version="4.7.2")
    migrate(empty, keys, skip_post_deployment=True, version="4.6.9")


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
    empty: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch, version: int, message: str | None
) -> None:
    monkeypatch.setattr(module, "_version_of", lambda cursor: version)
    if message is None:
        migrate(empty, keys, skip_post_deployment=False)
    else:
        with pytest.raises(RefusalError, match=message):
            migrate(empty, keys, skip_post_deployment=False)


@pytest.mark.parametrize(
    ("changed", "column", "name"),
    [
        ("primary_key", "keypairs.private_key", "PRIMARY_KEY"),
        ("deterministic_key", "accounts.key_fingerprint", "DETERMINISTIC_KEY"),
        ("key_derivation_salt", "keypairs.private_key and accounts.key_fingerprint", "KEY_DERIVATION_SALT"),
    ],
)
def test_a_changed_key_is_seen_and_named(database: Database, keys: Keys, changed: str, column: str, name: str) -> None:
    check(database, keys)
    message = f"account -99: {column} cannot be decrypted, as ACTIVE_RECORD_ENCRYPTION_{name} is another"
    with pytest.raises(RefusalError, match=message):
        check(database, replace(keys, **{changed: "X" * 32}))


def test_a_database_without_schema_or_actor_is_refused(empty: Database, keys: Keys) -> None:
    with pytest.raises(RefusalError, match="it has no schema"):
        check(empty, keys)
    migrate(empty, keys, skip_post_deployment=False)
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
