# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rook claims from Rook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import public_read, with_public_read

from .conftest import Site

BUCKET = "mastodon-mastodon-s3"


READ = "fediverse.mastodon.s3_public_read"


def claim(**settings: Any) -> dict[str, Any]:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, **settings}
    spec: dict[str, Any] = Site(**rook).objects("rook")["ObjectBucketClaim mastodon-s3"]["spec"]
    return spec


def test_rook_keeps_the_policy_that_the_role_proves() -> None:
    asked = claim(rook_access_before={"acl": False})["additionalConfig"]
    assert json.loads(asked["bucketPolicy"]) == with_public_read({}, BUCKET) == public_read(BUCKET)
    assert "bucketPolicy" in Site().value("rook_base_values")["obcAllowAdditionalConfigFields"].split(",")


@pytest.mark.parametrize(
    "settings",
    [
        {"rook_install": False, "rook_access": {"acl": False}},
        {"rook_anonymous_read": False, "rook_access": {"acl": False}},
        {},
        {"rook_access_before": {"acl": True}},
        {"rook_access_before": {"acl": None}, "rook_access": {"acl": True}},
        {"rook_access_before": {"acl": True}, "rook_access": {"acl": False}},
    ],
    ids=[
        "a Rook that may not allow it",
        "nobody reads",
        "not known yet",
        "ACLs decide",
        "ACLs decide of a new one",
        "another Mastodon's in the same play needs one",
    ],
)
def test_a_policy_is_claimed_only_where_it_may_and_must_be(settings: dict[str, Any]) -> None:
    assert "additionalConfig" not in claim(**settings)


@pytest.mark.parametrize(
    ("settings", "before", "after", "again"),
    [
        ({}, True, True, False),
        ({"rook_access_before": {"acl": None}, "rook_access": {"acl": False}}, True, True, True),
        ({"rook_access_before": {"acl": None}, "rook_access": {"acl": True}}, True, True, False),
        ({"rook_access_before": {"acl": False}, "rook_access": {"skipped": True}}, True, False, False),
        ({"rook_access_before": {"acl": True}, "rook_access": {"skipped": True}}, True, False, False),
        ({"rook_backend": "external", "rook_access_before": {"skipped": True}}, False, True, False),
        (
            {
                "rook_backend": "external",
                "rook_access_before": {"skipped": True},
                "rook_access": {"acl": False},
            },
            False,
            True,
            False,
        ),
    ],
    ids=["new", "new without ACLs", "new with ACLs", "known", "known with ACLs", "external", "external without ACLs"],
)
def test_the_bucket_is_asked_once_and_claimed_again_only_when_it_needs_a_policy(
    settings: dict[str, Any], before: bool, after: bool, again: bool
) -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, **settings}
    tasks = list(Site(**rook).tasks("rook", "bucket.yml").values())
    assert [task["when"] for task in tasks] == [before, True, after, again]
    asked = [task["fediverse.mastodon.s3_public_read"]["optional"] for task in (tasks[0], tasks[2])]
    assert asked == [True, False], "of another Mastodon in the same play both may be known"


def test_nothing_is_asked_of_a_bucket_before_ceph_is_well_where_it_is_ours() -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, "rook_cluster_name": "ours"}
    asked, *_others = Site(**rook).tasks("rook", "bucket.yml").values()
    (awaited,) = asked[READ]["depends_on"]
    assert (awaited["kind"], awaited["name"]) == ("CephCluster", "ours")
    for others in ({"rook_install": False}, {"rook_backend": "external"}):
        tasks = Site(**{**rook, **others}).tasks("rook", "bucket.yml").values()
        assert [task[READ]["depends_on"] for task in tasks if READ in task] == [[], []]


@pytest.mark.parametrize(("profile", "answers"), [("minimal", 1), ("ha", 3)])
def test_what_has_started_is_found_at_once_and_has_as_long_for_it_as_rook_gives_it(profile: str, answers: int) -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, "rook_profile": profile}
    objects = Site(**rook).objects("rook")
    started = objects["CephCluster rook-ceph"]["spec"]["healthCheck"]["startupProbe"]
    gateway = objects["CephObjectStore media"]["spec"]["healthCheck"]
    probes = {**started, "gateway": gateway["startupProbe"]}
    seconds = {
        name: one["probe"]["initialDelaySeconds"] + one["probe"]["periodSeconds"] * one["probe"]["failureThreshold"]
        for name, one in probes.items()
    }
    # Upstream's are 10 + 6 * 10 and 10 + 33 * 10.
    assert seconds == {"mon": 71, "mgr": 71, "gateway": 341}
    assert {one["probe"]["periodSeconds"] for one in probes.values()} == {2}
    assert gateway["readinessProbe"]["probe"]["successThreshold"] == answers


