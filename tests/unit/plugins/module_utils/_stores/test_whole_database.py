# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is in a database, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import mastodon_database, postgresql_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Login
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database
from ansible_collections.fediverse.mastodon.tests.unit.postgresql import PASSWORD, USERNAME, serve

OWNER, NAME = "owner", "social"
SCHEMA = """
CREATE SEQUENCE statuses_id_seq;
CREATE TABLE statuses (id bigint PRIMARY KEY DEFAULT nextval('statuses_id_seq'), text text NOT NULL);
CREATE INDEX index_of_text ON statuses (text);
CREATE TABLE "Odd name" (id int);
CREATE VIEW newest AS SELECT max(id) FROM statuses;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
INSERT INTO statuses (text) VALUES ('a'), ('b');
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("postgresql")) as port:
        found = Server("PostgreSQL", "127.0.0.1", port, "Secret a/b")
        run(
            found,
            f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'",
            "CREATE ROLE reader LOGIN",
            f"CREATE DATABASE {NAME} OWNER {OWNER}",
        )
        run(found, f"ALTER DATABASE {NAME} SET work_mem = '8MB'")
        run(found, *filter(str.strip, SCHEMA.split(";\n")), username=OWNER, database=NAME)
        yield found


def run(server: Server, *statements: str, username: str = USERNAME, database: str = "postgres") -> None:
    with postgresql_server.session(server, username, PASSWORD, database) as connection:
        for sql in statements:
            connection.run(sql)


def itself(server: Server) -> Database:
    with mastodon_database.reading(server, Login(OWNER, PASSWORD, NAME)) as reader:
        return reader.whole.itself()


def counts(server: Server) -> dict[str, int]:
    with mastodon_database.reading(server, Login(OWNER, PASSWORD, NAME)) as reader:
        return reader.whole.counts()


def test_it_says_how_it_sorts_and_what_a_dump_does_not_carry(server: Server) -> None:
    found = itself(server)
    assert (found.encoding, found.collate, found.ctype, found.provider) == ("UTF8", "C", "C", "c")
    assert found.size > 0
    assert {"role reader", f"role {USERNAME}", "setting work_mem=8MB"} <= {*found.left}
    assert (found.extensions, found.unread) == ((), ())


def test_what_its_owner_may_not_read_is_found(server: Server) -> None:
    run(server, "CREATE TABLE hidden (id int)", database=NAME)
    try:
        assert itself(server).unread == ("public.hidden",)
    finally:
        run(server, "DROP TABLE hidden", database=NAME)


def test_everything_is_counted_once(server: Server) -> None:
    assert counts(server) == {
        'rows of public."Odd name"': 0,
        "rows of public.statuses": 2,
        "sequence public.statuses_id_seq": 2,
        "indexes": 2,
        "constraints": 1,
        "views": 1,
        "functions": 1,
    }


def test_a_row_more_and_an_index_less_show(server: Server) -> None:
    before = counts(server)
    run(server, "INSERT INTO statuses (text) VALUES ('c')", "DROP INDEX index_of_text", username=OWNER, database=NAME)
    after = counts(server)
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == {
        "rows of public.statuses": 1,
        "sequence public.statuses_id_seq": 1,
        "indexes": -1,
    }
