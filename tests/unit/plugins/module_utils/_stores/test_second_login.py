# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second login to a database, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, second_login
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import RefusedLoginError, Server
from ansible_collections.fediverse.mastodon.tests.unit.postgresql import DATABASE, PASSWORD, USERNAME, serve

OWNER, OWNERS, NEW = "fedi'verse", "password-of-the-owner", "another-password"
SECOND = second_login.name_of(OWNER)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an owner who has a table."""
    with serve(tmp_path_factory.mktemp("postgresql")) as port:
        found = Server("PostgreSQL", "127.0.0.1", port, "Secret a/b")
        name = second_login._quoted(OWNER)
        run(found, f"CREATE ROLE {name} LOGIN PASSWORD '{OWNERS}'; GRANT CREATE ON SCHEMA public TO {name}")
        ask(found, OWNER, OWNERS, "CREATE TABLE accounts (id int)")
        yield found


def run(server: Server, sql: str) -> None:
    ask(server, USERNAME, PASSWORD, sql)


def ask(server: Server, username: str, password: str, sql: str) -> object:
    with postgresql_server.session(server, username, password, DATABASE) as connection:
        return connection.run(sql)


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    run(server, second_login.create(OWNER, NEW))
    yield server
    run(server, second_login.drop(OWNER))


def test_it_lets_in_beside_the_owner_who_keeps_the_password(second: Server) -> None:
    assert ask(second, SECOND, NEW, "SELECT session_user, current_user") == [[SECOND, OWNER]]
    assert ask(second, OWNER, OWNERS, "SELECT current_user") == [[OWNER]]


def test_what_it_creates_and_changes_is_the_owners(second: Server) -> None:
    ask(second, SECOND, NEW, "CREATE TABLE statuses (id int); ALTER TABLE accounts ADD COLUMN name text")
    owners = ask(second, OWNER, OWNERS, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [[OWNER]]
    ask(second, OWNER, OWNERS, "DROP TABLE statuses; ALTER TABLE accounts DROP COLUMN name")


def test_it_is_created_again_with_another_password(second: Server) -> None:
    run(second, second_login.create(OWNER, "a-third-password"))
    assert ask(second, SECOND, "a-third-password", "SELECT 1") == [[1]]
    with pytest.raises(RefusedLoginError):
        ask(second, SECOND, NEW, "SELECT 1")


def test_it_goes_with_its_sessions_and_leaves_the_owner_what_it_owned(server: Server) -> None:
    run(server, second_login.create(OWNER, NEW))
    # As a client does that resets its session.
    run(server, f"GRANT CREATE ON SCHEMA public TO {second_login._quoted(SECOND)}")
    with postgresql_server.session(server, SECOND, NEW, DATABASE) as one:
        one.run("SET role TO none; CREATE TABLE kept (id int)")
    with pytest.raises(OSError, match=r"network error|reset by peer"):
        _left(server)
    owner = ask(server, OWNER, OWNERS, "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'")
    assert owner == [[OWNER]]
    assert ask(server, OWNER, OWNERS, "SELECT count(*) FROM pg_roles WHERE rolname = current_user || '_rotation'") == [
        [0]
    ]


def _left(server: Server) -> None:
    """Have a session when its role goes."""
    with postgresql_server.session(server, SECOND, NEW, DATABASE) as one:
        run(server, second_login.drop(OWNER))
        one.run("SELECT 1")


def test_none_is_dropped_where_none_is(server: Server) -> None:
    run(server, second_login.drop(OWNER))


def test_a_role_of_somebodys_is_neither_taken_over_nor_dropped(server: Server) -> None:
    name = second_login._quoted(SECOND)
    run(server, f"CREATE ROLE {name} LOGIN PASSWORD 'theirs'")
    with pytest.raises(Exception, match="is there and is not ours"):
        run(server, second_login.create(OWNER, NEW))
    run(server, second_login.drop(OWNER))
    assert ask(server, SECOND, "theirs", "SELECT 1") == [[1]]
    run(server, f"DROP ROLE {name}")


def test_no_password_is_in_what_is_run() -> None:
    assert NEW not in second_login.create(OWNER, NEW)
    assert second_login.create(OWNER, NEW) != second_login.create(OWNER, NEW)
