# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps pods from coming up and certificates from being issued, as these, what makes them, and events report it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions

# The first few crashes are often a database that is still starting. With the kubelet's pauses, five take about 90 s.
_CRASHES = 5
# A Job's pods wait longer for each try: three take about 40 s.
_FAILED_PODS = 3
_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_EVENTS = ("FailedCreate", "FailedMount")
# Of a StatefulSet's message, as of others, the part before what was refused says nothing new.
_PREFIX = re.compile(r"^\(combined from similar events\): |^Error creating: |^[Cc]reate \w+ .* failed error: ")


@dataclass(frozen=True)
class Trouble:
    """Something that keeps `about`, or what it makes, from coming up. `text` is `Reason: message`.

    `lasts` is whether it stays also when what it belongs to is changed.
    """

    about: ObjectRef
    text: str
    container: str = ""
    lasts: bool = False

    def __str__(self) -> str:
        """Return it as the cause in a sentence."""
        where = f" container {self.container}:" if self.container else ""
        return f"{self.about}:{where} {self.text}"


def of_pod(pod: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield what keeps a pod from running."""
    about = ObjectRef.of(pod)
    for condition in maps_at(pod, "status.conditions"):
        if condition.get("reason") == "Unschedulable" and condition.get("status") == "False":
            yield Trouble(about, f"Unschedulable: {condition.get('message', '')}")
    for container in [*maps_at(pod, "status.initContainerStatuses"), *maps_at(pod, "status.containerStatuses")]:
        if text := _waiting(container):
            yield Trouble(about, text, container["name"])


def _waiting(container: Mapping[str, Any]) -> str:
    reason = at(container, "state.waiting.reason", "")
    if reason in _STARTING:
        return ""
    if reason != "CrashLoopBackOff":
        return f"{reason}: {at(container, 'state.waiting.message', '')}"
    crashes = container.get("restartCount", 0)
    if crashes < _CRASHES:
        return ""
    ended = at(container, "lastState.terminated", {})
    how = (
        ended.get("reason") if ended.get("reason") not in (None, "Error") else f"exit code {ended.get('exitCode', '?')}"
    )
    return f"{reason}: it crashed {crashes} times, the last time with {how}"


def unfinished(item: Mapping[str, Any]) -> Trouble | None:
    """Return what a pod or Job is at, None when it is ready or done: no trouble, but what takes the time."""
    about = ObjectRef.of(item)
    found = conditions(at(item, "status", {}), at(item, "metadata.generation", 0))
    if about.kind == "Job":
        done = any(found[kind].status == "True" for kind in ("Complete", "Failed") if kind in found)
        return Trouble(about, "runs") if at(item, "status.active", 0) and not done else None
    if at(item, "status.phase", "") in ("Succeeded", "Failed") or (
        "Ready" in found and found["Ready"].status == "True"
    ):
        return None
    for container in maps_at(item, "status.initContainerStatuses"):
        if at(container, "state.terminated.exitCode") != 0:
            return Trouble(about, _at_work(container, "runs"), str(container.get("name")))
    for container in maps_at(item, "status.containerStatuses"):
        if container.get("ready") is not True:
            return Trouble(about, _at_work(container, "runs and is not ready"), str(container.get("name")))
    return Trouble(about, "is not started")


def _at_work(container: Mapping[str, Any], running: str) -> str:
    return (
        running if at(container, "state.running") is not None else at(container, "state.waiting.reason", "") or "starts"
    )


def of_replica_set(item: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield why a ReplicaSet can't make its pods."""
    stuck = conditions(at(item, "status", {}), at(item, "metadata.generation", 0)).get("ReplicaFailure")
    if stuck and stuck.status == "True":
        yield Trouble(ObjectRef.of(item), f"{stuck.reason}: {stuck.message}")


def of_job(item: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield that a Job failed, or is about to."""
    found = conditions(at(item, "status", {}), at(item, "metadata.generation", 0))
    broken, count = found.get("Failed"), at(item, "status.failed", 0)
    if broken and broken.status == "True":
        yield Trouble(ObjectRef.of(item), f"JobFailed: {broken.text()}")
    elif count >= _FAILED_PODS and not at(item, "status.succeeded", 0):
        yield Trouble(ObjectRef.of(item), f"PodsFailed: {count} of its pods failed")


def of_issuing(item: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield what an ACME Order or Challenge waits for, or failed of."""
    state, reason = at(item, "status.state", "pending"), at(item, "status.reason", "")
    if reason and state != "valid":
        yield Trouble(ObjectRef.of(item), f"{state}: {reason}")


def of_event(event: Mapping[str, Any], about: ObjectRef) -> Iterator[Trouble]:
    """Yield what a warning event about an object says."""
    if event.get("reason") in _EVENTS:
        yield Trouble(about, f"{event['reason']}: {_PREFIX.sub('', event.get('message', ''))}")


def of_old_revision(pod: Mapping[str, Any], stateful_set: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield that an older pod which never became ready holds up a StatefulSet, which never replaces it.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    newest = at(stateful_set, "status.updateRevision")
    mine = (at(pod, "metadata.labels") or {}).get("controller-revision-hash")
    ordered = at(stateful_set, "spec.podManagementPolicy", "OrderedReady") == "OrderedReady"
    if ordered and newest and mine and mine != newest:
        text = "OldRevision: it is of an older revision, and the StatefulSet waits for it"
        yield Trouble(ObjectRef.of(pod), text, lasts=True)
