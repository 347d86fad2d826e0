# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a restored database with its origin, and opens what is encrypted in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import contents
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.contents import (
    Archived,
    Contents,
    Ended,
    Rows,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.scratch import Login
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import mastodon_database
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Reader
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
    Server,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.openers import opened_rows
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch

T = TypeVar("T")

_PORT = 5432
# CloudNativePG sets the password of a restored owner a moment after it is ready.
_ATTEMPTS = 30
_PAUSE = 2.0
_HISTORY = "SELECT pg_read_file('pg_wal/' || lpad(upper(to_hex(timeline_id)), 8, '0') || '.history') FROM pg_control_checkpoint()"
# All of what comes after can be restored from that one on.
_BACK_UP = "Make a new base backup: ansible-playbook -i inventories/mine fediverse.mastodon.backup."


@dataclass(frozen=True)
class Before:
    """The origin when the rehearsal began: what it had archived, and when its newest row was written."""

    archived: Archived
    newest: float


@dataclass(frozen=True)
class Found:
    """What was found well: when the newest row that was restored was written, how many seconds are lost, words for people, its schema.

    Of a time that was asked for it is not known what is lost: nobody may have written anything before it.
    """

    newest: str
    rpo: float | None
    lines: tuple[str, ...]
    schema: str = ""


@dataclass(frozen=True)
class Databases:
    """The origin's and the restored one, by the login of the same owner."""

    connection: Connection
    namespace: str
    login: Login
    deadline: Deadline

    def ask(self, cluster: str, question: Callable[[Reader], T]) -> T:
        """Return what the primary of a Cluster answers. Raises MastodonError when it does not; nothing is asked of it twice."""
        with ExitStack() as stack:
            reader = self._connected(cluster, stack)
            try:
                return question(reader)
            except OSError as error:
                remedy = "Read its log, and run again when it has less to do, or with a longer wait_timeout."
                raise MastodonError(f"PostgreSQL of {cluster}", "gave no whole answer", str(error), remedy) from error

    def _connected(self, cluster: str, stack: ExitStack) -> Reader:
        for _attempt in range(_ATTEMPTS):
            try:
                return stack.enter_context(self._reading(cluster))
            except (NotReadyError, RefusedLoginError, forward.NotThereError) as error:
                failure: MastodonError = error
            except OSError as error:
                failure = MastodonError(f"PostgreSQL of {cluster}", "does not answer", str(error), "Read its log.")
            if not self.deadline.pause(_PAUSE):
                break
        raise failure

    @contextmanager
    def _reading(self, cluster: str) -> Iterator[Reader]:
        host = f"{cluster}-rw.{self.namespace}.svc"
        secret = must_have_secret(self.connection, self.namespace, self.login.secret)
        server = Server("PostgreSQL", host, _PORT, str(secret), forward.way_to(self.connection, host, _PORT))
        given = mastodon_database.Login(self.login.owner, secret["password"], self.login.database)
        with mastodon_database.reading(server, given, self.deadline.remaining) as reader:
            yield reader

    def look(self, cluster: str) -> Before:
        """Return what the origin says of itself now. Raises MastodonError for one of which nothing could be compared."""

        def question(reader: Reader) -> Before:
            if lacking := contents.unseen(reader.tables(), mastodon_database.REQUIRED):
                remedy = f"Check that {self.login.database} is Mastodon's database."
                raise MastodonError(f"PostgreSQL of {cluster}", "cannot be compared with", lacking, remedy)
            return Before(Archived(*reader.archived()), _newest(reader))

        return self.ask(cluster, question)

    def ended(self, scratch: Scratch) -> Ended:
        """Return where recovery ended, by the history of the timeline that began there."""
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", _HISTORY]
        done = pods.run(self.connection, self.namespace, scratch.primary(), "postgres", command)
        try:
            return Ended.of(done.stdout)
        except ValueError as error:
            why = done.stderr.strip() or "its timeline has no history"
            raise MastodonError(str(scratch), "does not say where recovery ended", why, "Run again.") from error


def compare(databases: Databases, before: Before, scratch: Scratch, opener: Opener, target: datetime | None) -> Found:
    """Return what was found well. Raises MastodonError for all that is not."""
    short = "" if target or scratch.image else contents.short(databases.ended(scratch), before.archived)
    newest = databases.ask(scratch.name, _newest)
    until = target.timestamp() - contents.SLACK if target else max(newest, before.archived.until)
    restored = databases.ask(scratch.name, lambda reader: _counted(reader, newest, newest))
    origin = databases.ask(scratch.origin.name, lambda reader: _counted(reader, newest, until))
    opened, sealed = databases.ask(scratch.name, lambda reader: opened_rows(reader, opener))
    others = [(why, "") for why in (*contents.missing(restored, origin), *sealed)]
    if problems := [*([(short, _BACK_UP)] if short else []), *others]:
        raise _problems(str(scratch.origin), f"cannot be {'imported' if scratch.image else 'restored'} whole", problems)
    lines = _lines(restored, opened)
    if later := len(origin.migrations - restored.migrations):
        lines.append(f"its schema lacks {later} of the origin's migrations: restore it with the release of then")
    rpo = None if target or scratch.image else max(0.0, before.newest - newest)
    return Found(contents.moment(newest), rpo, tuple(lines), max(restored.migrations, default=""))


def read_through(databases: Databases, cluster: str, opener: Opener) -> Found:
    """Return what is in a database that was restored for good. Raises MastodonError for rows that cannot be opened."""

    def question(reader: Reader) -> tuple[float, Contents, tuple[str, list[str]]]:
        if lacking := contents.unseen(reader.tables(), mastodon_database.REQUIRED):
            remedy = f"Check that {databases.login.database} is the name that Mastodon's database had."
            raise MastodonError(f"PostgreSQL of {cluster}", "is not Mastodon's", lacking, remedy)
        newest = _newest(reader)
        return newest, _counted(reader, newest, newest), opened_rows(reader, opener)

    newest, found, (opened, sealed) = databases.ask(cluster, question)
    if sealed:
        subject, failed = (
            f"Cluster {databases.namespace}/{cluster}",
            "was restored, and Mastodon could not read all of it",
        )
        remedy = "Bring back what Vault held at that time, and run again."
        raise _problems(subject, failed, [(why, remedy) for why in sealed])
    return Found(contents.moment(newest), None, tuple(_lines(found, opened)))


def _lines(restored: Contents, opened: str) -> list[str]:
    counts = ", ".join(f"{rows.count} {name}" for name, rows in restored.tables.items())
    return [f"rows that were restored: {counts}", f"encrypted rows that today's keys open: {opened}"]


def _problems(subject: str, failed: str, problems: list[tuple[str, str]]) -> MastodonError:
    """Return one error of all, each given as why and what to do."""
    errors = [MastodonError(subject, failed, why, remedy) for why, remedy in problems]
    return errors[0] if len(errors) == 1 else CombinedError(errors)


def _newest(reader: Reader) -> float:
    return max((reader.newest(table, column) for table, column in reader.tables().items()), default=0.0)


def _counted(reader: Reader, newest: float, until: float) -> Contents:
    """Return how many rows each table has, up to a while before `newest`, and after it up to `until`."""

    def rows(table: str, column: str, having: str = "") -> Rows:
        return Rows(*reader.written(table, column, newest - contents.SLACK, newest, until, having))

    tables = {table: rows(table, column) for table, column in reader.tables().items()}
    sealed = {
        f"{table}.{column}": rows(table, written, column)
        for table, column, written in reader.sealed_columns()
        if written
    }
    return Contents(reader.migrations(), tables, newest, sealed)
