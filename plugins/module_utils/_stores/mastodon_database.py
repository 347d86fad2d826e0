# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a Mastodon's database. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.postgresql_server import session
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Whole

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from pg8000 import native

# Those that a Mastodon cannot be without, and that grow.
_TABLES = ("accounts", "users", "statuses", "media_attachments", "follows", "notifications")
# Without which it is none.
REQUIRED = _TABLES[:3]
# What Mastodon encrypts: app/models/user.rb since 4.3, app/models/keypair.rb since 4.6.
ENCRYPTED = (("users", "otp_secret"), ("keypairs", "private_key"))
# A key pair is one only with the other half beside it.
_BESIDE = {"private_key": "public_key"}
# Of posts of accounts here; type 0 is a picture: https://github.com/mastodon/mastodon/blob/main/app/models/media_attachment.rb
_PICTURES = (
    "SELECT id, file_file_name FROM public.media_attachments"
    " WHERE type = 0 AND remote_url = '' AND file_file_name IS NOT NULL AND status_id IS NOT NULL"
)
# Counting the rows of a large table takes minutes.
_WHOLE_SECONDS = 3600
_EACH_SECONDS = 1200
_AT_LEAST_SECONDS = 1
_PAUSE = 5
_PAGE = 2000


@dataclass(frozen=True)
class Login:
    """Whom to log in as, and to which database."""

    username: str
    password: str
    database: str


@dataclass(frozen=True)
class Session:
    """Who else is in a database, and for how many seconds in a transaction; 0 outside of any, and where that is hidden.

    `transaction` tells one from the next, also of a session that is `hidden`, as another role's is; empty outside of any.
    """

    pid: int
    user: str
    application: str
    seconds: float
    transaction: str = ""
    hidden: bool = False

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"{self.application or 'a client'} of {self.user} (process {self.pid})"


@contextmanager
def reading(server: Server, login: Login, seconds: float = _WHOLE_SECONDS) -> Iterator[Reader]:
    """Read from a database, for at most `seconds`. Raises OSError when there is no way to it, MastodonError when it refuses."""
    whole = min(_WHOLE_SECONDS, max(seconds, _AT_LEAST_SECONDS))
    each = min(_EACH_SECONDS, whole)
    # A little longer than the server works at one answer, so that it is the server that ends.
    with session(
        server, login.username, login.password, login.database, whole=whole + _PAUSE, each=each + _PAUSE
    ) as connection:
        connection.run("SET default_transaction_read_only = on")
        # Otherwise it would go on counting for nobody after the connection has ended.
        connection.run(f"SET statement_timeout = {int(each * 1000)}")
        # Rails keeps times without a zone, in UTC.
        connection.run("SET TIME ZONE 'UTC'")
        yield Reader(connection)


