# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rook asks of Rook, judged by the kinds and the chart of the release that it pins, and of the lab's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.integration.api.kinds import Judge
from ansible_collections.fediverse.mastodon.tests.integration.api.published import unknown
from ansible_collections.fediverse.mastodon.tests.integration.api.rook import Release
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import ROOT, Site
from mastodon_lab import versions

PINS = yaml.safe_load((ROOT / "roles/rook/vars/main/versions.yml").read_text())["rook_pins"]
PINNED = PINS["chart"]
ALLOWED = "ROOK_OBC_ALLOW_ADDITIONAL_CONFIG_FIELDS"
# Before there was that setting, in v1.16 and older.
EVERYTHING = "maxObjects,maxSize,bucketPolicy,bucketLifecycle"
TEMPLATE = {
    "metadata": {"name": "data"},
    "spec": {
        "resources": {"requests": {"storage": "10Gi"}},
        "storageClassName": "local",
        "volumeMode": "Block",
        "accessModes": ["ReadWriteOnce"],
    },
}
DOCUMENTED = yaml.safe_load((ROOT / "roles/rook/meta/argument_specs.yml").read_text())["argument_specs"]["main"][
    "options"
]
# Of disks, the fields that the argument spec describes.
NESTED = ("devices", "nodes", "storageClassDeviceSets")
# Every way in which disks are named.
STORAGES: dict[str, dict[str, Any]] = {
    "all disks": {"useAllDevices": True},
    "a name by filter": {"deviceFilter": "^sd[b-d]$"},
    "a path by filter": {"devicePathFilter": "^/dev/disk/by-path/pci-0000:00:1f.2-ata-[2-4]$"},
    "disks of every node": {"devices": [{"name": "sdb"}, {"name": "/dev/disk/by-id/ata-ST4000DM004-XXXX"}]},
    "disks of nodes": {
        "nodes": [
            {"name": "one", "devices": [{"name": "sdb", "config": {"osdsPerDevice": "2"}}]},
            {"name": "two", "deviceFilter": "^nvme", "config": {"encryptedDevice": "true"}},
            {"name": "three", "useAllDevices": True},
        ]
    },
    "volumes": {
        "storageClassDeviceSets": [{"name": "set", "count": 3, "portable": True, "volumeClaimTemplates": [TEMPLATE]}]
    },
}
# The Ceph of a lab that has all of the internet.
KIND = yaml.safe_load((ROOT / "inventories/kind/group_vars/clusters/ceph.yml").read_text())
CASES: dict[str, dict[str, Any]] = {
    **{name: {"rook_storage": storage} for name, storage in STORAGES.items()},
    "one node": {"rook_profile": "minimal"},
    "three nodes": {"rook_profile": "ha"},
    "kind": {
        "rook_profile": "minimal",
        "rook_storage": {"devices": [{"name": "/dev/loop200"}]},
        "rook_cluster_spec": KIND["small_ceph_spec"],
    },
    "a bound and a policy": {"rook_bucket_size": "100G", "rook_access_before": {"acl": False}},
}


@pytest.fixture(scope="module", params=sorted({PINNED, versions.ROOK}))
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release.fetched(request.param, tmp_path_factory.mktemp("rook"))


