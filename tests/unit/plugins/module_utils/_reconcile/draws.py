# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with a status drawn at random, as the controllers of Kubernetes write it: counts that can be, conditions that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object

_WRITES_GENERATION = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
Drawn = tuple[dict[str, Any], dict[str, Any]]


def draw(random: Random, group: str, kind: str, version: str = "v1") -> Object:
    """Return an object of a kind, with what any of them may have and what its own controller writes."""
    spec, status = OWN.get((group, kind), _of_custom(kind))(random)
    generation = random.randint(1, 3)
    metadata: dict[str, Any] = {"name": "a", "namespace": "ns", "generation": generation, "uid": "u"}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    if random.random() < 0.05:
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    seen = random.choice((generation, generation, generation, generation, generation - 1, None))
    # Who writes it writes the rest with it.
    if seen is None and kind in _WRITES_GENERATION:
        status = {}
    elif seen is not None and status:
        status["observedGeneration"] = seen
    if status and random.random() < 0.1:
        status.setdefault("conditions", []).append(condition(random.choice(("Reconciling", "Stalled")), random))
    found = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind, "metadata": metadata}
    return {**found, **({"spec": spec} if spec else {}), **({"status": status} if status else {})}


def condition(name: str, random: Random, status: str = "", reason: str = "Any") -> dict[str, str]:
    """Return a condition, with a status at random unless it is given."""
    return {
        "type": name,
        "status": status or random.choice(("True", "False", "Unknown")),
        "reason": reason,
        "message": "m",
    }


def _deployment(random: Random) -> Drawn:
    wanted = random.choice((0, 1, 3))
    there = random.randint(0, wanted + 1)
    updated, ready = random.randint(0, min(there, wanted)), random.randint(0, there)
    available = random.randint(0, ready)
    spec = {"replicas": wanted, "progressDeadlineSeconds": random.choice((600, 2147483647))}
    if is_paused := random.random() < 0.2:
        spec["paused"] = True
    is_complete = updated == wanted == there and available >= wanted
    rollout = "True", "NewReplicaSetAvailable" if is_complete else "ReplicaSetUpdated"
    if is_paused:
        rollout = "Unknown", "DeploymentPaused"
    elif not is_complete and random.random() < 0.2:
        rollout = "False", "ProgressDeadlineExceeded"
    said = [condition("Available", random, str(available >= wanted)), condition("Progressing", random, *rollout)]
    if not is_complete and random.random() < 0.2:
        said.append(condition("ReplicaFailure", random, "True", "FailedCreate"))
    counts = {"replicas": there, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available}
    return spec, ({"conditions": said, **counts} if random.random() < 0.9 else {})


def _stateful_set(random: Random) -> Drawn:
    wanted = random.choice((0, 1, 3))
    there = random.randint(0, wanted + 1)
    updated = random.randint(0, there)
    spec: dict[str, Any] = {"replicas": wanted}
    update = random.choice(("OnDelete", "RollingUpdate", "RollingUpdate", "RollingUpdate", ""))
    if update == "RollingUpdate":
        spec["updateStrategy"] = {"type": update, "rollingUpdate": {"partition": random.choice((0, 0, 1))}}
    elif update:
        spec["updateStrategy"] = {"type": update}
    is_over = updated == there and random.random() < 0.8
    status = {
        "replicas": there,
        "readyReplicas": random.randint(0, there),
        "updatedReplicas": updated,
        "currentReplicas": there if is_over else there - updated,
        "currentRevision": "b" if is_over else "a",
        "updateRevision": "b",
    }
    return spec, (status if random.random() < 0.9 else {})


def _daemon_set(random: Random) -> Drawn:
    wanted = random.choice((0, 1, 3))
    there = random.randint(0, wanted)
    ready = random.randint(0, there)
    status = {
        "desiredNumberScheduled": wanted,
        "currentNumberScheduled": there,
        "updatedNumberScheduled": random.randint(0, there),
        "numberReady": ready,
        "numberAvailable": random.randint(0, ready),
    }
    return {}, (status if random.random() < 0.9 else {})


def _replicas(random: Random) -> Drawn:
    wanted = random.choice((0, 1, 3))
    there = random.randint(0, wanted + 1)
    ready = random.randint(0, there)
    status: dict[str, Any] = {"replicas": there, "readyReplicas": ready, "availableReplicas": random.randint(0, ready)}
    status["fullyLabeledReplicas"] = random.choice((there, there, random.randint(0, there)))
    if random.random() < 0.2:
        status["conditions"] = [condition("ReplicaFailure", random, reason="FailedCreate")]
    return {"replicas": wanted}, (status if random.random() < 0.9 else {})


