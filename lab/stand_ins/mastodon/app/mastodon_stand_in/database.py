# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: connections, one for each thread, and running migrations."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import VERSION
from mastodon_stand_in.accounts import only, seed
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Cipher, Keys, WrongKeyError
from mastodon_stand_in.migrations import Migration, pending
from mastodon_stand_in.releases import Release, release
from mastodon_stand_in.settings import DatabaseSettings

# PostgreSQL 14.0 to 14.3: https://github.com/mastodon/mastodon/issues/32309
_CORRUPTING = (14, 4)
# Any number will do, as long as nobody else locks it: Rails derives its own from the database's name.
_MIGRATION_LOCK = 4_702_000_000


class Database:
    """Transactions on one connection a thread, so that what a broken connection spoils ends with one transaction."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.settings = settings
        self._thread = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        """Give a cursor whose rows are dicts; commit at the end. Raise UnavailableError when the server is out of reach."""
        try:
            with self._connection() as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self._thread.connection = None
            raise UnavailableError(f"{self}: {_first_line(error)}. Check DB_* and the database's own state.") from error
        except psycopg2.errors.InsufficientPrivilege as error:
            raise RefusalError(f"{self}: {_first_line(error)}. Let {self.settings.user} own the database.") from error

    def __str__(self) -> str:
        return f"Database {self.settings.name} at {self.settings.host}:{self.settings.port}"

    def _connection(self) -> psycopg2.extensions.connection:
        connection = getattr(self._thread, "connection", None)
        if connection is None or not _is_alive(connection):
            settings = self.settings
            connection = psycopg2.connect(
                host=settings.host,
                port=settings.port,
                dbname=settings.name,
                user=settings.user,
                password=settings.password,
                sslmode=settings.sslmode,
                sslrootcert=settings.authority or None,
                connect_timeout=5,
            )
            self._thread.connection = connection
        return connection


def check(database: Database, keys: Keys) -> None:
    """Raise RefusalError unless the schema is there and its encrypted columns can be read with these keys."""
    try:
        with database.transaction() as cursor:
            cursor.execute(
                "SELECT id, private_key, key_fingerprint FROM accounts WHERE private_key IS NOT NULL ORDER BY id LIMIT 1"
            )
            row = cursor.fetchone()
    except psycopg2.errors.UndefinedTable as error:
        raise RefusalError(
            f"{database}: it has no schema. Run `rake db:prepare`, or look why that Job failed."
        ) from error
    if row is None:
        raise RefusalError(f"{database}: it has no instance actor. Run `rake db:prepare`.")
    ciphers = {"private_key": keys.column, "key_fingerprint": keys.lookup}
    unreadable = [column for column, cipher in ciphers.items() if not _can_read(cipher, row[column])]
    if unreadable:
        name = {"private_key": "PRIMARY_KEY", "key_fingerprint": "DETERMINISTIC_KEY"}[unreadable[0]]
        if len(unreadable) == len(ciphers):
            # Both keys may have changed as well; no more can be told.
            name = "KEY_DERIVATION_SALT"
        raise RefusalError(
            f"{database}: row {row['id']} of accounts: {' and '.join(unreadable)} cannot be decrypted, as "
            f"ACTIVE_RECORD_ENCRYPTION_{name} is another than the one it was encrypted with. "
            "Restore the old key; nothing else can read the data."
        )


def _can_read(cipher: Cipher, stored: str) -> bool:
    try:
        cipher.decrypt(stored)
    except WrongKeyError:
        return False
    return True


def prepare(database: Database, keys: Keys) -> None:
    """Bring the schema up to date and put in what every instance needs; again and again if need be."""
    migrate(database, skip_post_deployment=False)
    with database.transaction() as cursor:
        if seed(cursor, keys):
            logging.info("made the instance actor")


def migrate(database: Database, skip_post_deployment: bool, version: str = VERSION) -> None:
    """Run the migrations that are left, each in a transaction of its own: a later run goes on where this one failed.

    Raise RefusalError when one fails, another process is at it, or server or schema are too old.
    """
    series = release(version)
    with database.transaction() as cursor:
        _check_server(database, cursor, series)
        cursor.execute("SELECT pg_try_advisory_lock(%s) AS mine", (_MIGRATION_LOCK,))
        if not only(cursor)["mine"]:
            raise RefusalError(f"{database}: another process is migrating it. Wait until that has ended.")
    try:
        for migration in _left(database, series, skip_post_deployment):
            _run(database, migration)
    finally:
        with database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def _left(database: Database, series: Release, skip_post_deployment: bool) -> list[Migration]:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)")
        cursor.execute("SELECT version FROM schema_migrations")
        done = {row["version"] for row in cursor.fetchall()}
    # lib/tasks/db.rake, db:pre_migration_check
    if skip_post_deployment and max(done, default="0") < series.zero_downtime_from:
        raise RefusalError(
            f"{database}: its schema {max(done, default='0')} is too old to put off post-deployment migrations. "
            "Stop Mastodon and migrate without SKIP_POST_DEPLOYMENT_MIGRATIONS."
        )
    return pending(done, series.minor, skip_post_deployment)


def _run(database: Database, migration: Migration) -> None:
    try:
        with database.transaction() as cursor:
            cursor.execute(migration.sql)
            cursor.execute("INSERT INTO schema_migrations VALUES (%s)", (migration.version,))
    except psycopg2.Error as error:
        raise RefusalError(
            f"{database}: migration {migration.version} failed: {_first_line(error)}. "
            "What ran before it is kept; correct that and run it again."
        ) from error
    logging.info("migrated to %s", migration.version)


def _check_server(database: Database, cursor: RealDictCursor, series: Release) -> None:
    major, minor = divmod(_version_of(cursor), 10000)
    if major < series.postgresql:
        raise RefusalError(
            f"{database}: its PostgreSQL is {major}, Mastodon {VERSION} needs {series.postgresql}. Upgrade the server."
        )
    if major == _CORRUPTING[0] and minor < _CORRUPTING[1]:
        raise RefusalError(f"{database}: its PostgreSQL is {major}.{minor}, which corrupts indexes. Upgrade to 14.4.")


def _version_of(cursor: RealDictCursor) -> int:
    return cursor.connection.server_version


def _is_alive(connection: psycopg2.extensions.connection) -> bool:
    """Ask the server, as Rails does: after a failover nothing else tells that a connection leads nowhere."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["the connection broke"])[0]
