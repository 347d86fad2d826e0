# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which migration runs, ran or failed, and of what, as Rails and Rake print it."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import migrations
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.migrations import Migration

MOVED = "== 20260702144128 MigrateLocalAccountKeypairs: migrat"
LOG = f"""
I, [2026-11-29T03:00:00.000000 #1]  INFO -- : booted
{MOVED}ing =====================
-- disable_ddl_transaction
{MOVED}ed (12.3456s) ============
== 20260720104058 AddUniqueIndexOnAccountsUri: migrating ======================
-- add_index(:accounts, :uri)
"""
ABORTED = f"""{LOG}rake aborted!
StandardError: An error has occurred, this and all later migrations canceled:

PG::UniqueViolation: ERROR:  could not create unique index "index_accounts_on_uri"
DETAIL:  Key (uri)=(https://one.test/a) is duplicated.

/opt/mastodon/db/post_migrate/20260720104058_add_unique_index_on_accounts_uri.rb:9:in `up'

Caused by:
ActiveRecord::RecordNotUnique: PG::UniqueViolation: ERROR:  could not create unique index
Tasks: TOP => db:migrate
(See full trace by running task with --trace)
"""


def test_each_that_is_announced_is_found_as_it_was_left() -> None:
    found = migrations.announced(LOG)
    assert found == [
        Migration("20260702144128", "MigrateLocalAccountKeypairs", 12.3456),
        Migration("20260720104058", "AddUniqueIndexOnAccountsUri"),
    ]
    assert str(migrations.unfinished(found)) == "migration 20260720104058 AddUniqueIndexOnAccountsUri"
    assert migrations.unfinished(found[:1]) is None
    assert migrations.announced("") == []


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (ABORTED, 'PG::UniqueViolation: ERROR:  could not create unique index "index_accounts_on_uri"'),
        # Of attempts in one log, the last.
        (f"{ABORTED}rake aborted!\nRedis::CannotConnectError: refused\n", "Redis::CannotConnectError: refused"),
        ("rake aborted!\nsomething else\n", "something else"),
        ("rake aborted!\n", ""),
        ("killed\n\n", "killed"),
        ("", ""),
    ],
)
def test_what_ended_it_is_one_line(log: str, why: str) -> None:
    assert migrations.cause(log) == why
