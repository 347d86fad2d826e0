# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading, waiting for and deleting objects of a real API server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import delete as delete_task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import objects_info
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import wait as wait_task
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import config_map, crd, deployment
from ansible_collections.fediverse.mastodon.tests.integration.api.test_refusals import eventually

Running = Callable[..., dict[str, Any]]


def task(cluster: Cluster, chosen: Task) -> Running:
    """Return a way to run one task with these options."""

    def run(*, check: bool = False, **options: Any) -> dict[str, Any]:
        objects = [
            {"api_version": None, "namespace": None, "name": None, **item} for item in options.pop("objects", [])
        ]
        return cluster.run(chosen, check=check, objects=objects, **options).result

    return run


@pytest.fixture
def info(cluster: Cluster) -> Running:
    return task(cluster, objects_info.TASK)


@pytest.fixture
def wait(cluster: Cluster) -> Running:
    return task(cluster, wait_task.TASK)


@pytest.fixture
def delete(cluster: Cluster) -> Running:
    return task(cluster, delete_task.TASK)


def test_status_and_owners_are_reported_and_secrets_masked(cluster: Cluster, info: Running) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": cluster.namespace}}
    cluster.apply(deployment(cluster), {**secret, "stringData": {"password": "canary"}})
    place = {"namespace": cluster.namespace}
    reported = info(
        objects=[
            {"kind": "ReplicaSet", **place},
            {"kind": "Secret", **place, "name": "key"},
            {"kind": "Secret", **place, "name": "lost"},
            {"api_version": "gone.example.org/v1", "kind": "NoSuchKind", **place, "name": "x"},
            {"kind": "deploy", **place, "label_selector": "app=web"},
            {"kind": "Deployment", **place, "label_selector": "app=other"},
        ]
    )
    assert [(item["subject"].split()[0], item["status"], item["owners"]) for item in reported["objects"]] == [
        ("Secret", "Current", []),
        ("Deployment", "Current", []),
        ("ReplicaSet", "Current", [f"Deployment {cluster.namespace}/web"]),
    ]
    assert reported["objects"][0]["object"]["data"] == {"password": "***"}
    assert reported["objects"][1]["managers"] == ["fediverse.mastodon", "kube-controller-manager"]


def test_an_object_that_somebody_makes_is_waited_for(cluster: Cluster, wait: Running) -> None:
    later = threading.Timer(2, cluster.apply, (config_map(cluster, "late", a="1"),))
    later.start()
    done = wait(objects=[{"kind": "ConfigMap", "namespace": cluster.namespace, "name": "late"}], wait_timeout=30)
    later.join()
    assert done["objects"] == [f"ConfigMap {cluster.namespace}/late"]


def test_what_is_not_there_in_time_is_named(cluster: Cluster, wait: Running) -> None:
    with pytest.raises(MastodonError, match=r"ConfigMap .*/late: not ready after 1 s: does not exist yet"):
        wait(objects=[{"kind": "ConfigMap", "namespace": cluster.namespace, "name": "late"}], wait_timeout=1)


def test_what_holds_an_object_is_named_with_who_set_it(cluster: Cluster, wait: Running, delete: Running) -> None:
    path, named = (
        cluster.path("configmaps", "held"),
        {"kind": "ConfigMap", "namespace": cluster.namespace, "name": "held"},
    )
    cluster.apply(config_map(cluster, "held", a="1"))
    cluster.patch(path, "some-controller", {"metadata": {"finalizers": ["test.mastodon/hold"]}})
    stuck = delete(objects=[named], wait_timeout=1)
    assert stuck["changed"] is True
    held = "is being deleted, held by test.mastodon/hold of some-controller"
    assert f"ConfigMap {cluster.namespace}/held: not gone after 1 s: {held}" in stuck["msg"]
    with pytest.raises(MastodonError, match=r"held by test\.mastodon/hold of some-controller"):
        wait(objects=[named], until="deleted", wait_timeout=1)
    release = threading.Timer(1, cluster.patch, (path, "kubectl", {"metadata": {"finalizers": None}}))
    release.start()
    wait(objects=[named], until="deleted", wait_timeout=30)
    release.join()


def test_a_set_is_taken_down_and_nothing_else(cluster: Cluster, delete: Running, info: Running) -> None:
    bare = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bare", "namespace": cluster.namespace}}
    cluster.apply(config_map(cluster, a="1"), deployment(cluster), bare)
    cluster.server_side_apply(cluster.path("configmaps", "theirs"), "kubectl", config_map(cluster, "theirs", a="1"))
    place = {"name": "test", "namespace": cluster.namespace}
    planned = delete(**place, check=True)
    assert planned["changed"] is True
    assert [item["header"] for item in ({"header": one["before_header"]} for one in planned["diff"])] == [
        item["subject"] for item in planned["objects"]
    ]
    done = delete(**place)
    assert "msg" not in done
    assert done["objects"] == planned["objects"]
    assert {item["action"] for item in done["objects"]} == {"deleted"}
    left = info(objects=[{"kind": "ConfigMap", "namespace": cluster.namespace}])["objects"]
    assert f"ConfigMap {cluster.namespace}/theirs" in [item["subject"] for item in left]
    assert f"ConfigMap {cluster.namespace}/settings" not in [item["subject"] for item in left]
    assert delete(**place)["changed"] is False


