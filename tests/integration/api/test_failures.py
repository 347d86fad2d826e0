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
    assert time.monotonic() - began < within
    return str(result["msg"])


def test_an_image_s_invalid_name(cluster: Cluster) -> None:
    told = failure(cluster, workload(cluster, "Deployment", pods("UPPER::x")), within=30)
    assert told.startswith(f"Deployment {cluster.namespace}/web: failed: Pod {cluster.namespace}/web-")
    assert 'container main: InvalidImageName: Failed to apply default image tag "UPPER::x"' in told
    assert told.endswith(". Correct the image's name.")


def test_an_image_that_is_not_there_and_not_pulled(cluster: Cluster) -> None:
    told = failure(cluster, workload(cluster, "DaemonSet", pods(imagePullPolicy="Never")), within=45)
    assert "container main: ErrImageNeverPull: " in told


def test_a_pod_that_fits_no_node(cluster: Cluster) -> None:
    large = pods(resources={"requests": {"cpu": "1000"}})
    told = failure(cluster, workload(cluster, "StatefulSet", large, serviceName="web"), within=60)
    assert told.startswith(
        f"StatefulSet {cluster.namespace}/web: failed: Pod {cluster.namespace}/web-0: Unschedulable: "
    )
    assert "Insufficient cpu" in told
    assert told.endswith("Give the nodes what they lack, or ask for less.")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
def test_a_quota_that_leaves_no_room_for_pods(cluster: Cluster, kind: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": cluster.namespace}}
    template = pods()
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
    more = {"serviceName": "web"} if kind == "StatefulSet" else {}
    cluster.apply({**quota, "spec": {"hard": {"pods": "0"}}}, name="quota")
    told = failure(cluster, workload(cluster, kind, template, **more), within=40)
    assert "FailedCreate: pods " in told
    assert "exceeded quota: q" in told
    assert told.endswith("Raise the quota or ask for less.")


def test_a_former_revision_that_failed_does_not_end_the_run_that_repairs_it(cluster: Cluster) -> None:
    broken = workload(cluster, "Deployment", pods("UPPER::x"))
    failure(cluster, broken, within=30)
    repaired = workload(cluster, "Deployment", pods(), replicas=0)
    assert "failed" not in cluster.apply(repaired, wait_timeout=60).result
