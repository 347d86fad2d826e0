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

from mastodon_stand_in.accounts import only, seed
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Keys, WrongKeyError
from mastodon_stand_in.migrations import pending
from mastodon_stand_in.settings import DatabaseSettings

_OLDEST_SERVER = 140000
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
    """Raise RefusalError unless the schema is there and its encrypted column can be read with these keys."""
    try:
        with database.transaction() as cursor:
            cursor.execute("SELECT private_key FROM accounts WHERE private_key IS NOT NULL ORDER BY id LIMIT 1")
            row = cursor.fetchone()
    except psycopg2.errors.UndefinedTable as error:
        raise RefusalError(
            f"{database}: it has no schema. Run `rake db:prepare`, or look why that Job failed."
        ) from error
    if row is None:
        raise RefusalError(f"{database}: it has no instance actor. Run `rake db:prepare`, or look why that Job failed.")
    try:
        keys.decrypt(row["private_key"])
    except WrongKeyError as error:
        raise RefusalError(
            f"{database}: its data were encrypted with other ACTIVE_RECORD_ENCRYPTION_* keys than these. "
            "Restore the old keys; nothing else can read the data."
        ) from error


def prepare(database: Database, keys: Keys) -> None:
    """Bring the schema up to date and put in what every instance needs; again and again if need be."""
    migrate(database, skip_post_deployment=False)
    with database.transaction() as cursor:
        if seed(cursor, keys):
            logging.info("made the instance actor")


def migrate(database: Database, skip_post_deployment: bool) -> None:
    """Run the migrations that are left. Raise RefusalError when another process is at it, or the server is too old."""
    with database.transaction() as cursor:
        _check_server(database, cursor)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", (_MIGRATION_LOCK,))
        if not only(cursor)["mine"]:
            raise RefusalError(f"{database}: another process is migrating it. Wait until that has ended.")
        cursor.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)")
        cursor.execute("SELECT version FROM schema_migrations")
        for migration in pending({row["version"] for row in cursor.fetchall()}, skip_post_deployment):
            cursor.execute(migration.sql)
            cursor.execute("INSERT INTO schema_migrations VALUES (%s)", (migration.version,))
            logging.info("migrated to %s", migration.version)


def _check_server(database: Database, cursor: RealDictCursor) -> None:
    version = cursor.connection.server_version
    if version < _OLDEST_SERVER:
        raise RefusalError(f"{database}: its PostgreSQL is {version // 10000}, Mastodon needs 14. Upgrade the server.")


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
