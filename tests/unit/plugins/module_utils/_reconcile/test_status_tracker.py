# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was so before the run is not held against what the run does about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject, thing

WEB = subject("Deployment", "web")
NO_VERSION = (
    "HelmChart 'flux-system/ns-r' is not ready: invalid chart reference: failed to get chart version for remote"
    " reference: no 'mastodon' chart with version matching '99.0.0' found"
)
NO_HOST = (
    'failed to fetch Helm repository index: Get "https://r.test/index.yaml": dial tcp: lookup r.test: no such host'
)


def too_slow(message: str = "too slow") -> Object:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message}
    return thing("Deployment", "web", status={"observedGeneration": 0, "conditions": [condition]})


def stalled(reason: str = "RetriesExceeded") -> Object:
    condition = {"type": "Stalled", "status": "True", "reason": reason, "message": "gave up"}
    return thing("Widget", "w", status={"conditions": [condition]})


class Tracked:
    """A tracker that saw an object before the run."""

    def __init__(self, item: Object) -> None:
        self.time = 100.0
        self.tracker = StatusTracker(lambda: self.time)
        self.tracker.found(ObjectRef.of(item), item)

    def at(self, time: float, item: Object) -> str:
        self.time = 100.0 + time
        return self.tracker.status(ObjectRef.of(item), item).verdict


@pytest.mark.parametrize(
    ("item", "time", "verdict"),
    [
        (too_slow(), 0, "InProgress"),
        (too_slow(), 329, "InProgress"),
        (too_slow(), 330, "Failed"),
        (stalled(), 14, "InProgress"),
        (stalled(), 15, "Failed"),
        (stalled("Suspended"), 0, "Failed"),
    ],
)
def test_a_failure_of_before_has_time_to_heal(item: Object, time: float, verdict: str) -> None:
    assert Tracked(item).at(time, item) == verdict


def test_a_failure_of_this_run_counts_at_once() -> None:
    tracked = Tracked(thing("Deployment", "web"))
    assert tracked.at(0, too_slow()) == "Failed"


def test_another_failure_than_before_counts_at_once() -> None:
    assert Tracked(too_slow()).at(1, too_slow("another")) == "Failed"


def test_the_time_to_heal_begins_with_the_last_change() -> None:
    tracked = Tracked(stalled())
    tracked.time = 200.0
    tracked.tracker.changed(subject("ConfigMap", "a"))
    assert tracked.at(114, stalled()) == "InProgress"
    assert tracked.at(115, stalled()) == "Failed"


def test_what_flux_was_asked_for_is_judged_by_its_answer_alone() -> None:
    release: dict[str, Any] = {**stalled(), **thing("HelmRelease", "r")}
    release["metadata"]["annotations"] = {"reconcile.fluxcd.io/requestedAt": "now"}
    tracked = Tracked(release)
    tracked.tracker.asked(subject("HelmRelease", "r"))
    assert tracked.at(0, release) == "InProgress"
    release["status"]["lastHandledReconcileAt"] = "now"
    assert tracked.at(0, release) == "Failed"


@pytest.mark.parametrize(("seconds", "verdict"), [(2, "InProgress"), (4, "Current")])
def test_what_others_wrote_just_now_is_not_believed_at_once(seconds: int, verdict: str) -> None:
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Cluster in healthy state", "readyInstances": 1, "conditions": conditions}
    found = thing("Cluster", "db", status=status)
    written = {"manager": "us", "time": "2026-11-27T12:00:00Z"}
    later = {"manager": "operator", "subresource": "status", "time": "2026-11-27T12:00:09Z"}
    found["metadata"] |= {"managedFields": [written, later], "creationTimestamp": "2026-01-01T00:00:00Z"}
    tracker = StatusTracker(lambda: 0.0)
    now = datetime(2026, 11, 27, 12, 0, seconds, tzinfo=UTC)
    tracker.already_there(subject("Cluster", "db"), found, now)
    assert tracker.status(subject("Cluster", "db"), found).verdict == verdict


