# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: connections, one for each thread, and whether its data are those of our keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import VERSION, keypairs
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Cipher, Keys, WrongKeyError
from mastodon_stand_in.settings import DatabaseSettings


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
            raise UnavailableError(f"{self}: {first_line(error)}. Check DB_* and the database's own state.") from error
        except psycopg2.errors.InsufficientPrivilege as error:
            raise RefusalError(f"{self}: {first_line(error)}. Let {self.settings.user} own the database.") from error

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


def check(database: Database, keys: Keys, version: str = VERSION) -> None:
    """Raise RefusalError unless the schema is there and its encrypted columns can be read with these keys."""
    try:
        with database.transaction() as cursor:
            row = keypairs.first(cursor, version)
    except psycopg2.errors.UndefinedTable as error:
        raise RefusalError(
            f"{database}: it has no schema. Run `rake db:prepare`, or look why that Job failed."
        ) from error
    if row is None:
        raise RefusalError(f"{database}: it has no instance actor. Run `rake db:prepare`.")
    if not row["sealed"] and not row["clear"]:
        raise RefusalError(
            f"{database}: account {row['id']} has no keys to sign with, as Mastodon {keypairs.MOVED[0]}.{keypairs.MOVED[1]} moved them. "
            "Use that release or a newer one, or restore the database; there is no way back."
        )
    _check_keys(database, keys, row)


def _check_keys(database: Database, keys: Keys, row: dict[str, Any]) -> None:
    ciphers = {"PRIMARY_KEY": keys.column, "DETERMINISTIC_KEY": keys.lookup}
    columns = {"PRIMARY_KEY": "keypairs.private_key", "DETERMINISTIC_KEY": "accounts.key_fingerprint"}
    stored = {"PRIMARY_KEY": row["sealed"], "DETERMINISTIC_KEY": row["key_fingerprint"]}
    unreadable = [name for name, cipher in ciphers.items() if stored[name] and not _can_read(cipher, stored[name])]
    if unreadable:
        # Both keys may have changed as well; no more can be told.
        name = unreadable[0] if len(unreadable) == 1 else "KEY_DERIVATION_SALT"
        raise RefusalError(
            f"{database}: account {row['id']}: {' and '.join(map(columns.__getitem__, unreadable))} cannot be decrypted, as "
            f"ACTIVE_RECORD_ENCRYPTION_{name} is another than the one it was encrypted with. "
            "Restore the old key; nothing else can read the data."
        )


def _can_read(cipher: Cipher, stored: str) -> bool:
    try:
        cipher.decrypt(stored)
    except WrongKeyError:
        return False
    return True


def _is_alive(connection: psycopg2.extensions.connection) -> bool:
    """Ask the server, as Rails does: after a failover nothing else tells that a connection leads nowhere."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        return False
    return True


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["the connection broke"])[0]