def test_ceph_and_its_store_are_asked_for_at_once_as_rook_makes_one_after_the_other_by_itself() -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, "mastodon_size": "minimal"}
    made = [item for item in Site(**rook).objects("rook").values() if item["apiVersion"].startswith("ceph.rook.io/")]
    assert len(made) == 3
    assert not [item for item in made if "annotations" in item["metadata"]]


@pytest.mark.parametrize(
    ("settings", "waits"),
    [
        ({"rook_install": True}, True),
        ({"rook_install": False}, False),
        ({"rook_access_before": {"acl": None}}, True),
        ({"rook_access_before": {"acl": True}}, False),
    ],
    ids=["installed", "adopted", "no bucket yet", "bucket that answers, though a second gateway may have no node"],
)
def test_a_claim_waits_for_the_gateway_that_rook_fulfils_it_with(settings: dict[str, Any], waits: bool) -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, "rook_store_name": "people"}
    claimed = list(Site(**rook, **settings).tasks("rook", "bucket.yml").values())[1]
    awaited = [f"{item['kind']} {item['name']}" for item in claimed["fediverse.mastodon.apply"]["depends_on"]]
    assert ("Deployment rook-ceph-rgw-people-a" in awaited) is waits


def test_a_bound_on_the_size_stands_beside_it() -> None:
    without = {"rook_access": {"acl": False}}
    assert set(claim(rook_bucket_size="100G", **without)["additionalConfig"]) == {"maxSize", "bucketPolicy"}
    assert claim(rook_bucket_size="100G", rook_install=False)["additionalConfig"] == {"maxSize": "100G"}


@pytest.mark.parametrize(
    ("storage", "all_nodes"),
    [
        ({"deviceFilter": "^sdb$"}, True),
        ({"nodes": [{"name": "one", "devices": [{"name": "sdb"}]}]}, False),
        ({"nodes": [{"name": "one", "devices": [{"name": "sdb"}]}], "useAllNodes": True}, False),
        ({"storageClassDeviceSets": [{"name": "set", "count": 3}]}, False),
        ({"storageClassDeviceSets": [{"name": "set", "count": 3}], "useAllNodes": True, "deviceFilter": "^sdb$"}, True),
        ({"nodes": [], "storageClassDeviceSets": [], "deviceFilter": "^sdb$"}, True),
        ({"useAllNodes": False, "deviceFilter": "^sdb$"}, False),
    ],
)
def test_ceph_takes_no_disk_that_was_not_named(storage: dict[str, Any], all_nodes: bool) -> None:
    rook = {"rook_backend": "rook", "rook_storage": storage}
    asked = Site(**rook).objects("rook")["CephCluster rook-ceph"]["spec"]["storage"]
    assert (asked["useAllNodes"], asked["useAllDevices"]) == (all_nodes, False)
    assert {key: value for key, value in asked.items() if not key.startswith("useAll")} == {
        key: value for key, value in storage.items() if key != "useAllNodes"
    }


def ceph(**settings: Any) -> dict[str, Any]:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, "mastodon_size": "minimal", **settings}
    spec: dict[str, Any] = Site(**rook).objects("rook")["CephCluster rook-ceph"]["spec"]
    return spec


def test_more_of_the_ceph_cluster_is_merged_over_what_the_role_writes() -> None:
    more = {
        "mon": {"count": 3},
        "cephConfig": {"global": {"mon_warn_on_pool_no_redundancy": "true", "bluefs_buffered_io": "false"}},
        "cephVersion": {"allowUnsupported": True},
        "monitoring": {"metricsDisabled": True},
        "priorityClassNames": {"all": "high"},
    }
    before, after = ceph(), ceph(rook_cluster_spec=more)
    assert after["mon"] == {"count": 3, "allowMultiplePerNode": True}
    assert after["cephConfig"] == {
        "global": {
            "osd_pool_default_size": "1",
            "mon_warn_on_pool_no_redundancy": "true",
            "bluefs_buffered_io": "false",
        }
    }
    assert after["cephVersion"] == {**before["cephVersion"], "allowUnsupported": True}
    assert {key: after[key] for key in ("monitoring", "priorityClassNames")} == {
        key: more[key] for key in ("monitoring", "priorityClassNames")
    }
    assert {key: after[key] for key in before.keys() - more.keys()} == {
        key: before[key] for key in before.keys() - more.keys()
    }