def unready(kind: str, message: str, reason: str = "SourceNotReady", generation: int = 1) -> Object:
    """Return an object of Flux whose condition Ready is False."""
    condition = {"type": "Ready", "status": "False", "reason": reason, "message": message}
    found = thing(kind, "r", status={"observedGeneration": generation, "conditions": [condition]})
    found["apiVersion"] = "helm.toolkit.fluxcd.io/v2" if kind == "HelmRelease" else "source.toolkit.fluxcd.io/v1"
    found["metadata"]["generation"] = generation
    return found


@pytest.mark.parametrize(
    ("item", "lasts", "remedy"),
    [
        (
            unready("HelmRelease", NO_VERSION),
            20,
            "Check the chart's name and version, and that its repository has them.",
        ),
        (unready("HelmRepository", NO_HOST, "Failed"), 300, "Check that the cluster reaches it"),
    ],
)
def test_what_an_object_says_of_itself_is_final_when_its_time_is_over(item: Object, lasts: float, remedy: str) -> None:
    tracked = Tracked(thing("ConfigMap", "a"))
    subject = ObjectRef.of(item)
    assert tracked.at(0, item) == "InProgress"
    assert tracked.at(lasts - 1, item) == "InProgress"
    assert tracked.at(lasts, item) == "Failed"
    assert tracked.tracker.status(subject, item).remedy.startswith(remedy)


def test_the_latest_change_has_its_own_time() -> None:
    tracked = Tracked(thing("ConfigMap", "a"))
    assert tracked.at(0, unready("HelmRelease", NO_VERSION)) == "InProgress"
    assert tracked.at(25, unready("HelmRelease", NO_VERSION, generation=2)) == "InProgress"


def test_what_was_said_before_the_run_has_more_time_when_the_run_changed_something() -> None:
    release = unready("HelmRelease", NO_VERSION)
    tracked = Tracked(release)
    assert tracked.at(0, release) == "InProgress"
    tracked.tracker.changed(subject("ConfigMap", "a"))
    assert tracked.at(39, release) == "InProgress"
    assert tracked.at(40, release) == "Failed"


def running(*containers: dict[str, Any], replicas: int = 1, available: int = 1) -> Object:
    """Return a Deployment with these containers."""
    spec = {"replicas": replicas, "template": {"spec": {"containers": list(containers)}}}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), available)
    return thing("Deployment", "web", spec=spec, status={"observedGeneration": 0, **counts})


def test_what_has_no_probe_is_ready_only_when_it_goes_on() -> None:
    tracked = Tracked(running({"name": "a"}, available=0))
    assert tracked.at(0, running({"name": "a"})) == "InProgress"
    assert tracked.at(4, running({"name": "a"})) == "InProgress"
    assert tracked.at(4.5, running({"name": "a"}, available=0)) == "InProgress"
    assert tracked.at(6, running({"name": "a"})) == "InProgress"
    assert tracked.at(10.9, running({"name": "a"})) == "InProgress"
    assert tracked.at(11, running({"name": "a"})) == "Current"


def test_what_this_run_changed_must_go_on_too() -> None:
    tracked = Tracked(running({"name": "a"}))
    tracked.tracker.changed(WEB)
    assert tracked.at(0, running({"name": "a"})) == "InProgress"
    assert tracked.at(5, running({"name": "a"})) == "Current"


@pytest.mark.parametrize(
    "item",
    [
        running({"name": "a"}),
        running({"name": "a", "readinessProbe": {"tcpSocket": {"port": 1}}}),
        running({"name": "a"}, replicas=0, available=0),
    ],
)
def test_what_ran_before_and_is_unchanged_costs_no_time(item: Object) -> None:
    assert Tracked(item).at(0, item) == "Current"


def test_a_probe_tells_at_once() -> None:
    item = running({"name": "a", "readinessProbe": {"tcpSocket": {"port": 1}}})
    tracked = Tracked(item)
    tracked.tracker.changed(WEB)
    assert tracked.at(0, item) == "Current"
    mixed = running({"name": "a", "readinessProbe": {"tcpSocket": {"port": 1}}}, {"name": "b"})
    assert tracked.at(0, mixed) == "InProgress"
