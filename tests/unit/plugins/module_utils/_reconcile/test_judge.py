# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was so before the run is not held against what the run does about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.judge import Judge
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Subject
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject, thing

WEB = subject("Deployment", "web")


def too_slow(message: str = "too slow") -> Object:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message}
    return thing("Deployment", "web", status={"observedGeneration": 0, "conditions": [condition]})


def stalled(reason: str = "RetriesExceeded") -> Object:
    condition = {"type": "Stalled", "status": "True", "reason": reason, "message": "gave up"}
    return thing("Widget", "w", status={"conditions": [condition]})


class Judged:
    """A judge that saw an object before the run."""

    def __init__(self, item: Object) -> None:
        self.time = 100.0
        self.judge = Judge(lambda: self.time)
        self.judge.found(Subject.of(item), item)

    def at(self, time: float, item: Object) -> str:
        self.time = 100.0 + time
        return self.judge.status(Subject.of(item), item).verdict


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
    assert Judged(item).at(time, item) == verdict


def test_a_failure_of_this_run_counts_at_once() -> None:
    judged = Judged(thing("Deployment", "web"))
    assert judged.at(0, too_slow()) == "Failed"


def test_another_failure_than_before_counts_at_once() -> None:
    assert Judged(too_slow()).at(1, too_slow("another")) == "Failed"


def test_the_time_to_heal_begins_with_the_last_change() -> None:
    judged = Judged(stalled())
    judged.time = 200.0
    judged.judge.changed(subject("ConfigMap", "a"))
    assert judged.at(114, stalled()) == "InProgress"
    assert judged.at(115, stalled()) == "Failed"


def test_what_flux_was_asked_for_is_judged_by_its_answer_alone() -> None:
    release: dict[str, Any] = {**stalled(), **thing("HelmRelease", "r")}
    release["metadata"]["annotations"] = {"reconcile.fluxcd.io/requestedAt": "now"}
    judged = Judged(release)
    judged.judge.asked(subject("HelmRelease", "r"))
    assert judged.at(0, release) == "InProgress"
    release["status"]["lastHandledReconcileAt"] = "now"
    assert judged.at(0, release) == "Failed"


@pytest.mark.parametrize(("seconds", "verdict"), [(2, "InProgress"), (4, "Current")])
def test_what_others_wrote_just_now_is_not_believed_at_once(seconds: int, verdict: str) -> None:
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Cluster in healthy state", "readyInstances": 1, "conditions": conditions}
    found = thing("Cluster", "db", status=status)
    written = {"manager": "us", "time": "2026-11-27T12:00:00Z"}
    later = {"manager": "operator", "subresource": "status", "time": "2026-11-27T12:00:09Z"}
    found["metadata"] |= {"managedFields": [written, later], "creationTimestamp": "2026-01-01T00:00:00Z"}
    judge = Judge(lambda: 0.0)
    now = datetime(2026, 11, 27, 12, 0, seconds, tzinfo=UTC)
    judge.met(subject("Cluster", "db"), found, now)
    assert judge.status(subject("Cluster", "db"), found).verdict == verdict