@pytest.fixture(scope="module")
def judge(release: Release, kubeconfig: str, kubectl: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with Judge.of(release.kinds(), kubeconfig, kubectl, tmp_path_factory.mktemp("kubectl")) as made:
        yield made


def rendered(cluster: Cluster, **settings: Any) -> dict[str, Any]:
    """Return what the role applies, in the test's namespace."""
    usual = {"rook_backend": "rook", "rook_storage": STORAGES["a name by filter"], "rook_cluster_name": "ceph"}
    spaces = {"rook_namespace": cluster.namespace, "rook_claim_namespace": cluster.namespace}
    objects = Site(**{**usual, **spaces, **settings}).objects("rook")
    return {name: item for name, item in objects.items() if "toolkit.fluxcd.io" not in item["apiVersion"]}


def settings_of(release: Release, site: Site) -> dict[str, str]:
    """Return the operator's settings, as the chart makes them of the role's values."""
    made = release.rendered(site.value("rook_base_values"), site.value("rook_namespace"))
    (found,) = (item["data"] for item in made if item["metadata"]["name"] == "rook-ceph-operator-config")
    return dict(found)


def fields(schema: Mapping[str, Any], below: str, items: str) -> dict[str, Any]:
    """Return what there is by name in a schema or an argument spec, as far down as the argument spec says more than that it is free."""
    inner = schema.get(items) or schema
    return {name: fields(field, below, items) if name in NESTED else {} for name, field in inner.get(below, {}).items()}


@pytest.mark.parametrize("case", CASES)
def test_rook_s_own_kinds_take_what_the_role_applies(judge: Judge, cluster: Cluster, case: str) -> None:
    objects = rendered(cluster, **CASES[case])
    kinds = {item["kind"] for item in objects.values()}
    assert {"CephCluster", "CephObjectStore", "ObjectBucketClaim", "StorageClass"} <= kinds
    assert ("CephBlockPool" in kinds) == (CASES[case].get("rook_profile") == "minimal")
    assert judge.refusal(objects.values()) == ""


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        ({"devicesFilter": "^sdb$"}, "spec.storage.devicesFilter: field not declared in schema"),
        ({"deviceFilter": ["sdb"]}, "spec.storage.deviceFilter"),
        ({"storageClassDeviceSets": [{"name": "set", "count": 0}]}, "spec.storage.storageClassDeviceSets[0]"),
    ],
    ids=["a field that is not there", "of another type", "too few and incomplete"],
)
def test_they_refuse_what_the_role_never_applies(
    judge: Judge, cluster: Cluster, storage: dict[str, Any], says: str
) -> None:
    objects = rendered(cluster, rook_storage=storage)
    assert says in judge.refusal([objects["CephCluster ceph"]])


@pytest.mark.parametrize("release", [PINNED], indirect=True)
def test_disks_are_named_by_all_that_the_pinned_rook_names_them_by(release: Release) -> None:
    """Whatever else is there would be refused, and what is not there would be passed over by none but the API server."""
    (crd,) = (item for item in release.kinds().crds if item["spec"]["names"]["kind"] == "CephCluster")
    (version,) = crd["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["storage"]
    assert fields(schema, "properties", "items") == fields(DOCUMENTED["rook_storage"], "options", "")


@pytest.mark.parametrize("release", [PINNED], indirect=True)
def test_the_pinned_chart_has_every_value_that_the_role_sets(release: Release) -> None:
    for values in (Site().value("rook_base_values"), KIND["small_rook_values"]):
        assert [*unknown(values, release.default_values)] == []


def test_a_claim_asks_for_no_more_than_the_operator_was_told_to_allow(release: Release) -> None:
    site = Site(rook_backend="rook", rook_bucket_size="100G", rook_access_before={"acl": False})
    allowed = settings_of(release, site).get(ALLOWED, EVERYTHING).split(",")
    assert site.value("rook_claim_config").keys() <= {*allowed}


def test_the_bucket_s_class_is_of_the_provisioner_that_the_operator_is(release: Release) -> None:
    """It is called after its namespace or not: ceph-object-bucket-claim in Rook's documentation."""
    site = Site(rook_backend="rook")
    settings = settings_of(release, site)
    assert (settings["ROOK_OBC_WATCH_OPERATOR_NAMESPACE"], settings.get("ROOK_OBC_PROVISIONER_NAME_PREFIX")) == (
        "true",
        None,
    )
    assert site.value("rook_bucket_provisioner") == f"{site.value('rook_namespace')}.ceph.rook.io/bucket"


@pytest.mark.parametrize("release", [PINNED], indirect=True)
def test_ceph_is_of_the_series_that_the_pinned_rook_comes_with(release: Release) -> None:
    assert PINS["ceph"].split(".")[:2] == release.ceph.rpartition(":")[2].split(".")[:2]
