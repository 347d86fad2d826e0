# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Rook leaves out of an object that it writes back is not written again and again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.left_out import as_kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import desired_set
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

CEPH = "ceph.rook.io/v1"


def kept(declared: Any, live: Any, api_version: str = CEPH) -> Any:
    body = {"apiVersion": api_version, "kind": "CephCluster", "metadata": {"name": "c", "namespace": "n"}}
    (desired,) = desired_set([{**body, "spec": declared}])
    return as_kept(desired, {**body, "spec": live}).body["spec"]


@pytest.mark.parametrize(
    ("declared", "live", "expected"),
    [
        ({"mon": {"count": 3, "allowMultiplePerNode": False}}, {"mon": {"count": 3}}, {"mon": {"count": 3}}),
        ({"dashboard": {"enabled": False}}, {"dashboard": {}}, {}),
        ({"dashboard": {"enabled": False}}, {}, {}),
        ({"gateway": {"port": 0, "name": ""}, "store": {}}, {"store": {}}, {"store": {}}),
        (
            {"storage": {"useAllDevices": False}},
            {"storage": {"useAllDevices": False}},
            {"storage": {"useAllDevices": False}},
        ),
        ({"dashboard": {"enabled": False}}, {"dashboard": {"enabled": True}}, {"dashboard": {"enabled": False}}),
        ({"dashboard": {"enabled": True}}, {"dashboard": {}}, {"dashboard": {"enabled": True}}),
        ({"nodes": [{"name": "a", "filter": ""}]}, {"nodes": [{"name": "a"}]}, {"nodes": [{"name": "a"}]}),
        ({"nodes": [{"name": "a", "filter": ""}]}, {"nodes": []}, {"nodes": [{"name": "a", "filter": ""}]}),
    ],
    ids=[
        "one of two fields",
        "all of a mapping",
        "all of a mapping that is gone with it",
        "numbers and texts",
        "kept by the operator",
        "turned off",
        "turned on",
        "in a list",
        "in a list that changes",
    ],
)
def test_what_is_empty_and_was_left_out_is_not_declared(declared: Any, live: Any, expected: Any) -> None:
    assert kept(declared, live) == expected


@pytest.mark.parametrize(
    "declared",
    [
        {"storage": {"useAllDevices": False}},
        {"storage": {"nodes": [{"name": "a", "useAllDevices": False}]}},
        {"mgr": {"hostNetwork": False}},
        {"placement": {"all": {"tolerations": [{"key": "a", "tolerationSeconds": 0}]}}},
        {"placement": {"all": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}},
        {"mon": {"volumeClaimTemplate": {"spec": {"storageClassName": ""}}}},
        {"cephConfigFromSecret": {"global": {"debug": {"optional": False}}}},
        {"monitoring": {"exporter": {}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["nowhere", "beside what is kept"])
def test_what_is_empty_and_a_pointer_to_rook_is_declared_as_only_somebody_else_leaves_it_out(
    declared: Any, where: str
) -> None:
    assert kept(declared, {} if where == "nowhere" else without_last(declared)) == declared


def without_last(value: Any) -> Any:
    """Return a document without the fields that hold no other."""
    if isinstance(value, list):
        return [without_last(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_last(item) for key, item in value.items() if item not in (False, 0, "", {})}


@pytest.mark.parametrize(
    ("declared", "live", "expected"),
    [
        ({"network": {"hostNetwork": False}}, {"network": {}}, {}),
        ({"monitoring": {"exporter": {"perfCountersPrioLimit": 0}}}, {}, {"monitoring": {"exporter": {}}}),
        ({"storage": {"useAllDevices": None}}, {"storage": {}}, {}),
        (
            {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
            {"podAffinity": {}},
            {"podAffinity": {}},
        ),
    ],
    ids=["of a name that is one elsewhere", "what is in one", "nothing", "a list of a name that is one elsewhere"],
)
def test_what_is_empty_and_no_pointer_is_left_out_beside_pointers(declared: Any, live: Any, expected: Any) -> None:
    assert kept(declared, live) == expected


def test_other_operators_are_given_all_that_is_declared() -> None:
    declared = {"enablePDB": False}
    assert kept(declared, {}, "postgresql.cnpg.io/v1") == declared


def store(*written: tuple[str, str, str], api_version: str = CEPH) -> dict[str, Any]:
    """Return a store of the second generation that says it has seen the first, by who wrote what when."""
    fields = [{"manager": name, "time": f"2026-11-29T01:28:{at}Z", "subresource": part} for name, at, part in written]
    return {
        "apiVersion": api_version,
        "kind": "CephObjectStore",
        "metadata": {"name": "media", "namespace": "rook-ceph", "generation": 2, "managedFields": fields},
        "status": {"phase": "Ready", "observedGeneration": 1},
    }


OURS = ("fediverse.mastodon", "23", "")


@pytest.mark.parametrize("at", ["23", "24"])
def test_a_store_to_which_rook_has_only_added_its_finalizer_is_ready(at: str) -> None:
    assert compute(store(OURS, ("rook", at, ""), ("rook", "59", "status"))).verdict == "Current"


@pytest.mark.parametrize(
    "item",
    [
        store(OURS, ("rook", "22", ""), ("rook", "59", "status")),
        store(OURS, ("rook", "23", ""), ("kubectl-edit", "40", ""), ("rook", "59", "status")),
        store(OURS, ("rook", "23", ""), api_version="objectbucket.io/v1alpha1"),
        store(OURS),
        store(),
    ],
    ids=["ours", "somebody else's", "of another operator", "not by rook", "by nobody known"],
)
def test_what_was_changed_since_is_waited_for(item: dict[str, Any]) -> None:
    assert compute(item).verdict == "InProgress"
