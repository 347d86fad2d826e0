# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a database stands between a Mastodon that runs and the next minor series."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import database_gate, stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.database_gate import Contents
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import left_to_run
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import Finished
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Session
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import upgrade_gate
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    WANTED,
    World,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HOST = "mastodon-db-rw.mastodon.svc"
RAN = frozenset({"20240307180905", "20250520192024", "20260611150940"})
STORE = {**WANTED["postgresql"], "direct_host": HOST, "username": "mastodon"}
RIGHT_KEYS = {**KEYS, "are-derivation-salt": "salt-canary"}
NO_VOLUMES = "skipped: free space of the database, whose volumes are not seen from here"
TO_4_7: dict[str, Any] = {"version": "v4.7.4", "accepted": ["4.7:no_way_back"], "postgresql": STORE}
QUIET = Session(7, "mastodon", "puma", 2)


class Answering:
    """A reader of a database, which counts how often accounts were compared. `later` are its sessions at a second look."""

    def __init__(
        self,
        migrations: frozenset[str] = RAN,
        sessions: Sequence[Session] = (QUIET,),
        same: int = 0,
        *,
        later: Sequence[Session] | None = None,
        rows: Sequence[tuple[int, str, str]] = (),
        **found: Any,
    ) -> None:
        self.found = Contents(migrations, sessions, same, **found)
        self._looks = [sessions, sessions if later is None else later]
        self._rows = list(rows)
        self.compared = 0

    def migrations(self) -> frozenset[str]:
        return self.found.migrations

    def sessions(self) -> Sequence[Session]:
        return self._looks.pop(0)

    def same_uris(self) -> int:
        self.compared += 1
        return self.found.same_uris

    def is_pooled(self) -> bool | None:
        return self.found.pooled

    def is_backed_up(self) -> bool:
        return self.found.backed_up

    def largest_index(self) -> tuple[str, int]:
        return self.found.largest

    def encrypted(self) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
        if self._rows:
            yield "users.otp_secret", self._rows


