# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine against a real API server: what it writes, what it leaves alone, what it says."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster


def config_map(cluster: Cluster, name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": cluster.namespace},
        "data": data,
    }


def balancer(cluster: Cluster, name: str) -> dict[str, Any]:
    """Return a Service that never gets ready by itself."""
    ports = [{"port": 80}]
    spec = {"type": "LoadBalancer", "loadBalancerClass": "example.test/none", "ports": ports, "selector": {"a": "b"}}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": cluster.namespace},
        "spec": spec,
    }


def deployment(cluster: Cluster, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "example.test/web:1",
        "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}],
        "resources": {"requests": {"cpu": "100m"}, "limits": {}},
        "securityContext": {},
        "args": ["--a", "--b"],
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        ],
    }
    pod = {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": cluster.namespace, "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            **spec,
        },
    }


def service(cluster: Cluster) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": cluster.namespace},
        "spec": {"ports": [{"port": 80}, {"port": 81, "name": "other"}][:1], "selector": {"app": "web"}},
    }


def crd(plural: str) -> dict[str, Any]:
    kind = plural.removesuffix("s").capitalize()
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.test.mastodon"},
        "spec": {
            "group": "test.mastodon",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def test_a_second_run_writes_nothing_and_asks_by_kind(cluster: Cluster) -> None:
    many = [config_map(cluster, f"settings-{number}", a="1") for number in range(20)]
    objects = (*many, deployment(cluster), service(cluster))
    first = cluster.apply(*objects)
    assert set(first.actions.values()) == {"created"}
    second = cluster.apply(*objects)
    assert set(second.actions.values()) == {"unchanged"}
    assert second.result["changed"] is False
    assert second.lines == []
    # Discovery takes two; ConfigMaps, with the inventory among them, Deployments and Services one each.
    assert second.result["requests"] == 5


def test_what_the_server_writes_in_its_own_way_is_settled_by_a_dry_run(cluster: Cluster) -> None:
    web = deployment(cluster)
    container = web["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["requests"]["cpu"] = "0.5"
    del container["env"][1]["valueFrom"]["fieldRef"]["apiVersion"]
    cluster.apply(web)
    second = cluster.apply(web)
    assert second.result["changed"] is False
    # Discovery, Deployment, inventory, and the dry run.
    assert second.result["requests"] == 5


def test_only_what_drifted_is_written(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="1"), service(cluster))
    applied = cluster.apply(config_map(cluster, a="2"), service(cluster))
    assert applied.lines == [f'configured ConfigMap {cluster.namespace}/settings: data.a "1" → "2"']
    assert applied.actions[f"Service {cluster.namespace}/web"] == "unchanged"


def test_a_field_no_longer_declared_is_removed(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="1", b="2"))
    applied = cluster.apply(config_map(cluster, a="1"))
    assert applied.lines == [f"configured ConfigMap {cluster.namespace}/settings: data.b removed"]
    assert cluster.get(cluster.path("configmaps", "settings"))["data"] == {"a": "1"}


def test_another_order_of_containers_is_applied(cluster: Cluster) -> None:
    containers = [{"name": name, "image": "example.test/a:1"} for name in ("wait", "migrate", "warm")]
    pod: dict[str, Any] = {"containers": [{"name": "web", "image": "example.test/a:1"}], "initContainers": containers}
    declared = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": "web", "namespace": cluster.namespace},
        "template": {"spec": pod},
    }
    cluster.apply(declared)
    pod["initContainers"] = [containers[1], containers[0], containers[2]]
    applied = cluster.apply(declared)
    assert applied.lines == [
        f"configured PodTemplate {cluster.namespace}/web: order of template.spec.initContainers "
        '["wait", "migrate", "warm"] → ["migrate", "wait", "warm"]'
    ]
    live = cluster.get(cluster.path("podtemplates", "web"))["template"]["spec"]["initContainers"]
    assert [one["name"] for one in live] == ["migrate", "wait", "warm"]
    assert cluster.apply(declared).result["changed"] is False


