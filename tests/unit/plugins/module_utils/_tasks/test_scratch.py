# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scratch Cluster is created, explained and removed, and nothing that only looks like one is touched."""

from __future__ import annotations

import copy
import itertools
import json
import re
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import origin, scratch
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_origin import (
    CLUSTER,
    STORE,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

KIND = Resource("postgresql.cnpg.io", "v1", "Cluster", "clusters", namespaced=True)
NAME = "mastodon-db-rehearsal"
SUBJECT = ObjectRef("postgresql.cnpg.io", "Cluster", "mastodon", NAME)
OURS = {scratch.LABEL: "mastodon-db"}
LOGIN = scratch.Login("mastodon", "mastodon", "mastodon-db-owner")
# By which modules that restore find it.
DATABASE = {
    "namespace": "mastodon",
    "cluster": "mastodon-db",
    "database": "mastodon",
    "owner": "mastodon",
    "secret": "mastodon-db-owner",
    "path": "mastodon/example.org/app",
}
JOB = {"cnpg.io/cluster": NAME, "cnpg.io/jobRole": "full-recovery"}


class Cluster(FakeApi):
    """One with the namespace that all of it is in."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}, *objects)


def item(kind: str, name: str, api_version: str = "v1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "mastodon", **metadata}}


def run() -> Run:
    return Run(check=False, diff=False, say=lambda line: None, environment={})


def of(api: FakeApi, store: dict[str, Any] = STORE) -> Scratch:
    found = origin.find(copy.deepcopy(CLUSTER), {"store": store}, [])
    return Scratch(api, KIND, found)


def bodies(one: Scratch) -> list[dict[str, Any]]:
    return [scratch.policy(one.origin, one.ways()), scratch.cluster(one.origin, LOGIN, None)]


def test_what_was_created_is_found_and_removed() -> None:
    api = Cluster()
    one = of(api)
    one.create(bodies(one), dry_run=False)
    assert [found["kind"] for _kind, found in one.parts()] == ["Cluster", "NetworkPolicy"]
    assert one.remove(Deadline(9), run()) is True
    assert one.parts() == []
    assert one.remove(Deadline(9), run()) is False


def test_a_dry_run_creates_nothing() -> None:
    api = Cluster()
    one = of(api)
    one.create(bodies(one), dry_run=True)
    assert api.writes == []
    assert [call for call in api.calls if call.startswith("try")] == [
        f"try NetworkPolicy mastodon/{NAME}",
        f"try Cluster mastodon/{NAME}",
    ]


@pytest.mark.parametrize("labels", [{}, {scratch.LABEL: "another"}])
def test_somebody_elses_of_the_same_name_is_not_touched(labels: dict[str, str]) -> None:
    api = Cluster(item("Cluster", NAME, "postgresql.cnpg.io/v1", labels=labels))
    with pytest.raises(MastodonError, match=f"Cluster mastodon/{NAME}: is in the way: .* It has not the label"):
        of(api).remove(Deadline(9), run())
    assert api.writes == []


def test_the_label_alone_is_no_reason_to_remove_anything() -> None:
    api = Cluster(item("Cluster", "precious", "postgresql.cnpg.io/v1", labels=OURS))
    assert of(api).remove(Deadline(9), run()) is False
    assert api.writes == []


def test_it_is_removed_when_its_pods_and_volumes_are_gone_too() -> None:
    claim = item("PersistentVolumeClaim", f"{NAME}-1", labels={"cnpg.io/cluster": NAME})
    api = Cluster(item("Cluster", NAME, "postgresql.cnpg.io/v1", labels=OURS), claim)
    gone = Deadline(9, sleep=lambda seconds: api.put(claim, "DELETED") and None)
    assert of(api).remove(gone, run()) is True
    api = Cluster(item("Cluster", NAME, "postgresql.cnpg.io/v1", labels=OURS), claim)
    with pytest.raises(MastodonError, match=f"cannot be removed: PersistentVolumeClaim {NAME}-1 still there"):
        of(api).remove(Deadline(0, sleep=lambda seconds: None), run())


def failed(api: Cluster) -> str:
    api.put(
        item("Cluster", NAME, "postgresql.cnpg.io/v1", labels=OURS)
        | {"status": {"phase": "Cluster is unrecoverable and needs manual intervention"}}
    )
    pod = item("Pod", f"{NAME}-1-full-recovery-abc", labels=JOB)
    pod["spec"] = {
        "initContainers": [{"name": "bootstrap"}, {"name": "plugin-barman-cloud"}],
        "containers": [{"name": "full-recovery"}],
    }
    api.put(pod)
    with pytest.raises(MastodonError) as caught:
        of(api).wait(Deadline(60, clock=itertools.count().__next__), run())
    return str(caught.value)


def test_a_failure_is_explained_by_the_log_of_what_restored() -> None:
    api = Cluster()
    api.logs["plugin-barman-cloud"] = json.dumps({"level": "error", "error": "no target backup found"})
    said = failed(api)
    assert said.startswith(
        "Cluster mastodon/mastodon-db: cannot be restored: no base backup that ended before that time is in the bucket."
    )


def test_a_failure_without_a_log_is_reported_in_cloudnativepgs_words() -> None:
    assert re.match(
        f"Cluster mastodon/{NAME}: .*: Cluster is unrecoverable and needs manual intervention", failed(Cluster())
    )


def slices(namespace: str, service: str, *ports: int) -> dict[str, Any]:
    made = item("EndpointSlice", f"{service}-1", "discovery.k8s.io/v1", labels={"kubernetes.io/service-name": service})
    made["metadata"]["namespace"] = namespace
    return made | {"ports": [{"port": port} for port in ports]}


@pytest.mark.parametrize(
    ("endpoint", "ways"),
    [
        ("https://s3.example.org", scratch.Ways((6443,), (443,))),
        ("http://s3.object-store.svc:80", scratch.Ways((6443,), (8333,), "object-store")),
        ("http://other.object-store.svc:9000", scratch.Ways((6443,), (9000,), "object-store")),
    ],
)
def test_it_reaches_the_ports_behind_services(endpoint: str, ways: scratch.Ways) -> None:
    api = Cluster(slices("default", "kubernetes", 6443), slices("object-store", "s3", 8333))
    assert of(api, {**STORE, "spec": {"configuration": {"endpointURL": endpoint}}}).ways() == ways


def test_ports_that_may_not_be_read_are_the_usual_ones() -> None:
    api = Cluster()
    api.unreadable.add("EndpointSlice")
    assert of(api).ways() == scratch.Ways((443, 6443), (443,))


def test_a_quota_that_is_full_ends_it_before_anything_is_created() -> None:
    full = item("ResourceQuota", "all") | {"status": {"hard": {"pods": "1"}, "used": {"pods": "1"}}}
    with pytest.raises(
        MastodonError, match="ResourceQuota mastodon/all: leaves no room for a restored database: of pods 1 1 are taken"
    ):
        of(Cluster(full)).refuse_without_room(bodies(of(Cluster()))[1])
