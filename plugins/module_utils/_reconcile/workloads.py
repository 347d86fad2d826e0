# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the kinds of Kubernetes itself are Current.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import (
    CURRENT,
    Item,
    Rule,
    Status,
    at,
    conditions_of,
    failed,
    progressing,
    require,
)


def _observed(item: Item) -> bool:
    return at(item, "status.observedGeneration") is not None


def _deployment(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    found = conditions_of(item)
    rollout = found.get("Progressing")
    if rollout and rollout.reason == "ProgressDeadlineExceeded":
        return failed(rollout.reason, rollout.told())
    if (stuck := found.get("ReplicaFailure")) and stuck.status == "True":
        return progressing(stuck.reason, stuck.told())
    wanted, status = at(item, "spec.replicas", 1), at(item, "status", {})
    return _counted(
        ("updated", status.get("updatedReplicas", 0), wanted),
        ("available", status.get("availableReplicas", 0), wanted),
        ("left after the old ones are gone", wanted, status.get("replicas", 0)),
    )


def _stateful_set(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    wanted, status = at(item, "spec.replicas", 1), at(item, "status", {})
    counted = _counted(("ready", status.get("readyReplicas", 0), wanted))
    if counted.verdict != "Current" or at(item, "spec.updateStrategy.type") == "OnDelete":
        return counted
    partition = at(item, "spec.updateStrategy.rollingUpdate.partition", 0)
    if partition:
        return _counted(("updated", status.get("updatedReplicas", 0), wanted - partition))
    if status.get("currentRevision") != status.get("updateRevision"):
        return progressing("Rolling", "pods of the old revision are still there")
    return CURRENT


def _daemon_set(item: Item) -> Status:
    if not _observed(item):
        return progressing("NoStatus", "its controller has not seen it yet")
    status = at(item, "status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    return _counted(
        ("updated", status.get("updatedNumberScheduled", 0), wanted),
        ("available", status.get("numberAvailable", 0), wanted),
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
        return failed(broken.reason, broken.told())
    if at(item, "spec.suspend", False):
        return progressing("Suspended", "is suspended")
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
        return progressing(scheduled.reason, scheduled.told())
    return require(found, "Ready")


def _claim(item: Item) -> Status:
    # A pending one may wait for its first pod (WaitForFirstConsumer). If it can't be bound, that pod's owner tells.
    if at(item, "status.phase") == "Lost":
        return failed("Lost", "the volume behind it is gone")
    return CURRENT


def _crd(item: Item) -> Status:
    found = conditions_of(item)
    names = found.get("NamesAccepted")
    if names and names.status == "False" and names.reason != "NotAccepted":
        return failed(names.reason, names.told())
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
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _available,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
}
