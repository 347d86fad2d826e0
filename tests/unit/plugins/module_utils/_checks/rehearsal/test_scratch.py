# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cluster that is restored into is as its origin, archives nothing, and reaches no more than it must."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import origin, scratch
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_origin import (
    CLUSTER,
    STORE,
)

SPEC: dict[str, Any] = {
    **CLUSTER["spec"],
    "instances": 3,
    "imageName": "ghcr.io/cloudnative-pg/postgresql:17.11",
    "storage": {"size": "20Gi", "storageClass": "fast"},
    "walStorage": {"size": "5Gi"},
    "resources": {"requests": {"memory": "1Gi"}},
    "affinity": {"enablePodAntiAffinity": True, "nodeSelector": {"disk": "ssd"}},
    "postgresql": {
        "parameters": {"max_connections": "200"},
        "synchronous": {"method": "any", "number": 1},
        "shared_preload_libraries": ["pg_cron", "pg_stat_statements"],
    },
    "managed": {"roles": [{"name": "reader"}]},
}
LOGIN = scratch.Login("mastodon_production", "mastodon", "mastodon-db-owner")


def restored(target: datetime | None = None, **spec: Any) -> dict[str, Any]:
    cluster = copy.deepcopy(CLUSTER) | {"spec": {**SPEC, **spec}}
    return scratch.cluster(origin.find(cluster, {"store": STORE}, []), LOGIN, target)


def test_it_is_of_the_same_image_sizes_and_parameters_and_of_one_instance() -> None:
    spec = restored()["spec"]
    same = ("imageName", "storage", "walStorage", "resources")
    assert {key: spec[key] for key in same} == {key: SPEC[key] for key in same}
    assert (spec["instances"], spec["enablePDB"]) == (1, False)
    assert spec["postgresql"]["parameters"] == {"max_connections": "200"}
    assert spec["affinity"] == {"nodeSelector": {"disk": "ssd"}}


def test_it_takes_the_image_that_runs_rather_than_one_that_is_about_to() -> None:
    cluster = copy.deepcopy(CLUSTER) | {"spec": SPEC, "status": {"image": "ghcr.io/cloudnative-pg/postgresql:17.10"}}
    made = scratch.cluster(origin.find(cluster, {"store": STORE}, []), LOGIN, None)
    assert made["spec"]["imageName"] == "ghcr.io/cloudnative-pg/postgresql:17.10"


def test_it_takes_the_catalog_of_one_that_has_one() -> None:
    reference = {"apiGroup": "postgresql.cnpg.io", "kind": "ClusterImageCatalog", "name": "official", "major": 17}
    spec = restored(imageCatalogRef=reference, imageName="")["spec"]
    assert spec["imageCatalogRef"] == reference
    assert "imageName" not in spec


def test_it_archives_nothing_and_acts_on_nobody() -> None:
    spec = restored()["spec"]
    assert {"plugins", "backup", "managed", "replica"} & spec.keys() == set()
    assert spec["postgresql"]["shared_preload_libraries"] == ["pg_stat_statements"]


def test_it_is_restored_from_the_archive_of_its_origin_with_its_database_and_owner() -> None:
    spec = restored()["spec"]
    assert spec["bootstrap"]["recovery"] == {
        "source": "origin",
        "database": "mastodon_production",
        "owner": "mastodon",
        "secret": {"name": "mastodon-db-owner"},
    }
    [external] = spec["externalClusters"]
    assert external["name"] == "origin"
    assert external["plugin"]["parameters"] == {"barmanObjectName": "store", "serverName": "server-2"}


def test_it_is_restored_to_the_time_that_was_asked_for() -> None:
    recovery = restored(datetime(2026, 11, 29, 3, tzinfo=UTC))["spec"]["bootstrap"]["recovery"]
    assert recovery["recoveryTarget"] == {"targetTime": "2026-11-29T03:00:00Z"}


def test_it_is_imported_by_another_image_from_its_origin_alone() -> None:
    found = origin.find(copy.deepcopy(CLUSTER) | {"spec": SPEC}, {"store": STORE}, [])
    spec = scratch.cluster(found, LOGIN, None, "postgresql:18")["spec"]
    assert (spec["imageName"], spec["storage"]) == ("postgresql:18", SPEC["storage"])
    [source], initdb = spec["externalClusters"], spec["bootstrap"]["initdb"]
    assert (initdb["owner"], initdb["import"]["databases"]) == ("mastodon", ["mastodon_production"])
    assert initdb["import"]["source"] == {"externalCluster": source["name"]}
    assert source["connectionParameters"]["host"] == "mastodon-db-rw.mastodon.svc"
    assert (source["sslRootCert"]["name"], source["password"]["name"]) == ("mastodon-db-ca", "mastodon-db-owner")
    egress = scratch.policy(found, scratch.Ways((6443,), (8333,)), imports=True)["spec"]["egress"]
    to = [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "mastodon-db"}}}]
    assert egress[1:] == [{"ports": [{"port": 5432, "protocol": "TCP"}], "to": to}]


def test_all_of_it_is_labelled_so_that_it_is_found_again() -> None:
    made = restored()
    assert made["metadata"]["name"] == "mastodon-db-rehearsal"
    assert made["metadata"]["labels"] == made["spec"]["inheritedMetadata"]["labels"] == {scratch.LABEL: "mastodon-db"}


@pytest.mark.parametrize(
    ("namespace", "to"),
    [
        ("", None),
        ("object-store", [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "object-store"}}}]),
    ],
)
def test_it_reaches_dns_the_api_server_and_its_store(namespace: str, to: Any) -> None:
    made = scratch.policy(origin.find(CLUSTER, {"store": STORE}, []), scratch.Ways((6443,), (8333,), namespace))
    spec = made["spec"]
    assert spec["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "mastodon-db-rehearsal"}}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    system, store = spec["egress"]
    assert {(one["port"], one["protocol"]) for one in system["ports"]} == {
        *((port, protocol) for port in (53, 5353) for protocol in ("UDP", "TCP")),
        (6443, "TCP"),
    }
    assert store["ports"] == [{"port": 8333, "protocol": "TCP"}]
    assert store.get("to") == to


def test_it_lets_in_who_asks_how_it_is_and_nobody_who_asks_for_data() -> None:
    made = scratch.policy(origin.find(CLUSTER, {"store": STORE}, []), scratch.Ways((6443,), (443,)))
    assert made["spec"]["ingress"] == [{"ports": [{"port": 8000, "protocol": "TCP"}]}]
