# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running migrations, and saying which have run."""

from __future__ import annotations

import logging
import time

import psycopg2
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import VERSION
from mastodon_stand_in.accounts import make_instance_actor, only, seed
from mastodon_stand_in.database import Database, first_line
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrations import Migration, pending
from mastodon_stand_in.releases import Release, release
from mastodon_stand_in.steps import STEPS

# PostgreSQL 14.0 to 14.3: https://github.com/mastodon/mastodon/issues/32309
_CORRUPTING = (14, 4)
# Any number will do, as long as nobody else locks it: Rails derives its own from the database's name.
_MIGRATION_LOCK = 4_702_000_000


def prepare(database: Database, keys: Keys) -> None:
    """Bring the schema up to date; seed it if this run created it, and as Rails never again: railties, prepare_all."""
    is_new = not _has_schema(database)
    migrate(database, keys, skip_post_deployment=False)
    with database.transaction() as cursor:
        if make_instance_actor(cursor, keys):
            logging.info("made the instance actor")
    if is_new:
        sow(database)


def sow(database: Database) -> None:
    """Run the seeds, which find what is there already."""
    with database.transaction() as cursor:
        seed(cursor)


def migrate(database: Database, keys: Keys, skip_post_deployment: bool, version: str = VERSION) -> None:
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
            _run(database, keys, migration)
    finally:
        with database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def status(database: Database, version: str = VERSION) -> str:
    """Return what Rails prints for db:migrate:status; raise RefusalError when nothing was ever migrated."""
    try:
        done = _done(database)
    except psycopg2.errors.UndefinedTable as error:
        raise RefusalError("Schema migrations table does not exist yet.") from error
    known = {one.version: one.name for one in pending((), release(version).minor, skip_post_deployment=False)}
    lines = [
        f"{'up' if number in done else 'down':^8}  {number:<14}  {known.get(number, '********** NO FILE **********')}"
        for number in sorted({*known, *done})
    ]
    title = f"{'Status':^8}  {'Migration ID':<14}  Migration Name"
    return "\n".join([f"\ndatabase: {database.settings.name}\n", title, "-" * 50, *lines, ""])


def refuse_pending(database: Database, version: str = VERSION) -> None:
    """Raise RefusalError with what Rails prints for db:abort_if_pending_migrations, unless all migrations of both kinds have run."""
    left = pending(_done(database), release(version).minor, skip_post_deployment=False)
    if left:
        listed = "\n".join(f"  {one.version} {one.name}" for one in left)
        raise RefusalError(
            f"You have {len(left)} pending migration{'s' if len(left) > 1 else ''}:\n{listed}\n"
            "Run `bin/rails db:migrate` to update your database then try again."
        )


def _has_schema(database: Database) -> bool:
    with database.transaction() as cursor:
        cursor.execute("SELECT to_regclass('schema_migrations') IS NOT NULL AS there")
        return bool(only(cursor)["there"])


def _done(database: Database) -> set[str]:
    with database.transaction() as cursor:
        cursor.execute("SELECT version FROM schema_migrations")
        return {row["version"] for row in cursor.fetchall()}


def _left(database: Database, series: Release, skip_post_deployment: bool) -> list[Migration]:
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)")
    done = _done(database)
    # lib/tasks/db.rake, db:pre_migration_check
    if skip_post_deployment and max(done, default="0") < series.zero_downtime_from:
        raise RefusalError(
            f"{database}: its schema {max(done, default='0')} is too old to put off post-deployment migrations. "
            "Stop Mastodon and migrate without SKIP_POST_DEPLOYMENT_MIGRATIONS."
        )
    return pending(done, series.minor, skip_post_deployment)


def _run(database: Database, keys: Keys, migration: Migration) -> None:
    began = time.monotonic()
    _announce(migration, "migrating")
    try:
        with database.transaction() as cursor:
            if migration.step:
                STEPS[migration.step](cursor, keys)
            if migration.sql:
                cursor.execute(migration.sql)
            cursor.execute("INSERT INTO schema_migrations VALUES (%s)", (migration.version,))
    except psycopg2.Error as error:
        _abort(error)
        raise RefusalError(
            f"{database}: migration {migration.version} failed: {first_line(error)}. "
            "What ran before it is kept; correct that and run it again."
        ) from error
    _announce(migration, f"migrated ({time.monotonic() - began:.4f}s)")


def _announce(migration: Migration, what: str) -> None:
    """Print what Rails does: activerecord/lib/active_record/migration.rb, announce."""
    text = f"{migration.version} {migration.name.title().replace(' ', '')}: {what}"
    print(f"== {text} {'=' * max(0, 75 - len(text))}", flush=True)


def _abort(error: psycopg2.Error) -> None:
    """Print how Rake ends with an error of the database, whose classes are called alike in Ruby."""
    print("rake aborted!\nStandardError: An error has occurred, this and all later migrations canceled:\n")
    print(f"PG::{type(error).__name__}: ERROR:  {str(error).strip()}\n", flush=True)


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
