# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real PostgreSQL with tables of Mastodon's answers, and that reading changes nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import cast

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import mastodon_database
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Login, Reader
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.tests.unit.postgresql import (
    DATABASE,
    PASSWORD,
    USERNAME,
    behind_pooler,
    program,
    serve,
)
from pg8000 import native

LOGIN = Login(USERNAME, PASSWORD, DATABASE)
# As Rails makes them: times without a zone, in UTC.
SCHEMA = """
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20251023210145'), ('20260805130216');
CREATE TABLE users (id bigserial PRIMARY KEY, account_id bigint, email varchar NOT NULL DEFAULT '', otp_secret varchar,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE statuses (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE TABLE keypairs (id bigserial PRIMARY KEY, private_key varchar, public_key varchar, created_at timestamp(6), updated_at timestamp(6));
CREATE TABLE accounts (id bigserial PRIMARY KEY, uri varchar DEFAULT '', username varchar NOT NULL DEFAULT '', domain varchar);
INSERT INTO accounts (uri) VALUES (''), (''), (NULL), (NULL), ('https://a/1'), ('https://a/1'), ('https://a/1'), ('https://a/2');
INSERT INTO accounts (uri, username, domain) VALUES ('https://a/3', 'Alice', 'elsewhere.org'), ('https://a/4', 'Alice', NULL);
CREATE TABLE another (id bigserial PRIMARY KEY, created_at timestamp);
INSERT INTO users (otp_secret, created_at, updated_at) VALUES
    ('one', '2026-11-29 01:00:00', '2026-11-29 03:00:00'), (NULL, '2026-11-29 02:00:00', '2026-11-29 02:00:00');
UPDATE users SET account_id = (SELECT id FROM accounts WHERE uri = 'https://a/4'), email = 'alice@example.org' WHERE otp_secret = 'one';
INSERT INTO statuses (created_at) VALUES ('2026-11-29 04:00:00+01');
INSERT INTO keypairs (private_key, public_key) SELECT 'key ' || number, 'public ' || number FROM generate_series(1, 4500) AS number;
INSERT INTO keypairs (private_key) VALUES (NULL);
"""
THREE = 1795921200.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One in a zone of its own, as a server may be."""
    with serve(tmp_path_factory.mktemp("postgresql")) as port:
        with native.Connection(
            USERNAME, host="127.0.0.1", port=port, password=PASSWORD, database=DATABASE
        ) as connection:
            for statement in SCHEMA.split(";\n")[:-1]:
                connection.run(statement)
            connection.run(f"ALTER DATABASE {DATABASE} SET TimeZone = 'Asia/Tokyo'")
        yield Server("PostgreSQL", "127.0.0.1", port, "Secret mastodon/db-owner", sslmode="disable")


@pytest.fixture
def reader(server: Server) -> Iterator[Reader]:
    with mastodon_database.reading(server, LOGIN) as found:
        yield found


@pytest.mark.parametrize(
    ("username", "address"), [("alice", "alice@example.org"), ("Alice", "alice@example.org"), ("a' OR 1=1 --", "")]
)
def test_an_account_is_known_by_its_address(reader: Reader, username: str, address: str) -> None:
    assert reader.address_of(username) == address


def test_the_migrations_of_its_schema_are_read(reader: Reader) -> None:
    assert reader.migrations() == {"20251023210145", "20260805130216"}


def test_of_the_tables_that_are_there_the_column_of_the_last_change_is_taken(reader: Reader) -> None:
    assert reader.tables() == {"statuses": "created_at", "users": "updated_at"}


def test_times_are_those_of_utc_with_and_without_a_zone_in_the_column(reader: Reader) -> None:
    assert reader.newest("users", "updated_at") == THREE
    assert reader.newest("statuses", "created_at") == THREE


def test_rows_are_counted_by_when_they_were_last_written(reader: Reader) -> None:
    assert reader.written("users", "updated_at", THREE - 3600, THREE - 3600, THREE) == (2, 1, 1)
    assert reader.written("users", "updated_at", THREE - 3601, THREE, THREE + 3600) == (2, 0, 0)


def test_of_a_column_only_rows_with_a_value_are_counted(reader: Reader) -> None:
    assert reader.written("users", "updated_at", THREE, 0.0, 0.0, "otp_secret") == (1, 1, 0)
    assert reader.sealed_columns() == [("users", "otp_secret", "updated_at"), ("keypairs", "private_key", "updated_at")]


def test_where_rows_are_never_changed_they_are_counted_by_when_they_were_created(server: Server) -> None:
    with native.Connection(
        USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database="template1"
    ) as connection:
        connection.run("CREATE TABLE users (id bigint, otp_secret text, created_at timestamptz)")
        connection.run("CREATE TABLE keypairs (id bigint, private_key text)")
    with mastodon_database.reading(server, Login(USERNAME, PASSWORD, "template1")) as found:
        assert found.sealed_columns() == [("users", "otp_secret", "created_at"), ("keypairs", "private_key", "")]
        assert found.tables() == {"users": "created_at"}
    with native.Connection(
        USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database="template1"
    ) as connection:
        connection.run("DROP TABLE users, keypairs")


def test_tables_that_this_login_may_not_read_are_seen_and_named(server: Server) -> None:
    guest = "guest"
    with native.Connection(
        USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE
    ) as connection:
        connection.run(f"CREATE ROLE {guest} LOGIN PASSWORD '{PASSWORD}'")
    with mastodon_database.reading(server, Login(guest, PASSWORD, DATABASE)) as found:
        # As an owner of a database, who is no superuser, may.
        assert found.archived()[3] == 1
        assert list(found.tables()) == ["statuses", "users"]
        assert [table for table, _column, _written in found.sealed_columns()] == ["users", "keypairs"]
    with (
        pytest.raises(MastodonError, match=r"guest cannot use .*: permission denied for table users"),
        mastodon_database.reading(server, Login(guest, PASSWORD, DATABASE)) as found,
    ):
        found.newest("users", "updated_at")


def test_the_server_itself_ends_what_takes_too_long(server: Server) -> None:
    with (
        pytest.raises(MastodonError, match="gave no answer in time: canceling statement due to statement timeout"),
        mastodon_database.reading(server, LOGIN, 0.0) as found,
    ):
        found._run("SELECT pg_sleep(30)")


def test_every_encrypted_row_is_read_some_at_a_time(reader: Reader) -> None:
    pages = list(reader.encrypted())
    assert [column for column, _rows in pages] == ["users.otp_secret", *["keypairs.private_key"] * 3]
    assert pages[0][1] == [(1, "one", "")]
    assert [row[0] for _column, rows in pages[1:] for row in rows] == list(range(1, 4501))
    assert pages[1][1][0] == (1, "key 1", "public 1")


def test_what_was_archived_is_read_also_of_a_server_that_archives_nothing(reader: Reader) -> None:
    segment, moment, size, timeline, redo, position = reader.archived()
    assert (segment, moment, size, timeline) == ("", 0.0, 16 * 1024 * 1024, 1)
    assert 0 < redo <= position


def test_nothing_can_be_written(reader: Reader) -> None:
    with pytest.raises(native.DatabaseError, match="read-only transaction"):
        reader._run("DELETE FROM users")


def test_an_empty_database_has_nothing_of_mastodon(server: Server) -> None:
    with mastodon_database.reading(server, Login(USERNAME, PASSWORD, "template1")) as found:
        assert (found.migrations(), found.tables(), list(found.encrypted())) == (frozenset(), {}, [])


def test_a_database_that_is_not_there_is_one_sentence(server: Server) -> None:
    wrong = Login(USERNAME, PASSWORD, "nowhere")
    with (
        pytest.raises(MastodonError, match=r"PostgreSQL 127\.0\.0\.1:\d+: mastodon cannot use nowhere: "),
        mastodon_database.reading(server, wrong),
    ):
        pass


def test_ids_that_several_accounts_have_are_counted_and_local_ones_have_none(reader: Reader) -> None:
    assert reader.same_uris() == 1


def is_left_alone(reader: Reader) -> bool:
    """Whether nobody else is in it, once the server has noticed that they went."""
    until = time.monotonic() + 30
    while reader.sessions() and time.monotonic() < until:
        time.sleep(0.02)
    return reader.sessions() == []


def test_who_meets_an_error_is_in_it_no_longer(server: Server, reader: Reader) -> None:
    with pytest.raises(MastodonError) as caught, mastodon_database.reading(server, LOGIN) as found:
        found._run("SELECT 1 / 0")
    # As long as the error is known, so is all that it came through.
    assert "division by zero" in str(caught.value)
    assert is_left_alone(reader)


def test_who_else_is_in_it_is_seen_and_for_how_long(server: Server, reader: Reader) -> None:
    assert is_left_alone(reader)
    with native.Connection(
        USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE, application_name="pg_dump"
    ) as other:
        (idle,) = reader.sessions()
        assert (idle.user, idle.application, idle.seconds) == (USERNAME, "pg_dump", 0)
        assert str(idle) == f"pg_dump of {USERNAME} (process {idle.pid})"
        other.run("BEGIN")
        other.run("SELECT pg_sleep(0.1)")
        (held,) = reader.sessions()
        assert (held.pid, held.seconds > 0.1) == (idle.pid, True)
    assert is_left_alone(reader)


def test_who_may_not_see_what_another_role_does_still_sees_that_it_is_there(server: Server, reader: Reader) -> None:
    with native.Connection(USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE) as other:
        for statement in ("DROP ROLE IF EXISTS small", "CREATE ROLE small LOGIN PASSWORD 'word'"):
            other.run(statement)
        with mastodon_database.reading(server, Login("small", "word", DATABASE)) as small:
            assert {one.user for one in small.sessions()} == {USERNAME}


def test_of_another_role_it_is_seen_that_one_transaction_follows_another_or_goes_on(
    server: Server, reader: Reader
) -> None:
    with native.Connection(USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE) as other:
        for statement in ("DROP ROLE IF EXISTS small", "CREATE ROLE small LOGIN PASSWORD 'word'"):
            other.run(statement)
        with mastodon_database.reading(server, Login("small", "word", DATABASE)) as small:

            def transaction() -> tuple[str, bool]:
                [found] = [one for one in small.sessions() if one.pid == mine]
                return found.transaction, found.hidden

            [[mine]] = other.run("SELECT pg_backend_pid()")
            assert transaction() == ("", True)
            other.run("BEGIN")
            first = transaction()
            other.run("SELECT count(*) FROM accounts")
            assert transaction() == first
            other.run("COMMIT")
            other.run("BEGIN")
            assert transaction() != first
            assert transaction()[0]
            other.run("COMMIT")
    with native.Connection(USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE):
        assert [one.hidden for one in reader.sessions() if one.user == USERNAME] == [False]


def test_a_pooler_is_told_from_the_server_itself(server: Server, reader: Reader) -> None:
    assert reader.is_pooled() is False
    with behind_pooler(server.port) as port:
        pooler = Server("PostgreSQL", "127.0.0.1", port, "Secret mastodon/db-owner", sslmode="disable")
        with mastodon_database.reading(pooler, LOGIN) as found:
            assert found.is_pooled() is True
            assert found.migrations() == reader.migrations()


def test_a_server_that_names_no_process_may_be_a_pooler() -> None:
    class Quiet:
        def run(self, _query: str) -> list[list[int]]:
            return [[7]]

    assert Reader(cast("native.Connection", Quiet())).is_pooled() is None


def test_a_base_backup_that_is_streamed_is_seen_also_by_who_may_not_see_what_it_does(server: Server) -> None:
    with native.Connection(USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE) as other:
        for statement in ("DROP ROLE IF EXISTS small", "CREATE ROLE small LOGIN PASSWORD 'word'"):
            other.run(statement)
    with mastodon_database.reading(server, Login("small", "word", DATABASE)) as small:
        assert not small.is_backed_up()
        where = ("-h", "127.0.0.1", "-p", str(server.port), "-U", USERNAME)
        how = ("--pgdata=-", "--format=tar", "--wal-method=none", "--max-rate=32", "--checkpoint=fast", "--no-manifest")
        command = (str(program("pg_basebackup")), *where, *how)
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, env={"PGPASSWORD": PASSWORD}, stdout=quiet, stderr=quiet) as streaming:
            try:
                until = time.monotonic() + 30
                while not small.is_backed_up() and time.monotonic() < until:
                    time.sleep(0.02)
                assert small.is_backed_up()
            finally:
                streaming.kill()


def test_the_largest_index_of_mastodon_is_named(server: Server, reader: Reader) -> None:
    name, size = reader.largest_index()
    assert (name, size > 8192) == ("keypairs_pkey", True)
    with mastodon_database.reading(server, Login(USERNAME, PASSWORD, "template1")) as found:
        assert found.largest_index() == ("", 0)


MEDIA = """
CREATE TABLE media_attachments (id bigserial PRIMARY KEY, status_id bigint, file_file_name varchar, type integer NOT NULL DEFAULT 0,
    remote_url varchar NOT NULL DEFAULT '', created_at timestamp(6) NOT NULL DEFAULT now());
INSERT INTO media_attachments (id, status_id, file_file_name, type, remote_url) VALUES (1, 1, 'one.png', 0, ''), (2, 1, 'two.png', 0, ''),
    (3, 1, 'three.png', 0, ''), (4, NULL, 'of-no-post.png', 0, ''), (5, 1, NULL, 0, ''), (6, 1, 'film.mp4', 2, ''),
    (7, 1, 'of-another-server.png', 0, 'https://b/7.png');
"""


def test_the_newest_picture_of_a_post_and_others_by_chance_are_read(server: Server, reader: Reader) -> None:
    assert reader.pictures(20) == []
    with native.Connection(
        USERNAME, host="127.0.0.1", port=server.port, password=PASSWORD, database=DATABASE
    ) as connection:
        for statement in MEDIA.split(";\n")[:-1]:
            connection.run(statement)
        try:
            assert reader.pictures(1) == [(3, "three.png")]
            assert sorted(reader.pictures(20)) == [(1, "one.png"), (2, "two.png"), (3, "three.png")]
            assert reader.pictures(2)[0] == (3, "three.png")
            assert reader.has_pictures([1, 3, 4, 6, 99]) == {1, 3}
        finally:
            connection.run("DROP TABLE media_attachments")
