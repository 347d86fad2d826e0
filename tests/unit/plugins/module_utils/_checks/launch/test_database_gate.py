# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a database stands between a Mastodon that runs and the next minor series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import database_gate, stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.database_gate import Contents
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import left_to_run
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Session
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import WANTED, World

HOST = "mastodon-db-rw.mastodon.svc"
RAN = frozenset({"20240307180905", "20250520192024", "20260611150940"})
STORE = {**WANTED["postgresql"], "direct_host": HOST, "username": "mastodon"}
TO_4_7: dict[str, Any] = {"version": "v4.7.4", "accepted": ["4.7:no_way_back"], "postgresql": STORE}
QUIET = Session(7, "mastodon", "puma", 2)


class Answering:
    """A reader of a database, which counts how often accounts were compared."""

    def __init__(self, migrations: frozenset[str] = RAN, sessions: Sequence[Session] = (QUIET,), same: int = 0) -> None:
        self.found = Contents(migrations, sessions, same)
        self.compared = 0

    def migrations(self) -> frozenset[str]:
        return self.found.migrations

    def sessions(self) -> Sequence[Session]:
        return self.found.sessions

    def same_uris(self) -> int:
        self.compared += 1
        return self.found.same_uris


@pytest.fixture
def at_4_6(world: World) -> World:
    world.launch("ghcr.io/mastodon/mastodon:v4.6.9")
    return world


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
    assert at_4_6.said == []
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
    reader = answers(monkeypatch, Answering(same=12))
    world.check(version="v4.6.9", postgresql=STORE)
    assert reader.compared == 0


@pytest.mark.parametrize("application", ["pg_dump", ""])
def test_whoever_holds_it_for_long_is_named(at_4_6: World, monkeypatch: pytest.MonkeyPatch, application: str) -> None:
    answers(monkeypatch, Answering(sessions=(QUIET, Session(42, "mastodon", application, 300))))
    assert at_4_6.refused(**TO_4_7) == [
        f"PostgreSQL {HOST}: is held by {application or 'a client'} of mastodon (process 42): it has been in a transaction for 300 seconds, and "
        "migrations would wait for it. Let it end, or end it."
    ]


def test_another_client_is_said_and_the_operators_own_are_not(at_4_6: World, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Session(1, "cnpg_metrics_exporter", "", 0)
    answers(monkeypatch, Answering(sessions=(operator, Session(9, "grafana", "", 0))))
    at_4_6.check(**TO_4_7)
    assert at_4_6.said == [
        f"PostgreSQL {HOST} has another client, which may block migrations: a client of grafana (process 9). Stop it for the upgrade."
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
