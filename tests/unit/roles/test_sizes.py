# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a size does to the objects that are applied."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Site

SIZES = ("minimal", "small", "medium", "large")


def values(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = Site(**settings).objects("mastodon")["HelmRelease mastodon"]["spec"]["values"]
    return found


def cluster(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = Site(**settings).objects("cnpg")["Cluster mastodon-db"]["spec"]
    return found


def test_another_size_gives_other_numbers_of_everything() -> None:
    seen = []
    for size in SIZES:
        parts, database = values(mastodon_size=size)["mastodon"], cluster(mastodon_size=size)
        seen.append(
            (
                parts["web"]["resources"]["requests"]["memory"],
                str(parts["sidekiq"]["workers"]),
                database["postgresql"]["parameters"]["max_connections"],
                database["storage"]["size"],
                database["resources"]["limits"]["memory"],
            )
        )
    for column in zip(*seen, strict=True):
        assert len(set(column)) >= 3, column


def test_the_cache_follows_the_size_too() -> None:
    memory = []
    for size in ("minimal", "large"):
        spec = Site(mastodon_size=size).objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]
        assert spec["resources"]["requests"]["memory"] == spec["resources"]["limits"]["memory"]
        memory.append(spec["resources"]["limits"]["memory"])
    assert memory == ["512Mi", "4Gi"]


def test_the_chart_gets_texts_where_it_wants_texts() -> None:
    web = values()["mastodon"]["web"]
    assert (web["workers"], web["minThreads"], web["maxThreads"]) == ("2", "5", "5")
    assert web["replicas"] == 1
    assert values()["mastodon"]["streaming"]["extraEnvVars"] == {"DB_POOL": "10"}


def test_one_number_can_be_set_by_itself() -> None:
    assert values(mastodon_size="medium", mastodon_web_replicas=3)["mastodon"]["web"]["replicas"] == 3
    parameters = {"max_connections": "500", "log_min_duration_statement": "500ms"}
    found = cluster(cnpg_cluster_memory="8Gi", cnpg_cluster_parameters=parameters)["postgresql"]["parameters"]
    assert found.items() >= parameters.items()
    assert found["shared_buffers"] == "2048MB"


def test_without_a_pooler_everything_goes_to_the_database_itself() -> None:
    found = values()["postgresql"]
    assert found["hostname"] == found["direct"]["hostname"] == "mastodon-db-rw.mastodon.svc"
    assert found["preparedStatements"] is True


def test_with_a_pooler_migrations_go_around_it_and_nothing_is_prepared() -> None:
    found = values(mastodon_size="large")["postgresql"]
    assert found["hostname"] == "mastodon-db-pooler.mastodon.svc"
    assert found["direct"]["hostname"] == "mastodon-db-rw.mastodon.svc"
    assert found["preparedStatements"] is False
    pooler = Site(mastodon_size="large").objects("cnpg")["Pooler mastodon-db-pooler"]["spec"]
    assert pooler["pgbouncer"]["poolMode"] == "transaction"
    assert all(isinstance(value, str) for value in pooler["pgbouncer"]["parameters"].values())


@pytest.mark.parametrize("port", [5432, 6432])
def test_an_external_database_is_named_in_full_for_migrations_too(port: int) -> None:
    found = values(cnpg_backend="external", cnpg_external_host="db.example.org", cnpg_external_port=port)["postgresql"]
    assert found["direct"] == {"hostname": "db.example.org", "port": port, "database": "mastodon"}
    assert found["preparedStatements"] is True