@pytest.mark.parametrize("called", ["ConfigMap", "configmap", "ConfigMaps", "cm"])
def test_what_is_deleted_is_gone_however_its_kind_is_called(
    cluster: Cluster, delete: Running, info: Running, called: str
) -> None:
    cluster.apply(config_map(cluster, a="1"))
    named = {"kind": called, "namespace": cluster.namespace, "name": "settings"}
    assert [item["subject"] for item in info(objects=[named])["objects"]] == [f"ConfigMap {cluster.namespace}/settings"]
    done = delete(objects=[named])
    assert done["objects"] == [
        {"subject": f"ConfigMap {cluster.namespace}/settings", "action": "deleted", "changes": []}
    ]
    assert info(objects=[named])["objects"] == []


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"kind": "ConfigMapp"}, "Did you mean v1 ConfigMap?"),
        ({"kind": "configmaps", "api_version": "v2"}, "the cluster has no kind v2 configmaps, only v1."),
        ({"kind": "Deploymnt", "api_version": "apps/v1"}, "Did you mean apps/v1 Deployment?"),
        ({"kind": "Deployment", "api_version": "app/v1"}, "Did you mean apps/v1 Deployment?"),
        ({"kind": "NoSuchKind"}, "the cluster has no kind NoSuchKind."),
    ],
)
def test_a_misspelt_kind_is_never_gone_and_never_empty(
    cluster: Cluster, delete: Running, info: Running, wait: Running, options: dict[str, str], reported: str
) -> None:
    named = {**options, "namespace": cluster.namespace, "name": "settings"}
    for task in (info, delete, lambda objects: wait(objects=objects, until="deleted")):
        with pytest.raises(MastodonError) as refused:
            task(objects=[named])
        assert reported in str(refused.value)


def test_of_a_group_that_is_not_there_nothing_is_left_to_delete(cluster: Cluster, delete: Running) -> None:
    gone = {"kind": "Widget", "api_version": "gone.example.org/v1", "namespace": cluster.namespace, "name": "w"}
    assert delete(objects=[gone])["changed"] is False


def test_people_see_every_event_and_every_secret(cluster: Cluster, info: Running) -> None:
    place = {"namespace": cluster.namespace}
    release = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sh.helm.release.v1.a.v1", **place}}
    cluster.apply({**release, "type": "helm.sh/release.v1", "stringData": {"release": "canary"}})
    event = {
        "metadata": {"name": "reported", **place},
        "involvedObject": {"kind": "ConfigMap", "name": "settings", **place},
        "type": "Normal",
        "reason": "Reported",
    }
    cluster.client.request("POST", f"/api/v1/namespaces/{cluster.namespace}/events", about="event", body=event)
    found = info(objects=[{"kind": "Secret", **place}, {"kind": "Event", "api_version": "v1", **place}])["objects"]
    assert {item["subject"] for item in found} >= {
        f"Secret {cluster.namespace}/sh.helm.release.v1.a.v1",
        f"Event {cluster.namespace}/reported",
    }
    assert "canary" not in str(found)


def test_a_group_whose_server_is_lost_is_reported_as_such_and_stops_nobody_else(
    cluster: Cluster, info: Running
) -> None:
    group = f"{cluster.namespace}.lost.test"
    name, path = f"v1.{group}", "/apis/apiregistration.k8s.io/v1/apiservices"
    spec = {
        "group": group,
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "service": {"namespace": cluster.namespace, "name": "lost"},
    }
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}, "spec": spec}
    cluster.client.request("POST", path, about=name, body=body)
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "a", "namespace": cluster.namespace}}
    wanted = [{"kind": "Thing", "api_version": f"{group}/v1", "namespace": cluster.namespace}]
    reported = f"API group {group}: is served by APIService {name}, whose service does not answer."

    def is_reported() -> bool:
        try:
            info(objects=wanted)
        except MastodonError as error:
            return reported in str(error)
        return False

    try:
        eventually(is_reported)
        assert "msg" not in cluster.apply(config_map(cluster, a="1")).result
        assert reported in cluster.apply(config_map(cluster, a="1"), thing, wait_timeout=1).result["msg"]
    finally:
        cluster.delete(f"{path}/{name}")


def test_an_odd_status_ends_no_listing(cluster: Cluster, info: Running) -> None:
    cluster.crds.append("oddities.test.mastodon")
    cluster.apply(crd("oddities"))
    kind = crd("oddities")["spec"]["names"]["kind"]
    odd: list[Any] = [
        {"conditions": {"Ready": {"status": "False"}}},
        {"conditions": ["text", None, 7, {}]},
        {"phase": 7},
    ]
    for number, status in enumerate(odd):
        place = {"name": f"odd-{number}", "namespace": cluster.namespace}
        body = {"apiVersion": "test.mastodon/v1", "kind": kind, "metadata": place, "status": status}
        path = f"/apis/test.mastodon/v1/namespaces/{cluster.namespace}/oddities"
        cluster.client.request("POST", path, about=kind, body=body)
    found = info(objects=[{"kind": "oddities", "namespace": cluster.namespace}])["objects"]
    assert [(item["subject"], item["status"]) for item in found] == [
        (f"{kind} {cluster.namespace}/odd-{number}", "Current") for number in range(len(odd))
    ]