def _job(random: Random) -> Drawn:
    state = random.choice(("new", "running", "suspended", "about to be suspended", "complete", "failed"))
    spec: dict[str, Any] = {"suspend": True} if "suspended" in state else {}
    said = {"suspended": "Suspended", "complete": "Complete", "failed": "Failed"}.get(state)
    status: dict[str, Any] = {"conditions": [condition(said, random, "True")]} if said else {}
    if state in ("running", "about to be suspended", "complete", "failed"):
        status |= {"startTime": "2026-01-01T00:00:00Z", "active": 1 if state == "running" else 0}
    return spec, status


def _pod(random: Random) -> Drawn:
    phase = random.choice(("", "Pending", "Running", "Running", "Running", "Succeeded", "Failed"))
    said, status = [], {"phase": phase} if phase else {}
    if phase == "Pending" and random.random() < 0.5:
        said = [condition("PodScheduled", random, "False", random.choice(("Unschedulable", "SchedulingGated")))]
    if phase == "Running":
        said = [condition("PodScheduled", random, "True"), condition("Ready", random)]
        if said[1]["status"] != "True" and random.random() < 0.5:
            waiting = {"reason": random.choice(("CrashLoopBackOff", "ImagePullBackOff")), "message": "m"}
            status["containerStatuses"] = [{"name": "a", "restartCount": 1, "state": {"waiting": waiting}}]
    return {"containers": [{"name": "a"}]}, status | ({"conditions": said} if said else {})


def _claim(random: Random) -> Drawn:
    phase = random.choice(("", "Pending", "Bound", "Lost"))
    return {"storageClassName": "a"}, ({"phase": phase} if phase else {})


def _service(random: Random) -> Drawn:
    kind = random.choice(("ClusterIP", "LoadBalancer", "LoadBalancer", "NodePort"))
    spec: dict[str, Any] = {"type": kind, "clusterIP": "10.0.0.1"}
    if kind == "LoadBalancer" and random.random() < 0.5:
        return spec, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    if random.random() < 0.3:
        spec["externalIPs"] = ["192.0.2.1"]
    elif random.random() < 0.2:
        del spec["clusterIP"]
    return spec, {"loadBalancer": {}}


def _crd(random: Random) -> Drawn:
    state = random.choice(("new", "taken", "installing", "there"))
    names = {
        "taken": ("False", "ListKindConflict"),
        "installing": ("True", "NoConflicts"),
        "there": ("True", "NoConflicts"),
    }
    made = {
        "taken": ("False", "NotAccepted"),
        "installing": ("False", "Installing"),
        "there": ("True", "InitialNamesAccepted"),
    }
    if state == "new":
        return {}, {}
    said = [condition("NamesAccepted", random, *names[state])]
    # Whoever refuses the names writes that first.
    said.append(condition("Established", random, *made[state]))
    return {}, {"conditions": said}


def _namespace(random: Random) -> Drawn:
    return {}, ({"phase": "Active"} if random.random() < 0.8 else {})


def _conditions(*names: str) -> Callable[[Random], Drawn]:
    def drawn(random: Random) -> Drawn:
        said = [condition(name, random) for name in names if random.random() < 0.8]
        return {}, ({"conditions": said} if said else {})

    return drawn


OWN: Mapping[tuple[str, str], Callable[[Random], Drawn]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replicas,
    ("", "ReplicationController"): _replicas,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("", "Namespace"): _namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _conditions("Available"),
    ("policy", "PodDisruptionBudget"): _conditions("DisruptionAllowed"),
    ("example.test", "Anything"): _conditions("Ready", "Other"),
}
# What custom kinds tell, beside conditions; and those that have the condition Ready.
_PHASES = {
    "Cluster": (
        "Cluster in healthy state",
        "Setting up primary",
        "Cluster is unrecoverable and needs manual intervention",
    ),
    "Pooler": ("active", "inactive", "failed"),
    "Backup": ("completed", "running", "failed"),
    "Dragonfly": ("Ready", "resources-created"),
    "ObjectBucketClaim": ("Bound", "Pending"),
    "CephCluster": ("Ready", "Progressing"),
    "CephBlockPool": ("Ready", "Progressing"),
    "CephObjectStore": ("Ready", "Progressing"),
}
_OTHER_CONDITIONS = {
    "HelmRelease": ("Ready", "Released"),
    "Certificate": ("Ready", "Issuing"),
    "Cluster": ("Ready", "ContinuousArchiving"),
    "Database": (),
    "ReplicationSource": ("Synchronizing",),
    "GatewayClass": ("Accepted",),
    "Gateway": ("Accepted", "Programmed"),
    "HTTPRoute": (),
}


def _of_custom(kind: str) -> Callable[[Random], Drawn]:
    def drawn(random: Random) -> Drawn:
        names = _OTHER_CONDITIONS.get(kind, () if kind in _PHASES else ("Ready",))
        spec, status = _conditions(*names)(random)
        spec = {"instances": 1, **({"suspend": True} if random.random() < 0.1 else {})}
        status |= {"readyInstances": random.randint(0, 1), "applied": random.random() < 0.5}
        if phases := _PHASES.get(kind):
            status["phase"] = random.choice(phases)
        return spec, status

    return drawn
