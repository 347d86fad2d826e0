# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for what runs the platform's parts. A kubectl for each of them would take its time from the pods that all start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mastodon_lab.cluster import api
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts.kubectl import Kubectl

POLL_SECONDS = 0.2


def get(lab: Lab, workload: str) -> dict[str, Any]:
    """`namespace/kind/name`, as the API server has it. Raises NotAnsweringError."""
    namespace, kind, name = workload.split("/")
    return api.get_json(lab, f"/apis/apps/v1/namespaces/{namespace}/{kind}s/{name}")


def wait(lab: Lab, kubectl: Kubectl, workload: str, seconds: float) -> None:
    """Wait until `namespace/kind/name` runs as it is written. Raises LabError with the reason why it doesn't."""
    deadline = time.monotonic() + seconds
    while reason := _trouble(lab, workload):
        if time.monotonic() >= deadline:
            namespace, kind, name = workload.split("/")
            raise LabError(
                f"{kind} {namespace}/{name}: not ready after {seconds:.0f} s: {kubectl.trouble(namespace, name) or reason}. "
                f"Look at it with `kubectl -n {namespace} describe pod`, then run lab/up again to go on."
            )
        time.sleep(POLL_SECONDS)


def _trouble(lab: Lab, workload: str) -> str:
    try:
        return "" if is_rolled_out(get(lab, workload)) else "its pods are not all as it is written and ready"
    except api.NotAnsweringError as error:
        return str(error)


def is_rolled_out(found: Mapping[str, Any]) -> bool:
    """Whether all pods of a Deployment or StatefulSet are of its newest form and ready.

    As `kubectl rollout status` judges it
    (https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go).
    """
    status: Mapping[str, Any] = found.get("status", {})
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return False
    wanted: int = found["spec"]["replicas"]
    if found["kind"] == "StatefulSet":
        of_newest: bool = status.get("updateRevision") == status.get("currentRevision")
        return of_newest and int(status.get("readyReplicas", 0)) >= wanted
    all_of_them, updated, available = (
        int(status.get(name, 0)) for name in ("replicas", "updatedReplicas", "availableReplicas")
    )
    return updated >= wanted and all_of_them <= updated <= available
