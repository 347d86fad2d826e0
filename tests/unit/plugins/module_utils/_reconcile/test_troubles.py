# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import troubles
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject, thing

WAITING = "containerStatuses: [{name: main, restartCount: %d, state: {waiting: {reason: %s, message: why}}, %s}]"
PODS = [
    ("", []),
    ("containerStatuses: [{name: main, state: {running: {}}}]", []),
    (WAITING % (0, "ContainerCreating", ""), []),
    (WAITING % (0, "PodInitializing", ""), []),
    (WAITING % (0, "ImagePullBackOff", ""), ["Pod ns/p: container main: ImagePullBackOff: why"]),
    (
        "initContainerStatuses: [{name: first, state: {waiting: {reason: InvalidImageName, message: why}}}]",
        ["Pod ns/p: container first: InvalidImageName: why"],
    ),
    (WAITING % (4, "CrashLoopBackOff", ""), []),
    (
        WAITING % (5, "CrashLoopBackOff", "lastState: {terminated: {exitCode: 3, reason: Error}}"),
        ["Pod ns/p: container main: CrashLoopBackOff: it crashed 5 times, the last time with exit code 3"],
    ),
    (
        WAITING % (9, "CrashLoopBackOff", "lastState: {terminated: {exitCode: 137, reason: OOMKilled}}"),
        ["Pod ns/p: container main: CrashLoopBackOff: it crashed 9 times, the last time with OOMKilled"],
    ),
    (
        "conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: no room}]",
        ["Pod ns/p: Unschedulable: no room"],
    ),
    ("conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated, message: wait}]", []),
    ("conditions: [{type: PodScheduled, status: 'True'}]", []),
]
JOBS = [
    ("", []),
    ("failed: 2", []),
    ("failed: 3", ["Job ns/j: PodsFailed: 3 of its pods failed"]),
    ("{failed: 3, succeeded: 1}", []),
    (
        "{failed: 7, conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: limit}]}",
        ["Job ns/j: JobFailed: limit"],
    ),
]
ISSUING = [
    ("{}", []),
    ("{state: pending, reason: not yet propagated}", ["Order ns/o: pending: not yet propagated"]),
    ("{state: invalid, reason: no such record}", ["Order ns/o: invalid: no such record"]),
    ("{state: valid, reason: Successfully authorized domain}", []),
]
EVENTS = [
    (
        "FailedCreate",
        "Error creating: pods x is forbidden: exceeded quota: q",
        "pods x is forbidden: exceeded quota: q",
    ),
    ("FailedCreate", "Create Pod s-0 in StatefulSet s failed error: pods x is forbidden", "pods x is forbidden"),
    ("FailedMount", 'secret "a" not found', 'secret "a" not found'),
]


def status(text: str) -> Any:
    return yaml.safe_load(text) or {}


@pytest.mark.parametrize(("text", "reported"), PODS)
def test_pods(text: str, reported: list[str]) -> None:
    pod = thing("Pod", "p", status=status(text))
    assert [str(trouble) for trouble in troubles.of_pod(pod)] == reported


@pytest.mark.parametrize(("text", "reported"), JOBS)
def test_jobs(text: str, reported: list[str]) -> None:
    job = thing("Job", "j", status=status(text))
    assert [str(trouble) for trouble in troubles.of_job(job)] == reported


@pytest.mark.parametrize(("text", "reported"), ISSUING)
def test_orders_and_challenges(text: str, reported: list[str]) -> None:
    order = thing("Order", "o", status=yaml.safe_load(text))
    assert [str(trouble) for trouble in troubles.of_issuing(order)] == reported


@pytest.mark.parametrize(("reason", "message", "reported"), EVENTS)
def test_events(reason: str, message: str, reported: str) -> None:
    event = thing("Event", "e", reason=reason, message=message)
    assert [trouble.text for trouble in troubles.of_event(event, subject("Job", "j"))] == [f"{reason}: {reported}"]


def test_other_events_are_no_trouble() -> None:
    event = thing("Event", "e", reason="Unhealthy", message="readiness probe failed")
    assert list(troubles.of_event(event, subject("Pod", "p"))) == []


@pytest.mark.parametrize(
    ("conditions", "reported"),
    [
        ([], []),
        ([{"type": "ReplicaFailure", "status": "False", "reason": "FailedCreate"}], []),
        (
            [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}],
            ["ReplicaSet ns/r: FailedCreate: quota"],
        ),
    ],
)
def test_replica_sets(conditions: list[dict[str, Any]], reported: list[str]) -> None:
    item = thing("ReplicaSet", "r", status={"conditions": conditions})
    assert [str(trouble) for trouble in troubles.of_replica_set(item)] == reported


@pytest.mark.parametrize(
    ("revision", "policy", "count"),
    [("new", "OrderedReady", 0), ("old", "OrderedReady", 1), ("old", "Parallel", 0)],
)
def test_only_an_ordered_stateful_set_waits_for_an_old_pod(revision: str, policy: str, count: int) -> None:
    pod = thing("Pod", "p")
    pod["metadata"]["labels"] = {"controller-revision-hash": revision}
    item = thing("StatefulSet", "s", spec={"podManagementPolicy": policy}, status={"updateRevision": "new"})
    assert len(list(troubles.of_old_revision(pod, item))) == count
