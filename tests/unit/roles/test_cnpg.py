# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles cnpg, dragonfly and volsync ask of their operators."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Site

BACKUP = {"cnpg_backup": True, "cnpg_backup_endpoint": "https://s3.example.net", "cnpg_backup_bucket": "b"}
VOLUMES = {"volsync_volumes": [{"name": "pages"}], "volsync_endpoint": "https://s3.example.net", "volsync_bucket": "v"}


def cluster(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = Site(**settings).objects("cnpg")["Cluster mastodon-db"]["spec"]
    return found


@pytest.mark.parametrize(("instances", "has_budget"), [(1, False), (2, True), (3, True)])
def test_a_database_of_one_instance_keeps_no_node_from_being_drained(instances: int, has_budget: bool) -> None:
    assert cluster(cnpg_cluster_instances=instances)["enablePDB"] is has_budget


def test_postgresql_comes_by_a_dated_tag_and_a_digest() -> None:
    # The digest decides what is pulled, the tag is for people and for the checks of the version.
    assert re.fullmatch(
        r"ghcr\.io/cloudnative-pg/postgresql:17\.\d+-\d{12}-standard-\w+@sha256:[0-9a-f]{64}", cluster()["imageName"]
    )
    assert Site().value("mastodon_stores")["postgresql"]["version"].startswith("17.")


def began(server_name: str, restored_from: str = "", restored_at: str = "") -> dict[str, Any]:
    found = {"server_name": server_name, "restored_from": restored_from, "restored_at": restored_at}
    return cluster(**BACKUP, cnpg_began=found, cnpg_restore_from="whatever", cnpg_restore_at="2026-11-29T03:00:00Z")


def server_names(spec: dict[str, Any]) -> list[str]:
    return [one["parameters"]["serverName"] for one in spec["plugins"]]


def test_a_database_begins_empty_and_is_backed_up_under_its_own_name() -> None:
    spec = cluster(**BACKUP)
    assert list(spec["bootstrap"]) == ["initdb"]
    assert "externalClusters" not in spec
    assert server_names(spec) == ["mastodon-db"]
    assert server_names(cluster(**BACKUP, cnpg_backup_server_name="chosen")) == ["chosen"]


def test_what_is_restored_comes_from_one_folder_and_is_backed_up_to_another() -> None:
    spec = began("mastodon-db-2", "mastodon-db")
    recovery = spec["bootstrap"].pop("recovery")
    assert spec["bootstrap"] == {}
    assert recovery == {
        "source": "origin",
        "database": "mastodon",
        "owner": "mastodon",
        "secret": {"name": "mastodon-db-owner"},
    }
    [origin] = spec["externalClusters"]
    assert origin["name"] == recovery["source"]
    assert origin["plugin"]["name"] == spec["plugins"][0]["name"]
    assert origin["plugin"]["parameters"] == {"barmanObjectName": "mastodon-db", "serverName": "mastodon-db"}
    assert server_names(spec) == ["mastodon-db-2"]


def test_what_is_imported_comes_over_tls_from_the_former_one_as_its_owner_and_stays_as_it_began() -> None:
    now = cluster(**BACKUP, cnpg_began={"server_name": "mastodon-db-2"}, cnpg_import_from="mastodon-db")
    initdb, [former] = now["bootstrap"]["initdb"], now["externalClusters"]
    assert (initdb["database"], initdb["import"]["type"], initdb["import"]["databases"]) == (
        "mastodon",
        "microservice",
        ["mastodon"],
    )
    assert initdb["import"]["source"] == {"externalCluster": former["name"]}
    assert former["connectionParameters"] == {
        "host": "mastodon-db-rw.mastodon.svc",
        "user": "mastodon",
        "dbname": "mastodon",
        "sslmode": "verify-full",
    }
    assert (former["sslRootCert"]["name"], former["password"]) == (
        "mastodon-db-ca",
        {"name": "mastodon-db-owner", "key": "password"},
    )
    assert server_names(now) == ["mastodon-db-2"]
    assert cluster(**BACKUP, cnpg_began={"server_name": "mastodon-db-2", "imported_from": "mastodon-db"}) == now


def test_a_time_is_restored_to_when_it_was_asked_for_before_the_database_was_there() -> None:
    target = began("mastodon-db-2", "mastodon-db", "2026-11-28T03:00:00Z")["bootstrap"]["recovery"]["recoveryTarget"]
    assert target == {"targetTime": "2026-11-28T03:00:00Z"}


def test_what_is_asked_for_later_changes_nothing_of_one_that_began_empty() -> None:
    spec = began("mastodon-db")
    assert list(spec["bootstrap"]) == ["initdb"]
    assert server_names(spec) == ["mastodon-db"]


NEXT = {"cnpg_generation": {"place": "mastodon/mastodon-db", "current": "mastodon-db-2", "former": "mastodon-db"}}


def test_after_a_restore_all_leads_to_the_cluster_that_was_restored() -> None:
    site = Site(**BACKUP, **NEXT, cnpg_pooler=True, cnpg_backup_server_name="of-the-first")
    made = site.objects("cnpg")
    restored = made["Cluster mastodon-db-2"]["spec"]
    assert "Cluster mastodon-db" not in made
    assert server_names(restored) == ["mastodon-db-2"]
    assert restored["plugins"][0]["parameters"]["barmanObjectName"] == "mastodon-db"
    assert {
        made[name]["spec"]["cluster"]["name"] for name in ("ScheduledBackup mastodon-db-2", "Pooler mastodon-db-pooler")
    } == {"mastodon-db-2"}
    assert made["NetworkPolicy mastodon-db"]["spec"]["podSelector"] == {
        "matchExpressions": [{"key": "cnpg.io/cluster", "operator": "In", "values": ["mastodon-db-2", "mastodon-db"]}]
    }
    assert restored["bootstrap"]["initdb"]["secret"] == {"name": "mastodon-db-owner"}
    assert site.value("cnpg_direct_host") == "mastodon-db-2-rw.mastodon.svc"
    assert site.value("mastodon_stores")["postgresql"]["cluster"] == "mastodon/mastodon-db-2"
    assert (site.value("mastodon_beginning")["cluster"], site.value("mastodon_beginning")["server_name"]) == (
        "mastodon-db-2",
        "",
    )


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        ({}, True),
        (NEXT, False),
        ({**NEXT, "cnpg_restoring": True}, True),
        ({**NEXT, "cnpg_cluster_name": "other"}, True),
        ({**NEXT, "cnpg_cluster_namespace": "other"}, True),
    ],
    ids=["alone", "after the doctor", "by a restore", "another database in the same play", "one of another namespace"],
)
def test_which_cluster_it_is_is_asked_once_and_by_a_restore_anew(settings: dict[str, Any], asks: bool) -> None:
    tasks = Site(**settings).tasks("cnpg", "instance.yml")
    assert tasks["Find which Cluster is Mastodon's database"]["when"] is asks


