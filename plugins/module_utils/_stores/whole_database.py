# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is in a database, whoever made it: what a dump of it carries, and what it does not. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# CloudNativePG makes them in every Cluster: https://cloudnative-pg.io/documentation/current/postgresql_conf/
_OPERATORS = "'postgres', 'streaming_replica', 'cnpg_pooler_pgbouncer', 'cnpg_metrics_exporter'"
_OURS = (
    "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema$)' AND NOT EXISTS"
    " (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
)
_NAMES = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c " + _OURS  # noqa: S608 ours
# What belongs to no table of its own. Since 18 a column that must not be null has a constraint:
# https://www.postgresql.org/docs/18/release-18.html
_NUMBERS = {
    "indexes": f"SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid {_OURS} AND i.indisvalid",  # noqa: S608 ours
    "constraints": f"SELECT count(*) FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid {_OURS} AND k.contype <> 'n'",  # noqa: S608 ours
    "views": f"SELECT count(*) FROM pg_class AS c {_OURS} AND c.relkind IN ('v', 'm')",  # noqa: S608 ours
    "functions": (
        "SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname !~ '^(pg_|information_schema$)'"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
    ),
}
# The catalog of 14 has no column for who sorts.
_OF_ITSELF = (
    "SELECT pg_encoding_to_char(encoding), datcollate, datctype, coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), pg_database_size(oid)"
    " FROM pg_database AS d WHERE datname = current_database()"
)
_LEFT = (
    "SELECT 'database ' || datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', current_database()) ORDER BY 1",
    f"SELECT 'role ' || rolname FROM pg_roles WHERE rolcanlogin AND rolname NOT IN ({_OPERATORS}, current_user) ORDER BY 1",  # noqa: S608 ours
    "SELECT 'setting ' || unnest(setconfig) FROM pg_db_role_setting WHERE setrole = current_user::regrole OR setdatabase ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1",
)


@dataclass(frozen=True)
class Database:
    """What a database says of itself. `unread` is what its owner may not read, `left` what a dump of it does not carry."""

    encoding: str
    collate: str
    ctype: str
    provider: str
    size: int
    extensions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Whole:
    """One connection, of the owner. `run` executes SQL."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def itself(self) -> Database:
        """Return what it says of itself."""
        [[encoding, collate, ctype, provider, size]] = self._run(_OF_ITSELF)
        extensions = self._texts("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
        unread = self._texts(
            f"{_NAMES} AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY 1"
        )
        left = tuple(text for query in _LEFT for text in self._texts(query))
        return Database(str(encoding), str(collate), str(ctype), str(provider), int(size), extensions, unread, left)

    def counts(self) -> dict[str, int]:
        """Return how much there is of everything: rows of each table, where each sequence stands, and what else a schema has."""
        tables = self._texts(f"{_NAMES} AND c.relkind = 'r' ORDER BY 1")
        rows = {f"rows of {name}": self._number(f"SELECT count(*) FROM {name}") for name in tables}  # noqa: S608 quoted by the server
        sequences = self._run(
            "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, 0) FROM pg_sequences ORDER BY 1"
        )
        standing = {f"sequence {name}": int(value) for name, value in sequences}
        return {**rows, **standing, **{name: self._number(query) for name, query in _NUMBERS.items()}}

    def _texts(self, query: str) -> tuple[str, ...]:
        return tuple(str(text) for [text] in self._run(query))

    def _number(self, query: str) -> int:
        [[number]] = self._run(query)
        return int(number)
