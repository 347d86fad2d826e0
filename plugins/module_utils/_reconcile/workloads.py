# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the kinds of Kubernetes itself are Current."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import (
    CURRENT,
    Item,
    Rule,
    Status,
    conditions_of,
    failed,
    progressing,
    require,
)

# Why a claim is not Current.
UNBOUND = "NotBound"

_RUN_ON = frozenset({"DaemonSet", "Deployment", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"})


def may_crash_unnoticed(item: Item) -> bool:
    """Whether an object's pods count as ready as soon as they are started, as no probe asks them."""
    spec = item.get("spec") or {}
    pod = spec if item["kind"] == "Pod" else at(spec, "template.spec", {})
    if item["kind"] not in _RUN_ON or spec.get("replicas") == 0 or at(item, "status.phase") == "Succeeded":
        return False
    asked = ("readinessProbe", "startupProbe")
    return any(not any(container.get(probe) for probe in asked) for container in pod.get("containers") or [])


def _observed(item: Item) -> bool:
    return at(item, "status.observedGeneration") is not None


def _deployment(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    found = conditions_of(item)
    rollout, stuck, available = (found.get(name) for name in ("Progressing", "ReplicaFailure", "Available"))
    if rollout and rollout.reason == "ProgressDeadlineExceeded":
        return failed(rollout.reason, rollout.text())
    wanted, status = at(item, "spec.replicas", 1), at(item, "status", {})
    counted = _counted(
        ("updated", status.get("updatedReplicas", 0), wanted),
        ("available", status.get("availableReplicas", 0), wanted),
        ("left after the old ones are gone", wanted, status.get("replicas", 0)),
    )
    if counted.verdict == "Current":
        message = available.text() if available and available.status != "True" else ""
        return progressing("NotAvailable", message) if message else CURRENT
    if stuck and stuck.status == "True":
        return progressing(stuck.reason, stuck.text())
    if at(item, "spec.paused", False) and status.get("updatedReplicas", 0) < wanted:
        return progressing("Paused", f"is paused, so that nothing is rolled out: {counted}")
    return counted


def _stateful_set(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    wanted, status = at(item, "spec.replicas", 1), at(item, "status", {})
    ready = ("ready", status.get("readyReplicas", 0), wanted)
    if at(item, "spec.updateStrategy.type") == "OnDelete":
        return _counted(ready)
    counted = _counted(ready, ("left after the surplus is gone", wanted, status.get("replicas", 0)))
    if counted.verdict != "Current":
        return counted
    # The API server makes an absent partition 0: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions
    partition = at(item, "spec.updateStrategy.rollingUpdate.partition")
    if partition is not None:
        return _counted(("updated", status.get("updatedReplicas", 0), wanted - partition))
    if status.get("currentRevision") != status.get("updateRevision"):
        return progressing("Rolling", "pods of the old revision are still there")
    return CURRENT


def _daemon_set(item: Item) -> Status:
    if not _observed(item) or at(item, "status.desiredNumberScheduled") is None:
        return progressing("NoStatus", "its controller has not seen it yet")
    status = at(item, "status", {})
    wanted = status["desiredNumberScheduled"]
    return _counted(
        ("scheduled", status.get("currentNumberScheduled", 0), wanted),
        ("updated", status.get("updatedNumberScheduled", 0), wanted),
        ("available", status.get("numberAvailable", 0), wanted),
        ("ready", status.get("numberReady", 0), wanted),
    )


def _replicas(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    stuck = conditions_of(item).get("ReplicaFailure")
    if stuck and stuck.status == "True":
        return progressing(stuck.reason, stuck.text())
    wanted, status = at(item, "spec.replicas", 1), at(item, "status", {})
    return _counted(
        ("made from the latest template", status.get("fullyLabeledReplicas", 0), wanted),
        ("available", status.get("availableReplicas", 0), wanted),
        ("left after the surplus is gone", wanted, status.get("replicas", 0)),
    )


def _counted(*counts: tuple[str, int, int]) -> Status:
    for word, have, wanted in counts:
        if have < wanted:
            return progressing("Replicas", f"{have} of {wanted} pods {word}")
    return CURRENT


def _job(item: Item) -> Status:
    found = conditions_of(item)
    if (complete := found.get("Complete")) and complete.status == "True":
        return CURRENT
    if (broken := found.get("Failed")) and broken.status == "True":
        return failed(broken.reason, broken.text())
    # Nothing is to come of it until somebody resumes it.
    suspended = found.get("Suspended")
    if at(item, "spec.suspend", False):
        done = suspended and suspended.status == "True"
        return CURRENT if done else progressing("Suspended", "is about to be suspended")
    return progressing("Running", "has not completed yet")


def _pod(item: Item) -> Status:
    phase = at(item, "status.phase", "Pending")
    if phase == "Succeeded":
        return CURRENT
    if phase == "Failed":
        return failed(at(item, "status.reason", "Failed"), at(item, "status.message", "the pod failed"))
    found = conditions_of(item)
    scheduled = found.get("PodScheduled")
    if scheduled and scheduled.status == "False":
        return progressing(scheduled.reason, scheduled.text())
    return require(found, "Ready")


def _claim(item: Item) -> Status:
    phase = at(item, "status.phase", "Pending")
    if phase == "Lost":
        return failed("Lost", "the volume behind it is gone")
    return CURRENT if phase == "Bound" else progressing(UNBOUND, "no volume is bound to it yet")


def _service(item: Item) -> Status:
    if at(item, "spec.type") != "LoadBalancer" or at(item, "spec.externalIPs"):
        return CURRENT
    if at(item, "status.loadBalancer.ingress"):
        return CURRENT
    return progressing("NoAddress", "it has no address yet; does this cluster give addresses to LoadBalancers?")


def _crd(item: Item) -> Status:
    found = conditions_of(item)
    names = found.get("NamesAccepted")
    if names and names.status == "False" and names.reason != "NotAccepted":
        return failed(names.reason, names.text())
    return require(found, "Established")


def _namespace(item: Item) -> Status:
    phase = at(item, "status.phase", "Active")
    return CURRENT if phase == "Active" else progressing(phase)


def _available(item: Item) -> Status:
    return require(conditions_of(item), "Available")


RULES: dict[tuple[str, str], Rule] = {
    ("", "Namespace"): _namespace,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "ReplicationController"): _replicas,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _available,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replicas,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
}
