# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What never comes up ends the run when the cause is known, and not at the timeout: with real controllers and a kubelet."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

# Long beyond what any of these causes may take.
LONG = 300


def pods(image: str = "example.test/none:1", **container: Any) -> dict[str, Any]:
    """Return a pod template."""
    spec = {"containers": [{"name": "main", "image": image, **container}], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


def workload(cluster: Cluster, kind: str, template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a workload called `web`."""
    spec = {"template": template, **({} if kind == "Job" else {"selector": {"matchLabels": {"app": "web"}}}), **spec}
    metadata = {"name": "web", "namespace": cluster.namespace}
    return {"apiVersion": "batch/v1" if kind == "Job" else "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def failure(cluster: Cluster, *objects: dict[str, Any], within: float) -> str:
    """Apply, and return what the task failed with, in time."""
    began = time.monotonic()
    result = cluster.apply(*objects, wait_timeout=LONG).result
    assert result.get("failed") is True
    # A machine with other things to do takes longer, and what nobody notices far longer.
    assert time.monotonic() - began < 3 * within < LONG
    return str(result["msg"])


def test_an_image_s_invalid_name(cluster: Cluster) -> None:
    reported = failure(cluster, workload(cluster, "Deployment", pods("UPPER::x")), within=30)
    assert reported.startswith(f"Deployment {cluster.namespace}/web: failed: Pod {cluster.namespace}/web-")
    assert 'container main: InvalidImageName: Failed to apply default image tag "UPPER::x"' in reported
    assert reported.endswith(". Correct the image's name.")


def test_an_image_that_is_not_there_and_not_pulled(cluster: Cluster) -> None:
    reported = failure(cluster, workload(cluster, "DaemonSet", pods(imagePullPolicy="Never")), within=45)
    assert "container main: ErrImageNeverPull: " in reported


def test_a_pod_that_fits_no_node(cluster: Cluster) -> None:
    large = pods(resources={"requests": {"cpu": "1000"}})
    reported = failure(cluster, workload(cluster, "StatefulSet", large, serviceName="web"), within=60)
    assert reported.startswith(
        f"StatefulSet {cluster.namespace}/web: failed: Pod {cluster.namespace}/web-0: Unschedulable: "
    )
    assert "Insufficient cpu" in reported
    assert reported.endswith("Give the nodes what they lack, or ask for less.")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
def test_a_quota_that_leaves_no_room_for_pods(cluster: Cluster, kind: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": cluster.namespace}}
    template = pods()
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
    more = {"serviceName": "web"} if kind == "StatefulSet" else {}
    cluster.apply({**quota, "spec": {"hard": {"pods": "0"}}}, name="quota")
    reported = failure(cluster, workload(cluster, kind, template, **more), within=40)
    assert "FailedCreate: pods " in reported
    assert "exceeded quota: q" in reported
    assert reported.endswith("Raise the quota or ask for less.")


def test_a_former_revision_that_failed_does_not_end_the_run_that_repairs_it(cluster: Cluster) -> None:
    broken = workload(cluster, "Deployment", pods("UPPER::x"))
    failure(cluster, broken, within=30)
    repaired = workload(cluster, "Deployment", pods(), replicas=0)
    assert "failed" not in cluster.apply(repaired, wait_timeout=60).result


def shell(script: str, **container: Any) -> dict[str, Any]:
    """Return a pod template that runs a script, which the kubelet does not fetch."""
    return pods(
        "docker.io/library/busybox:latest", command=["sh", "-c", script], imagePullPolicy="IfNotPresent", **container
    )


def test_what_crashes_at_its_start_is_not_ready_without_a_probe(cluster: Cluster) -> None:
    result = cluster.apply(workload(cluster, "Deployment", shell("sleep 2; exit 3")), wait_timeout=25).result
    assert result.get("failed") is True
    assert f"Deployment {cluster.namespace}/web: not ready after 25 s: " in result["msg"]


def test_what_goes_on_without_a_probe_is_ready_after_a_few_seconds_and_then_at_once(cluster: Cluster) -> None:
    running = workload(cluster, "Deployment", shell("sleep 3600"))
    began = time.monotonic()
    first = cluster.apply(running, wait_timeout=60)
    assert "failed" not in first.result
    assert time.monotonic() - began > 5
    began = time.monotonic()
    assert cluster.apply(running, check=True).result["changed"] is False
    without_waiting = time.monotonic() - began
    began = time.monotonic()
    assert cluster.apply(running).result["changed"] is False
    # Waiting for it once more would take five.
    assert time.monotonic() - began - without_waiting < 4


def test_a_paused_deployment_is_called_paused_and_ends_the_wait(cluster: Cluster) -> None:
    reported = failure(cluster, workload(cluster, "Deployment", shell("sleep 3600"), paused=True), within=60)
    assert (
        "failed: is paused, so that nothing is rolled out: 0 of 1 pods updated. Resume it: kubectl rollout" in reported
    )


def test_a_claim_of_a_class_that_does_not_exist(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": cluster.namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "none-such",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    reported = failure(cluster, claim, within=60)
    assert f"PersistentVolumeClaim {cluster.namespace}/data: failed: there is no StorageClass none-such" in reported
    assert reported.endswith("Correct storageClassName, or create the StorageClass.")


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_an_image_that_does_not_exist_behind_a_bare_set_of_pods(cluster: Cluster, kind: str) -> None:
    made = workload(cluster, kind, pods("UPPER::x"))
    if kind == "ReplicationController":
        made |= {"apiVersion": "v1", "spec": {"template": pods("UPPER::x"), "selector": {"app": "web"}}}
    assert "InvalidImageName" in failure(cluster, made, within=40)