class Reader:
    """One connection."""

    def __init__(self, connection: native.Connection) -> None:
        self._run = connection.run
        # What the server, or whoever is before it, said of itself at the login. pg8000 keeps it for itself.
        said: bytes | None = getattr(connection, "_backend_key_data", None)
        self._process = int.from_bytes(said[:4], "big") if said else None
        self.whole = Whole(connection.run)

    def migrations(self) -> frozenset[str]:
        """Return those of the schema; none where there is no Mastodon."""
        [[there]] = self._run("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
        rows = self._run("SELECT version FROM public.schema_migrations") if there else []
        return frozenset(str(version) for [version] in rows)

    def sessions(self) -> list[Session]:
        """Return who else is in it. Of other roles' sessions most is hidden: https://www.postgresql.org/docs/current/monitoring-stats.html

        Not that they are in a transaction, as each holds a lock on itself: https://www.postgresql.org/docs/current/view-pg-locks.html
        """
        rows = self._run(
            "SELECT s.pid, usename, coalesce(application_name, ''),"
            " coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8, coalesce(virtualtransaction, ''), backend_type IS NULL"
            " FROM pg_stat_activity AS s LEFT JOIN pg_locks AS l ON l.pid = s.pid AND locktype = 'virtualxid' AND mode = 'ExclusiveLock'"
            " WHERE datname = current_database() AND s.pid <> pg_backend_pid() AND usename IS NOT NULL"
            " AND coalesce(backend_type, 'client backend') = 'client backend' ORDER BY s.pid"
        )
        return [
            Session(int(pid), str(user), str(application), float(seconds), *rest)
            for pid, user, application, seconds, *rest in rows
        ]

    def is_pooled(self) -> bool | None:
        """Return whether somebody between here and the server hands sessions on, None where that is not known.

        What asks for a session to be cancelled names its process, and a pooler gives a number of its own:
        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
        """
        [[pid]] = self._run("SELECT pg_backend_pid()")
        return None if self._process is None else self._process != int(pid)

    def is_backed_up(self) -> bool:
        """Return whether a base backup of its server is streamed to somebody, such as pg_basebackup."""
        [[count]] = self._run("SELECT count(*) FROM pg_stat_progress_basebackup")
        return int(count) > 0

    def largest_index(self) -> tuple[str, int]:
        """Return name and bytes of the largest of Mastodon's."""
        rows = self._run(
            "SELECT c.relname, pg_relation_size(c.oid) AS size FROM pg_class AS c WHERE c.relkind = 'i'"
            " AND c.relnamespace = 'public'::regnamespace ORDER BY size DESC LIMIT 1"
        )
        return (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)

    def address_of(self, username: str) -> str:
        """Return the mail address of who has an account here, empty where nobody has it."""
        rows = self._run(
            "SELECT u.email FROM public.users AS u JOIN public.accounts AS a ON a.id = u.account_id"
            " WHERE a.domain IS NULL AND lower(a.username) = lower(:username)",
            username=username,
        )
        return str(rows[0][0]) if rows else ""

    def same_uris(self) -> int:
        """Return how many ActivityPub ids more than one account has."""
        [[there]] = self._run("SELECT to_regclass('public.accounts') IS NOT NULL")
        query = "SELECT count(*) FROM (SELECT FROM public.accounts WHERE uri <> '' GROUP BY uri HAVING count(*) > 1) AS found"
        [[count]] = self._run(query) if there else [[0]]
        return int(count)

    def archived(self) -> tuple[str, float, int, int, int, int]:
        """Return which WAL was archived last, when, and how large one is; the timeline, the begin of its last checkpoint, and its end.

        After a promotion the last checkpoint is for minutes that of the timeline before; then the end is returned for it.
        """
        [[segment, moment, *numbers]] = self._run(
            "SELECT last_archived_wal, extract(epoch FROM last_archived_time)::float8,"
            " pg_size_bytes(current_setting('wal_segment_size')), timeline,"
            " CASE WHEN timeline_id = timeline THEN redo_lsn ELSE position END - '0/0', position - '0/0'"
            " FROM pg_stat_archiver, pg_control_checkpoint(), pg_current_wal_lsn() AS position,"
            " LATERAL (SELECT ('x' || left(pg_walfile_name(position), 8))::bit(32)::int AS timeline) AS now"
        )
        size, timeline, redo, position = map(int, numbers)
        return segment or "", float(moment or 0), size, timeline, redo, position

    def tables(self) -> dict[str, str]:
        """Return those that are there, with the column that says when a row was last written."""
        found = {table: _last_written(columns) for table, columns in self._columns(_TABLES).items()}
        return {table: column for table, column in found.items() if column}

    def _columns(self, tables: Iterable[str]) -> dict[str, list[str]]:
        """Return those of each table that is there, also of one that this login may not read, so that it is not passed over."""
        rows = self._run(
            "SELECT c.relname::text, array_agg(a.attname::text) FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY(:tables)"
            " GROUP BY c.relname ORDER BY c.relname",
            tables=list(tables),
        )
        return {str(table): [str(column) for column in columns] for table, columns in rows}

    def newest(self, table: str, column: str) -> float:
        """Return when the newest row of a table was written, in seconds since 1970; zero without any."""
        [[newest]] = self._run(
            f"SELECT extract(epoch FROM max({column}))::float8 FROM public.{table}"  # noqa: S608 both are ours
        )
        return float(newest or 0)

    def written(
        self, table: str, column: str, until: float, since: float, to: float, having: str = ""
    ) -> tuple[int, int, int]:
        """Return how many rows a table has, how many were last written up to `until`, and after `since` and up to `to`.

        `having` is a column; rows without a value in it are not counted.
        """
        only = f" WHERE {having} IS NOT NULL" if having else ""
        [[count, before, between]] = self._run(
            f"SELECT count(*), count(*) FILTER (WHERE at <= :until), count(*) FILTER (WHERE at > :since AND at <= :to)"  # noqa: S608
            f" FROM (SELECT extract(epoch FROM {column})::float8 AS at FROM public.{table}{only}) AS rows",
            until=until,
            since=since,
            to=to,
        )
        return int(count), int(before), int(between)

    def sealed_columns(self) -> list[tuple[str, str, str]]:
        """Return table and column of what is encrypted, as far as it is there, with the column that says when a row was last written."""
        columns = self._columns(table for table, _column in ENCRYPTED)
        there = [(table, column) for table, column in ENCRYPTED if column in columns.get(table, ())]
        return [(table, column, _last_written(columns[table])) for table, column in there]

    def encrypted(self) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
        """Yield table and column with rows that are encrypted there, some at a time: id, text, and the public key beside a private one."""
        for table, column, _written in self.sealed_columns():
            last = -(2**63)
            while rows := self._page(table, column, last):
                yield f"{table}.{column}", rows
                last = rows[-1][0]

    def _page(self, table: str, column: str, after: int) -> list[tuple[int, str, str]]:
        beside = _BESIDE.get(column, "''")
        rows: list[list[Any]] = self._run(
            f"SELECT id, {column}, {beside} FROM public.{table} WHERE {column} IS NOT NULL AND id > :after ORDER BY id LIMIT {_PAGE}",  # noqa: S608
            after=after,
        )
        return [(int(number), str(text), str(public or "")) for number, text, public in rows]

    def pictures(self, number: int) -> list[tuple[int, str]]:
        """Return id and file of the newest picture of a post of an account here, and of some by chance, as many as that in all."""
        if not {"file_file_name", "remote_url", "status_id"} <= {
            *self._columns(["media_attachments"]).get("media_attachments", ())
        }:
            return []
        newest = self._run(f"{_PICTURES} ORDER BY id DESC LIMIT 1")
        others = self._run(
            f"{_PICTURES} AND id <> :newest ORDER BY random() LIMIT :most",
            newest=newest[0][0] if newest else 0,
            most=max(0, number - 1),
        )
        return [(int(one), str(name)) for one, name in (*newest, *others)]

    def has_pictures(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return which of these pictures it has."""
        return frozenset(
            int(one) for one, _name in self._run(f"{_PICTURES} AND id = ANY(:numbers)", numbers=list(numbers))
        )


def _last_written(columns: Iterable[str]) -> str:
    """Return the column that says when a row was last written, empty without one."""
    return max({"created_at", "updated_at"} & set(columns), default="")