def test_a_user_may_name_all_disks() -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"useAllDevices": True}}
    assert Site(**rook).objects("rook")["CephCluster rook-ceph"]["spec"]["storage"]["useAllDevices"] is True


def bucket(namespace: str, name: str) -> str:
    found: str = Site(rook_backend="rook", rook_claim_namespace=namespace, rook_claim_name=name).value("rook_bucket")
    return found


def test_no_two_claims_have_one_bucket() -> None:
    names = ["a", "b", "a-b", "b-c", "a-b-c", "a--b", "b--c", "a-b--c"]
    made = {(namespace, name): bucket(namespace, name) for namespace in names for name in names}
    assert len(set(made.values())) == len(made)
    assert bucket("mastodon", "mastodon-s3") == BUCKET


def test_the_nodes_and_classes_that_disks_are_taken_of_must_be_there() -> None:
    templates = [{"spec": {"storageClassName": "fast"}}, {"spec": {"volumeMode": "Block"}}]
    sets = [{"name": name, "volumeClaimTemplates": templates} for name in ("one", "two")]
    storage = {"nodes": [{"name": "one"}, {"name": "two"}], "storageClassDeviceSets": sets}
    wanted = {
        "cnpg_backend": "external",
        "dragonfly_backend": "external",
        "rook_backend": "rook",
        "rook_storage": storage,
    }
    assert Site(**wanted).value("doctor_nodes") == ["one", "two"]
    by = "storageClassName in rook_storage"
    assert Site(**wanted).value("doctor_storage_classes") == [
        {"name": "fast", "wanted_by": by},
        {"name": "", "wanted_by": by},
    ]
    for settings in (
        {"rook_install": False},
        {"rook_backend": "external"},
        {"rook_storage": {"deviceFilter": "^sdb$"}},
    ):
        other = Site(**{**wanted, **settings})
        assert (other.value("doctor_nodes"), other.value("doctor_storage_classes")) == ([], [])


@pytest.mark.parametrize(
    ("settings", "anyone"),
    [
        ({"rook_access_before": {"acl": True, "owner": "obc-2"}}, False),
        ({"rook_access_before": {"acl": False, "owner": "obc-2"}}, True),
        ({"rook_access_before": {"acl": None}, "rook_access": {"acl": True, "owner": "obc-2"}}, False),
        ({"rook_access_before": {"acl": False, "owner": "obc-2"}, "rook_anonymous_read": False}, False),
    ],
    ids=["by ACLs", "by a policy", "found after the claim", "nobody reads"],
)
def test_a_claim_made_again_asks_for_what_lets_its_user_use_what_is_there(
    settings: dict[str, Any], anyone: bool
) -> None:
    asked = json.loads(claim(**settings)["additionalConfig"]["bucketPolicy"])
    assert asked == public_read(BUCKET, anyone=anyone, owner="obc-2")
    assert "additionalConfig" not in claim(rook_install=False, **settings)


def test_the_claim_is_updated_once_its_user_is_known() -> None:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}}
    for access, again in (({"acl": True, "owner": "obc-2"}, True), ({"acl": True, "owner": ""}, False)):
        site = Site(**rook, rook_access_before={"acl": None}, rook_access=access)
        (*_others, update) = site.tasks("rook", "bucket.yml").values()
        assert update["when"] is again


def test_only_a_bucket_that_was_claimed_here_is_treated_as_ours() -> None:
    def claimed(**settings: Any) -> list[bool]:
        tasks = Site(rook_access_before={"acl": None}, rook_access={"acl": True}, **settings).tasks(
            "rook", "bucket.yml"
        )
        asked = [task[READ] for task in tasks.values() if READ in task and task["when"]]
        return [one["claimed"] for one in asked]

    assert claimed(rook_backend="rook", rook_storage={"deviceFilter": "^sdb$"}) == [True, True]
    assert claimed(rook_backend="rook", rook_install=False) == [True, True]
    inside = "http://rook-ceph-rgw-media.rook-ceph.svc"
    assert claimed(rook_backend="external", rook_external_endpoint=inside) == [False]
