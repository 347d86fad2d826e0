# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release does not follow one that it may not follow, also when only a restored database knows which that was."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import series_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.stores import NotAskedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, RefusedLoginError
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    OWNER,
    PASSWORD,
    SALT,
    WANTED,
    World,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.test_beginning import restored

ASKED = {"postgresql": {**WANTED["postgresql"], "direct_host": "db.example.org", "port": 5432, "path": OWNER}}
ASKED["postgresql"] |= {"username": "mastodon", "database": "mastodon", "sslmode": "require", "password": ""}


@pytest.mark.parametrize(
    ("newest", "series"),
    [
        ("", None),
        ("20230907150100", (4, 2)),
        ("20240307180905", (4, 3)),
        ("20250520192024", (4, 4)),
        ("20251023210145", (4, 5)),
        ("20260401000000", (4, 5)),
        ("20260611150940", (4, 6)),
        ("20260804081821", (4, 6)),
        ("20260805130216", (4, 7)),
        ("20270101000000", (4, 7)),
    ],
)
def test_a_database_is_of_a_series_by_its_newest_migration(newest: str, series: Any) -> None:
    assert series_of(newest) == series


@pytest.fixture
def schema(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the restored database answers, or how it does not."""
    answers: list[Any] = ["20260805130216"]
    for path, data in ((APP, KEYS), (OWNER, PASSWORD)):
        world.store(path, data)
    item = restored()
    world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db", spec=item["spec"])

    def ask(*_unused: Any) -> postgresql_server.Found:
        if isinstance(answers[-1], MastodonError):
            raise answers[-1]
        return postgresql_server.Found("17.6", "UTF8", may_create=True, schema=answers[-1])

    monkeypatch.setattr(postgresql_server, "ask", ask)
    return answers


@pytest.mark.parametrize(
    ("newest", "version", "why"),
    [
        ("20230907150100", "v4.7.4", "cannot go from v4.2.0 to v4.7.4 in one step"),
        ("20240307180905", "v4.7.4", "cannot go from v4.3.0 to v4.7.4 in one step"),
        ("20250520192024", "v4.7.4", "cannot go from v4.4.0 to v4.7.4 in one step"),
        ("20240307180905", "v4.5.3", "cannot go from v4.3.0 to v4.5.3 in one step"),
        ("20251023210145", "v4.7.4", "cannot go from v4.5.0 to v4.7.4 in one step"),
        ("20260805130216", "v4.6.9", "cannot go back from v4.7.0 to v4.6.9"),
    ],
)
def test_a_release_that_may_not_follow_is_refused(
    world: World, schema: list[Any], newest: str, version: str, why: str
) -> None:
    schema.append(newest)
    [said] = world.refused(**ASKED, version=version)
    assert said.startswith(f"The database in Cluster mastodon/mastodon-db: {why}")


@pytest.mark.parametrize(
    ("newest", "version"),
    [
        ("20260805130216", "v4.7.4"),
        ("20260611150940", "v4.6.9"),
        ("20260611150940", "v4.7.4"),
        ("20250520192024", "v4.5.3"),
        ("20260805130216", "v4.7.0-rc.1"),
        ("", "v4.7.4"),
    ],
)
def test_the_same_series_follows_and_the_next_one(world: World, schema: list[Any], newest: str, version: str) -> None:
    schema.append(newest)
    assert world.check(**ASKED, version=version)["launched"] is False


@pytest.mark.parametrize("error", [NotReadyError("PostgreSQL x", "starts"), RefusedLoginError("PostgreSQL x", "no")])
def test_one_that_is_being_restored_is_asked_later(world: World, schema: list[Any], error: MastodonError) -> None:
    schema.append(error)
    assert world.check(**ASKED)["launched"] is False


def test_one_that_cannot_be_understood_is_not_let_through(world: World, schema: list[Any]) -> None:
    schema.append(MastodonError("PostgreSQL x", "speaks another language"))
    assert world.refused(**ASKED) == ["PostgreSQL x: speaks another language."]


YOURS = {
    "postgresql": {
        **ASKED["postgresql"],
        "cluster": "",
        "version": "",
        "host": "pg.example.net",
        "direct_host": "pg.example.net",
    }
}


@pytest.mark.parametrize(
    ("newest", "version", "why"),
    [
        ("20240307180905", "v4.7.4", "cannot go from v4.3.0 to v4.7.4 in one step"),
        ("20251023210145", "v4.7.4", "cannot go from v4.5.0 to v4.7.4 in one step"),
        ("20260805130216", "v4.5.3", "cannot go back from v4.7.0 to v4.5.3"),
    ],
)
def test_a_database_of_yours_that_a_mastodon_used_is_asked_by_a_new_cluster(
    world: World, schema: list[Any], newest: str, version: str, why: str
) -> None:
    world.store(SALT, {"key": "ab" * 32})
    schema.append(newest)
    [said] = world.refused(**YOURS, version=version)
    assert said.startswith(f"Database mastodon at pg.example.net: {why}")
    schema.append("20260805130216")
    assert world.check(**YOURS, version="v4.7.4")["launched"] is False
    schema.append("")
    assert world.check(**YOURS, version=version)["launched"] is False


def test_a_database_of_yours_that_cannot_be_asked_is_said_to_be_skipped(world: World, schema: list[Any]) -> None:
    world.store(SALT, {"key": "ab" * 32})
    schema.append(NotAskedError("PostgreSQL pg.example.net:5432", "cannot be asked", "no route"))
    assert world.check(**YOURS)["launched"] is False
    assert world.said[0] == (
        "skipped the check of which release used PostgreSQL pg.example.net:5432, which cannot be asked: no route"
    )


def test_one_that_began_empty_is_not_asked(world: World, schema: list[Any]) -> None:
    world.remove("Cluster", "mastodon-db")
    world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db", spec={"bootstrap": {"initdb": {}}})
    schema.append("20251023210145")
    assert world.check(**ASKED)["launched"] is False


def test_one_whose_mastodon_is_stopped_while_it_is_restored_is_asked_as_well(world: World, schema: list[Any]) -> None:
    world.put(
        "v1",
        "ConfigMap",
        "mastodon/mastodon-uninstalled",
        metadata={
            "labels": {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": "mastodon"},
            "annotations": {"fediverse.mastodon/release": "v4.7.4"},
        },
        data={"LOCAL_DOMAIN": "example.org"},
    )
    schema.append("20251023210145")
    assert any(
        "cannot go from v4.5.0 to v4.7.4 in one step" in line for line in world.refused(**ASKED, version="v4.7.4")
    )