@pytest.fixture
def at_4_6(world: World) -> World:
    world.launch("ghcr.io/mastodon/mastodon:v4.6.9")
    world.store(APP, RIGHT_KEYS)
    return world


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pause without time passing, and return for how long."""
    found: list[float] = []
    monkeypatch.setattr(database_gate, "_sleep", found.append)
    return found


def answers(patches: pytest.MonkeyPatch, reader: Answering) -> Answering:
    """Let the database answer so."""

    def contents(_self: object, store: dict[str, Any], question: Callable[[Any], Any]) -> Any:
        assert store["direct_host"] == HOST
        return question(reader)

    patches.setattr(stores.Asked, "contents", contents)
    return reader


def test_a_database_that_is_ready_is_let_through(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = answers(monkeypatch, Answering())
    at_4_6.check(**TO_4_7)
    assert at_4_6.said == [NO_VOLUMES]
    assert reader.compared == 1


def test_migrations_that_were_left_behind_are_named(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answering(RAN - {"20250520192024"}))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: lacks migrations of v4.6.9: 20250520192024, which runs after a roll-out, never ran here. "
        "Run bundle exec rake db:migrate in a pod of web first, at a quiet hour."
    ]


def test_what_would_be_merged_for_hours_is_refused_until_it_is_accepted(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, Answering(same=12))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: has 12 ActivityPub ids with more than one account: v4.7.4 merges them one by one while it migrates, which takes hours. "
        "Run bin/tootctl accounts fix-duplicates in a pod of web first, or set mastodon_upgrade_accept to [4.7:duplicates]."
    ]
    at_4_6.check(**{**TO_4_7, "accepted": ["4.7:no_way_back", "4.7:duplicates"]})


def test_accounts_are_compared_only_for_a_series_that_merges_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.launch("ghcr.io/mastodon/mastodon:v4.5.20")
    world.store(APP, RIGHT_KEYS)
    reader = answers(monkeypatch, Answering(same=12))
    world.check(version="v4.6.9", postgresql=STORE)
    assert reader.compared == 0


@pytest.mark.parametrize("application", ["psql", ""])
def test_whoever_holds_it_for_long_is_named(at_4_6: World, monkeypatch: pytest.MonkeyPatch, application: str) -> None:
    answers(monkeypatch, Answering(sessions=(QUIET, Session(42, "mastodon", application, 300))))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is held by {application or 'a client'} of mastodon (process 42): it has been in a transaction for 300 seconds, and "
        "migrations would wait for it. Let it end, or end it."
    ]


def test_a_dump_is_refused_from_its_first_second(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answering(sessions=(Session(42, "mastodon", "pg_dump", 1),)))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is held by pg_dump of mastodon (process 42): a dump holds a lock on every table, and migrations would wait for it. "
        "Let it end, or end it."
    ]


def test_a_session_of_a_superuser_that_does_not_end_its_transaction_is_refused(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    held = Session(42, "postgres", "", 0, "5/17", hidden=True)
    answers(monkeypatch, Answering(sessions=(held,)))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is held by a client of postgres (process 42): it has been in the same transaction for more than 5 seconds, of which "
        "the rest is hidden from us, and migrations would wait for it. Let it end, or end it."
    ]
    assert pauses == [5]


@pytest.mark.parametrize("later", [[], [Session(42, "postgres", "", 0, "5/18", hidden=True)]])
def test_one_that_ends_it_is_let_be(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch, later: Sequence[Session], pauses: list[float]
) -> None:
    held = Session(42, "postgres", "", 0, "5/17", hidden=True)
    answers(monkeypatch, Answering(sessions=(held,), later=later))
    at_4_6.check(**TO_4_7)
    assert pauses == [5]


def test_nobody_is_waited_for_where_all_is_seen_or_nobody_is_in_a_transaction(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    mine, idle = Session(7, "mastodon", "puma", 1, "5/1"), Session(8, "postgres", "", 0, hidden=True)
    answers(monkeypatch, Answering(sessions=(mine, idle)))
    at_4_6.check(**TO_4_7)
    assert pauses == []


def test_a_pooler_is_refused_and_one_that_may_be_is_said(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answering(pooled=True))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is not the database itself: what answers there is a pooler, and migrations hold locks of a session, which it hands on "
        "to others. Set mastodon_postgresql_direct_host and mastodon_postgresql_direct_port to the server itself."
    ]
    at_4_6.said.clear()
    answers(monkeypatch, Answering(pooled=None))
    at_4_6.check(**TO_4_7)
    assert f"skipped: whether PostgreSQL {HOST} is a pooler is not known" in at_4_6.said


def test_a_base_backup_that_is_being_made_is_waited_for(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Answering(backed_up=True))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is being copied by a base backup: its snapshot keeps all that migrations replace, and its WAL grows by it. "
        "Wait until it has ended."
    ]


def sealed(primary_key: str, salt: str) -> str:
    """Return a secret as Active Record encrypts it."""
    key = hashlib.pbkdf2_hmac("sha256", primary_key.encode(), salt.encode(), 2**16, 32)
    nonce = b"n" * 12
    made = AESGCM(key).encrypt(nonce, b"JBSWY3DPEHPK3PXP", None)
    written = {name: base64.b64encode(part).decode() for name, part in (("iv", nonce), ("at", made[-16:]))}
    return json.dumps({"p": base64.b64encode(made[:-16]).decode(), "h": written})


def test_rows_that_todays_keys_do_not_open_are_refused(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    right = sealed(RIGHT_KEYS["are-primary-key"], RIGHT_KEYS["are-derivation-salt"])
    answers(monkeypatch, Answering(rows=[(1, right, "")]))
    at_4_6.check(**TO_4_7)
    answers(monkeypatch, Answering(rows=[(1, right, ""), (2, sealed("another", "salt"), "")]))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: holds what Mastodon cannot read: 1 of 2 rows of users.otp_secret were encrypted with other Active Record keys than Vault "
        "has now (id 2). Write the right keys back to Vault first."
    ]


def test_an_instance_without_room_for_the_largest_index_is_refused(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gib = 2**30
    at_4_6.put(
        "postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db", status={"instanceNames": ["db-1", "db-2", "db-3"]}
    )
    left = {"db-1": f"Avail\n{5 * gib}\n", "db-2": f"Avail\n{5 * gib - 1}\n", "db-3": "df: no such option"}

    def df(_connection: object, namespace: str, pod: str, container: str, command: Sequence[str]) -> Finished:
        assert (namespace, container, command[0]) == ("mastodon", "postgres", "df")
        return Finished(0, left[pod], "")

    monkeypatch.setattr(upgrade_gate.pods, "run", df)
    answers(monkeypatch, Answering(largest=("index_statuses", 2 * gib)))
    assert at_4_6.refused(**TO_4_7) == [
        "Pod mastodon/db-2: has too little room for migrations: 5120 MiB are free, and building the largest index anew, index_statuses, may take "
        "5120 MiB. Raise cnpg_cluster_storage_size."
    ]
    assert next(said for said in at_4_6.said if "db-3" in said).startswith("skipped: free space of Pod mastodon/db-3, ")


def test_another_client_is_said_and_the_operators_own_are_not(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Session(1, "cnpg_metrics_exporter", "", 0)
    answers(monkeypatch, Answering(sessions=(operator, Session(9, "grafana", "", 0))))
    at_4_6.check(**TO_4_7)
    assert at_4_6.said == [
        f"PostgreSQL {HOST} has another client, which may block migrations: a client of grafana (process 9). Stop it for the upgrade.",
        NO_VOLUMES,
    ]


def test_one_that_cannot_be_asked_is_said_and_one_that_refuses_is_refused(
    at_4_6: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_unused: object) -> Contents:
        raise stores.NotAskedError("PostgreSQL db:5432", "cannot be asked", "timed out", "")

    monkeypatch.setattr(stores.Asked, "contents", silent)
    at_4_6.check(**TO_4_7)
    assert at_4_6.said == [
        "skipped the look into PostgreSQL db:5432 before the upgrade, which cannot be asked from here: timed out"
    ]

    def refusing(*_unused: object) -> Contents:
        raise MastodonError("PostgreSQL db:5432", "mastodon cannot use mastodon", "no such role", "")

    monkeypatch.setattr(stores.Asked, "contents", refusing)
    assert at_4_6.refused(**TO_4_7)[0].startswith("PostgreSQL db:5432: mastodon cannot use mastodon")


def test_a_run_that_upgrades_nothing_does_not_ask_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.launch()
    reader = answers(monkeypatch, Answering(frozenset(), same=1))
    world.check(version="v4.7.2", postgresql=STORE)
    world.check(version="v4.7.4", postgresql=STORE)
    assert reader.compared == 0


@pytest.mark.parametrize(
    ("series", "last"),
    [((4, 2), ""), ((4, 3), "20240307180905"), ((4, 6), "20250520192024"), ((4, 7), "20260804081821")],
)
def test_what_must_have_run_is_of_that_series_or_the_last_before_it_that_has_any(
    series: tuple[int, int], last: str
) -> None:
    assert left_to_run(series) == last


def test_of_a_series_that_is_too_new_to_be_known_what_is_known_must_have_run() -> None:
    found = Contents(RAN, (), 0)
    (problem,) = database_gate.problems("PostgreSQL x", found, Release(4, 9, 0), Release(4, 10, 0), ())
    assert "20260804081821" in str(problem)