@pytest.mark.parametrize("check", [False, True])
def test_what_the_server_warns_of_is_reported_once(cluster: Cluster, check: bool) -> None:
    twice = deployment(cluster)
    containers = twice["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "side", "image": "example.test/side:1", "ports": [{"containerPort": 80}]})
    lines = cluster.apply(twice, check=check, wait=False).lines
    place = "spec.template.spec.containers"
    reported = f"{place}[1].ports[0]: duplicate port definition with {place}[0].ports[0]"
    assert lines == [
        f"warning: Deployment {cluster.namespace}/web: {reported}",
        f"created Deployment {cluster.namespace}/web",
    ]
    # Nothing is written, so that nothing is warned of.
    assert cluster.apply(twice, check=check, wait=False).lines == (lines if check else [])


def test_check_mode_writes_nothing(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="1"))
    before = cluster.get(cluster.path("configmaps", "settings"))["metadata"]["resourceVersion"]
    applied = cluster.apply(config_map(cluster, a="2"), service(cluster), check=True)
    assert applied.result["changed"] is True
    assert applied.actions[f"Service {cluster.namespace}/web"] == "created"
    assert cluster.get(cluster.path("configmaps", "settings"))["metadata"]["resourceVersion"] == before


def test_check_mode_works_without_namespace_and_without_crd(cluster: Cluster) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "never-made"}}
    widget = {"apiVersion": "test.mastodon/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "never-made"}}
    settings = config_map(cluster, a="1")
    settings["metadata"]["namespace"] = "never-made"
    applied = cluster.apply(namespace, crd("widgets"), widget, settings, check=True, namespace="never-made")
    assert set(applied.actions.values()) == {"created"}


def test_what_a_person_edited_is_taken_back(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="wanted"))
    cluster.patch(cluster.path("configmaps", "settings"), "kubectl-edit", {"data": {"a": "edited"}})
    applied = cluster.apply(config_map(cluster, a="wanted"))
    reported = (
        f'configured ConfigMap {cluster.namespace}/settings: data.a "edited" → "wanted" (was changed by kubectl-edit)'
    )
    assert applied.lines == [reported]
    assert cluster.apply(config_map(cluster, a="wanted")).result["changed"] is False


def test_a_field_of_another_program_is_left_alone_unless_forced(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="wanted"))
    cluster.patch(cluster.path("configmaps", "settings"), "some-controller", {"data": {"a": "theirs"}})
    applied = cluster.apply(config_map(cluster, a="wanted"))
    subject = f"ConfigMap {cluster.namespace}/settings"
    assert applied.result["msg"] == (
        f'{subject}: is not applied: data.a is owned by "some-controller". '
        f'Leave it to its owner by not declaring it, or take it over once with -e \'{{"force_conflicts": ["{subject}"]}}\'.'
    )
    assert cluster.get(cluster.path("configmaps", "settings"))["data"] == {"a": "theirs"}
    forced = cluster.apply(config_map(cluster, a="wanted"), force_conflicts=[subject])
    assert forced.actions[subject] == "configured"
    assert cluster.get(cluster.path("configmaps", "settings"))["data"] == {"a": "wanted"}


def test_an_object_that_a_person_made_is_not_taken_over(cluster: Cluster) -> None:
    path = cluster.path("configmaps", "settings")
    cluster.server_side_apply(path, "kubectl", config_map(cluster, a="theirs"))
    applied = cluster.apply(config_map(cluster, a="ours"))
    assert 'owned by "kubectl"' in applied.result["msg"]
    assert cluster.get(path)["data"] == {"a": "theirs"}


def test_an_object_that_is_as_declared_is_adopted_once(cluster: Cluster) -> None:
    cluster.server_side_apply(cluster.path("configmaps", "settings"), "helm", config_map(cluster, a="1"))
    assert cluster.apply(config_map(cluster, a="1")).result["changed"] is True
    assert cluster.apply(config_map(cluster, a="1")).result["changed"] is False


def test_crds_are_established_before_their_objects(cluster: Cluster) -> None:
    cluster.crds = ["gadgets.test.mastodon"]
    gadget = {
        "apiVersion": "test.mastodon/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "namespace": cluster.namespace},
        "spec": {"a": {"b": [1, 2.5, True, None], "empty": {}, "none": []}},
    }
    applied = cluster.apply(gadget, crd("gadgets"))
    assert [line.split()[1] for line in applied.lines] == ["CustomResourceDefinition", "Gadget"]
    assert set(applied.actions.values()) == {"created"}
    assert cluster.apply(gadget, crd("gadgets")).result["changed"] is False