def test_another_database_than_the_one_that_was_asked_for_is_the_one_of_its_settings() -> None:
    assert Site(**NEXT, cnpg_cluster_name="other").value("cnpg_direct_host") == "other-rw.mastodon.svc"


def environment(**settings: Any) -> dict[str, str]:
    store = Site(**BACKUP, **settings).objects("cnpg")["ObjectStore mastodon-db"]["spec"]
    return {one["name"]: one["value"] for one in store["instanceSidecarConfiguration"]["env"]}


def test_backups_are_signed_for_the_region_of_their_bucket() -> None:
    assert "AWS_DEFAULT_REGION" not in environment()
    assert environment(cnpg_backup_region="eu-central-1")["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_backups_of_volumes_are_signed_for_the_region_of_their_bucket() -> None:
    def data(**settings: Any) -> dict[str, str]:
        found = Site(**VOLUMES, **settings).objects("volsync")["ExternalSecret pages-restic"]
        written: dict[str, str] = found["spec"]["target"]["template"]["data"]
        return written

    repository = {"RESTIC_REPOSITORY": "s3:https://s3.example.net/v/mastodon/pages"}
    assert data() == repository
    assert data(volsync_region="eu-central-1") == {**repository, "AWS_DEFAULT_REGION": "eu-central-1"}


def applied(role: str, file: str, task: str, **settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Site(**settings).tasks(role, file)[task]["applies"]
    return found


@pytest.mark.parametrize(
    ("role", "file", "task", "settings"),
    [
        (
            "dragonfly",
            "instance.yml",
            "Create Mastodon's cache and job queue",
            {"dragonfly_instance_namespace": "cache"},
        ),
        (
            "cnpg",
            "instance.yml",
            "Create Mastodon's database, or only the login to it",
            {"cnpg_cluster_namespace": "cache"},
        ),
        (
            "rook",
            "bucket.yml",
            "Create the bucket for media, or only the keys to it",
            {"rook_claim_namespace": "cache"},
        ),
    ],
)
def test_mastodons_pods_have_the_password_of_a_server_in_another_namespace(
    role: str, file: str, task: str, settings: dict[str, Any]
) -> None:
    def namespaces(**given: Any) -> list[str]:
        made = applied(role, file, task, **given)
        return [one["metadata"]["namespace"] for one in made if one["kind"] == "ExternalSecret"]

    assert namespaces() == ["mastodon"]
    assert namespaces(**settings) == ["mastodon", "cache"]


def test_mastodons_pods_reach_a_cache_in_another_namespace() -> None:
    task = "Create Mastodon's cache and job queue"
    elsewhere = applied("dragonfly", "instance.yml", task, dragonfly_instance_namespace="cache")
    [policy] = [one for one in elsewhere if one["kind"] == "NetworkPolicy"]
    assert policy["metadata"]["namespace"] == "cache"
    assert policy["spec"]["podSelector"]["matchLabels"] == {
        "app": "mastodon-redis",
        "app.kubernetes.io/name": "dragonfly",
    }
    [rule] = policy["spec"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "mastodon"}}}]
    assert rule["ports"] == [{"port": 6379, "protocol": "TCP"}]
    assert "NetworkPolicy" not in {one["kind"] for one in applied("dragonfly", "instance.yml", task)}


