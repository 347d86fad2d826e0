# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that Vault lost: as long as a copy, or what they encrypted, is anywhere, they are not created again."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import NoPodError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    OWNER,
    WANTED,
    World,
    mirror,
)

FROM_CLUSTER = (
    "Write it back from the cluster: kubectl get secret -n mastodon mastodon-app -o json | jq '.data | map_values(@base64d) | "
    '{"are-primary-key": ."are-primary-key", "secret-key-base": ."secret-key-base"}\' '
    f"| bao kv put -mount=secret {APP} -"
)


def test_keys_that_only_the_cluster_holds_are_written_back(world: World) -> None:
    world.launch()
    world.lose(APP)
    assert world.refused() == [
        f"Vault path secret/{APP}: is empty: Secret mastodon/mastodon-app holds it, so it is not created again. {FROM_CLUSTER}"
    ]


def test_keys_of_the_cluster_count_after_the_release_is_gone_too(world: World) -> None:
    world.secret("mastodon/mastodon-app", KEYS)
    assert world.refused()[0].endswith(FROM_CLUSTER)


def test_only_what_is_lacking_is_written_back(world: World) -> None:
    world.launch()
    world.store(APP, {"secret-key-base": "rotated-canary"})
    reported = world.refused()[0]
    assert "are-primary-key missing: Secret mastodon/mastodon-app holds it" in reported
    chosen = '{"are-primary-key": ."are-primary-key"}'
    assert reported.endswith(f"| map_values(@base64d) | {chosen}' | bao kv patch -mount=secret {APP} -")


def test_a_deleted_version_is_brought_back(world: World) -> None:
    world.launch()
    world.store(APP, None)
    assert world.refused()[0].endswith(f"Bring it back: bao kv undelete -mount=secret -versions=2 {APP}.")


def test_a_destroyed_version_comes_from_the_cluster_or_a_backup(world: World) -> None:
    world.launch()
    world.store(APP, None)
    world.vault.destroyed.add((f"secret/data/{APP}", 2))
    assert "is destroyed" in world.refused()[0]
    assert world.refused()[0].endswith(FROM_CLUSTER)


def test_what_an_older_version_holds_is_brought_back(world: World) -> None:
    world.launch()
    world.remove("Secret", "mastodon-app")
    world.store(APP, {})
    assert "version 1 holds it, so it is not created again" in world.refused()[0]


def test_what_is_lost_everywhere_comes_from_a_backup(world: World) -> None:
    world.launch()
    world.lose(APP)
    world.remove("Secret", "mastodon-app")
    assert world.refused() == [
        f"Vault path secret/{APP}: is empty: a Mastodon that runs was launched with it, so it is not created again. "
        "Restore it from a backup of Vault."
    ]


@pytest.mark.parametrize("left", ["Cluster", "PersistentVolumeClaim"])
def test_a_database_without_its_keys_gets_no_new_ones(world: World, left: str) -> None:
    if left == "Cluster":
        world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db")
    else:
        labels = {"cnpg.io/cluster": "mastodon-db"}
        world.put("v1", "PersistentVolumeClaim", "mastodon/mastodon-db-1", metadata={"labels": labels})
    name = "mastodon-db" if left == "Cluster" else "mastodon-db-1"
    assert world.refused() == [
        f"Vault path secret/{APP}: is empty: {left} mastodon/{name} may hold what nothing else can decrypt, so it is not created "
        "again. Restore it from a backup of Vault, or write it there. If nothing in it is needed, delete it first."
    ]


@pytest.mark.parametrize(
    ("schema", "refused"), [("", False), ("20230907150100", False), ("20241007071624", True), ("20260805130216", True)]
)
def test_a_server_of_yours_that_holds_encrypted_columns_gets_no_new_keys(
    world: World, monkeypatch: pytest.MonkeyPatch, schema: str, refused: bool
) -> None:
    asked: list[str] = []

    def ask(_server: Any, _user: str, password: str, _database: str) -> postgresql_server.Found:
        asked.append(password)
        return postgresql_server.Found("17.6", "UTF8", may_create=True, schema=schema)

    monkeypatch.setattr(postgresql_server, "ask", ask)
    external = {
        "host": "db.example.org",
        "port": 5432,
        "username": "m",
        "database": "social",
        "path": OWNER,
        "sslmode": "require",
    }
    options: dict[str, Any] = {
        "postgresql": {"cluster": "", "version": "", "password": "given-canary", **external},
        "secrets": WANTED["secrets"][:1],
    }
    if not refused:
        assert world.check(**options)["launched"] is False
    else:
        assert "database social at db.example.org may hold what nothing else can decrypt" in world.refused(**options)[0]
    assert set(asked) == {"given-canary"}