def test_a_kind_that_nothing_brings_is_named(cluster: Cluster) -> None:
    widget = {"apiVersion": "test.mastodon/v1", "kind": "Nothing", "metadata": {"name": "w", "namespace": "x"}}
    applied = cluster.apply(widget, wait_timeout=3)
    assert applied.result["msg"] == (
        "Nothing x/w: cannot be applied: the cluster has no kind test.mastodon/v1 Nothing. "
        "Install what provides it first, or in the same set."
    )


def test_a_dependent_waits_until_what_it_needs_is_ready(cluster: Cluster) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "first", "namespace": cluster.namespace},
        "spec": {"template": {"spec": deployment(cluster)["spec"]["template"]["spec"]}},
    }
    job["spec"]["template"]["spec"]["nodeSelector"] = {"test.mastodon/node": "none"}
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    second = config_map(cluster, a="1")
    dependency = f"batch/namespaces/{cluster.namespace}/Job/first"
    second["metadata"]["annotations"] = {"config.kubernetes.io/depends-on": dependency}
    applied = cluster.apply(second, job, wait_timeout=2)
    assert applied.actions.keys() >= {f"Job {cluster.namespace}/first"}
    assert f"ConfigMap {cluster.namespace}/settings" not in applied.actions
    assert f"Job {cluster.namespace}/first: not ready after 2 s: " in applied.result["msg"]


def test_a_watch_ends_the_wait_as_soon_as_the_object_is_ready(cluster: Cluster) -> None:
    applied = cluster.apply(deployment(cluster))
    assert applied.result["objects"][-1]["status"] == "Current"
    assert "failed" not in applied.result


def test_what_is_no_longer_wanted_is_pruned_but_never_a_claim(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": cluster.namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.apply(config_map(cluster, a="1"), config_map(cluster, "old", a="1"), claim)
    assert "deleted" not in cluster.apply(config_map(cluster, a="1"), prune=False).actions.values()
    assert cluster.apply(config_map(cluster, a="1"), check=True).result["changed"] is True
    applied = cluster.apply(config_map(cluster, a="1"))
    assert applied.actions[f"ConfigMap {cluster.namespace}/old"] == "deleted"
    assert applied.actions[f"PersistentVolumeClaim {cluster.namespace}/data"] == "skipped"
    again = cluster.apply(config_map(cluster, a="1"))
    assert again.result["changed"] is False
    allowed = cluster.apply(config_map(cluster, a="1"), prune_allow=[f"PersistentVolumeClaim {cluster.namespace}/data"])
    assert allowed.actions[f"PersistentVolumeClaim {cluster.namespace}/data"] == "deleted"


def test_a_set_that_holds_nothing_any_more_leaves_nothing(cluster: Cluster) -> None:
    assert cluster.apply().result == {"changed": False, "objects": [], "requests": 3, "diff": []}
    cluster.apply(config_map(cluster, "old", a="1"))
    assert cluster.apply(check=True).lines == [f"deleted ConfigMap {cluster.namespace}/old"]
    assert cluster.apply().actions == {f"ConfigMap {cluster.namespace}/old": "deleted"}
    left = cluster.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps")["items"]
    assert [item["metadata"]["name"] for item in left if item["metadata"]["name"] != "kube-root-ca.crt"] == []
    assert cluster.apply().result["changed"] is False


def test_a_set_that_holds_nothing_any_more_asks_only_for_its_inventory(cluster: Cluster) -> None:
    never = cluster.apply(namespace="there-is-none-of-this-name")
    assert (never.result["changed"], never.lines) == (False, [])


def test_a_secret_is_never_shown(cluster: Cluster) -> None:
    def secret(value: str) -> dict[str, Any]:
        metadata = {"name": "key", "namespace": cluster.namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": value}}

    shown = [cluster.apply(secret("canary-one")), cluster.apply(secret("canary-two"))]
    wrong = secret("x")
    wrong["data"] = {"password": "canary-three%%"}
    shown.append(cluster.apply(wrong))
    assert shown[2].result["failed"] is True
    assert "password" in shown[1].lines[0]
    for applied in shown:
        for canary in ("canary", "Y2FuYXJ5"):
            assert canary not in str(applied)


@pytest.mark.parametrize(
    ("spec", "reported"),
    [
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"replcas": 1}, ".spec.replcas: field not declared in schema"),
        ({"replicas": "many"}, "spec.replicas"),
    ],
)
def test_an_invalid_field_is_named(cluster: Cluster, spec: dict[str, Any], reported: str) -> None:
    applied = cluster.apply(deployment(cluster, **spec))
    assert applied.result["failed"] is True
    assert applied.result["msg"].startswith(f"Deployment {cluster.namespace}/web: is invalid: ")
    assert reported in applied.result["msg"]