DATABASE_TASK = "Create Mastodon's database, or only the login to it"


def test_a_database_is_reached_by_its_mastodon_and_its_operator() -> None:
    def policy(**settings: Any) -> Any:
        made = applied("cnpg", "instance.yml", DATABASE_TASK, **settings)
        [found] = [one for one in made if one["kind"] == "NetworkPolicy"]
        return found

    def may_connect(found: Any) -> list[str]:
        [rule] = [rule for rule in found["spec"]["ingress"] if {"port": 5432, "protocol": "TCP"} in rule["ports"]]
        return [one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for one in rule["from"]]

    here = policy(mastodon_name="social")
    assert here["metadata"] == {"name": "social-db", "namespace": "mastodon"}
    # The pods of the database, the jobs that make and restore them, and the pooler.
    assert here["spec"]["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "social-db"}}
    assert here["spec"]["policyTypes"] == ["Ingress"]
    assert may_connect(here) == ["mastodon", "cnpg-system"]
    elsewhere = policy(cnpg_cluster_namespace="databases", cnpg_namespace="postgres-operator")
    assert elsewhere["metadata"]["namespace"] == "databases"
    assert may_connect(elsewhere) == ["mastodon", "databases", "postgres-operator"]


def test_a_database_says_how_it_is_to_whoever_asks() -> None:
    made = applied("cnpg", "instance.yml", DATABASE_TASK)
    [spec] = [one["spec"] for one in made if one["kind"] == "NetworkPolicy"]
    [asked] = [rule["ports"] for rule in spec["ingress"] if "from" not in rule]
    assert [one["port"] for one in asked] == [8000, 9187, 9127]


@pytest.mark.parametrize(
    "settings",
    [{"mastodon_network_policies": False}, {"cnpg_backend": "external", "cnpg_external_host": "db.example.org"}],
)
def test_no_policy_is_made_for_a_database_that_is_not_ours(settings: dict[str, Any]) -> None:
    made = applied("cnpg", "instance.yml", DATABASE_TASK, **settings)
    assert "NetworkPolicy" not in {one["kind"] for one in made}


def test_the_doctor_looks_where_backups_lie() -> None:
    assert {one["endpoint"] for one in Site().value("doctor_backups")} == {""}
    made = [one for one in Site(**BACKUP, **VOLUMES).value("doctor_backups") if one["endpoint"]]
    assert [(one["setting"], one["media_endpoint"]) for one in made] == [
        ("cnpg_backup_endpoint", "https://s3.example.org"),
        ("volsync_endpoint", "https://s3.example.org"),
    ]
    assert {one["endpoint"] for one in made} == {"https://s3.example.net"}
    elsewhere = Site(**BACKUP, rook_backend="rook", cnpg_backend="external", cnpg_external_host="db.example.org")
    assert {one["endpoint"] for one in elsewhere.value("doctor_backups")} == {""}