EXTERNAL: dict[str, Any] = {
    "cluster": "",
    "version": "",
    "host": "db.example.org",
    "sslmode": "require",
    "port": 5432,
    "username": "m",
    "database": "social",
    "path": OWNER,
    "password": "",
}


def of_a_server_of_yours(**other: Any) -> dict[str, Any]:
    return {"postgresql": {**EXTERNAL, **other}, "secrets": WANTED["secrets"][:1]}


def test_a_server_whose_password_nobody_gave_gets_no_keys_as_it_may_be_encrypted_already(world: World) -> None:
    assert world.refused(**of_a_server_of_yours()) == [
        "PostgreSQL db.example.org:5432: could not be asked whether it holds a Mastodon already: its password is neither in Vault "
        "path mastodon/example.org/postgresql nor in vault_given_secrets: its encryption keys would be created again. Give its "
        "password in vault_given_secrets, write the keys that it was encrypted with to Vault, or set mastodon_database_is_new "
        "to true if nothing is in it."
    ]


@pytest.mark.parametrize(
    "failure",
    [
        TimeoutError("timed out"),
        postgresql_server.native.InterfaceError("network error on read"),
        NoPodError("Service db/db", "cannot be reached", "no pod behind it is ready", "Check its pods."),
    ],
)
def test_a_server_that_cannot_be_asked_gets_no_keys_unless_its_database_is_new(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_unused: Any, **_named: Any) -> None:
        raise failure

    monkeypatch.setattr(postgresql_server.Server, "open", lambda *_unused: socket.socket())
    monkeypatch.setattr(postgresql_server.native, "Connection", fail)
    options = of_a_server_of_yours(password="given-canary")
    [reported] = world.refused(**options)
    assert reported.startswith(
        "PostgreSQL db.example.org:5432: could not be asked whether it holds a Mastodon already: "
    )
    assert str(failure).rstrip(".") in reported
    assert world.check(**options, database_is_new=True)["launched"] is False
    world.store(APP, KEYS)
    assert world.check(**options)["launched"] is False, "nothing is to be made"


def test_a_server_that_tells_of_a_mastodon_is_believed_whatever_the_settings_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = postgresql_server.Found("17.6", "UTF8", may_create=True, schema="20260805130216")
    monkeypatch.setattr(postgresql_server, "ask", lambda *_unused: found)
    [reported] = world.refused(**of_a_server_of_yours(password="given-canary"), database_is_new=True)
    assert "database social at db.example.org may hold what nothing else can decrypt" in reported


def test_a_password_of_a_database_may_be_made_again_when_nothing_runs(world: World) -> None:
    world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db")
    assert world.check(secrets=[mirror(OWNER, "mastodon-db-owner", {"password": ""})])["launched"] is False


def test_a_secret_that_calls_its_keys_otherwise_is_written_back_under_vaults_names(world: World) -> None:
    world.secret("mastodon/data-restic", {"RESTIC_PASSWORD": "backup-canary"})
    restic = mirror("m/restic", "data-restic", {"password": ""}, names={"password": "RESTIC_PASSWORD"})
    assert '{"password": ."RESTIC_PASSWORD"}' in world.refused(secrets=[restic])[0]


def test_what_a_running_mastodon_has_no_use_for_yet_is_made(world: World) -> None:
    world.launch()
    restic = mirror("m/restic", "data-restic", {"password": ""}, kept=False)
    assert world.check(secrets=[*WANTED["secrets"], restic])["launched"]


def test_what_is_looked_for_only_when_keys_are_lost_costs_a_run_nothing(world: World) -> None:
    world.launch()
    world.api.calls.clear()
    world.vault.calls.clear()
    world.check()
    assert sorted(world.api.calls) == sorted(
        [
            "discover",
            "read ConfigMap",
            "read CephCluster rook-ceph",
            "read FluxInstance",
            "read HelmRelease",
            "read ExternalSecret",
            "read ClusterSecretStore vault-mastodon",
            "read Deployment mastodon/mastodon-web",
            "read Gateway gateway-system/shared",
            "read HTTPRoute mastodon/mastodon",
            "read Secret mastodon/mastodon-app",
            "read Secret mastodon/mastodon-db-owner",
            "read Service default/kubernetes",
            "read ServiceCIDR kubernetes",
        ]
    )
    assert len(world.vault.calls) == 3