def test_a_namespace_that_nothing_makes_is_named(cluster: Cluster) -> None:
    settings = config_map(cluster, a="1")
    settings["metadata"]["namespace"] = "not-there"
    reported = 'ConfigMap not-there/settings: has no namespace: namespaces "not-there" not found.'
    assert reported in cluster.apply(settings).result["msg"]


def test_an_object_lost_while_waited_for_is_not_taken_for_ready(cluster: Cluster) -> None:
    cluster.apply(config_map(cluster, a="1"))
    cluster.delete(cluster.path("configmaps", "settings"))
    assert cluster.apply(config_map(cluster, a="1")).actions[f"ConfigMap {cluster.namespace}/settings"] == "created"


def test_an_object_that_is_being_deleted_is_made_again(cluster: Cluster) -> None:
    held = config_map(cluster, a="1")
    held["metadata"]["finalizers"] = ["test.mastodon/hold"]
    cluster.apply(held)
    path = cluster.path("configmaps", "settings")
    cluster.delete(path)
    stuck = cluster.apply(config_map(cluster, a="1"), wait_timeout=1)
    assert "is being deleted, held by test.mastodon/hold" in stuck.result["msg"]
    release = threading.Timer(1.0, cluster.patch, (path, "kubectl-edit", {"metadata": {"finalizers": None}}))
    release.start()
    again = cluster.apply(config_map(cluster, a="1"))
    release.join()
    assert again.actions[f"ConfigMap {cluster.namespace}/settings"] == "created"


@pytest.mark.parametrize("has_status", [False, True])
def test_a_status_is_applied_where_an_apply_can_set_it(cluster: Cluster, has_status: bool) -> None:
    plural, kind = ("stated", "Stated") if has_status else ("plain", "Plain")
    brings = crd(plural)
    brings["spec"]["versions"][0]["subresources"] = {"status": {}} if has_status else {}
    cluster.crds = [brings["metadata"]["name"]]
    metadata = {"name": "w", "namespace": cluster.namespace}
    for phase in ("one", "two"):
        widget = {"apiVersion": "test.mastodon/v1", "kind": kind, "metadata": metadata, "status": {"phase": phase}}
        applied = cluster.apply(brings, widget, wait=False)
        path = cluster.path(plural, "w", "apis/test.mastodon/v1")
        assert cluster.get(path).get("status") == (None if has_status else {"phase": phase})
        assert cluster.apply(brings, widget, wait=False).result["changed"] is False
    assert has_status or applied.lines == [f'configured Plain {cluster.namespace}/w: status.phase "one" → "two"']


def test_templates_of_which_nothing_is_left_change_nothing(cluster: Cluster) -> None:
    assert cluster.apply().result["changed"] is False
    names = {item["metadata"]["name"] for item in cluster.get(cluster.path("configmaps", "")[:-1])["items"]}
    assert names <= {"kube-root-ca.crt"}


def test_a_map_that_is_declared_empty_is_there_though_its_fields_are_removed(cluster: Cluster) -> None:
    cluster.crds = ["gadgets.test.mastodon"]
    gadget = {
        "apiVersion": "test.mastodon/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "namespace": cluster.namespace},
        "spec": {"selfSigned": {"points": None}},
    }
    cluster.apply(crd("gadgets"), gadget)
    cluster.apply(crd("gadgets"), {**gadget, "spec": {"selfSigned": {}}})
    assert cluster.get(cluster.path("gadgets", "g", "apis/test.mastodon/v1"))["spec"] == {"selfSigned": {}}
    assert cluster.apply(crd("gadgets"), {**gadget, "spec": {"selfSigned": {}}}).result["changed"] is False
