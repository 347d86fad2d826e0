# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Flux began its last attempt at a release, by what helm-controller writes at each step of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import attempts
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import thing

HISTORY = [
    {"version": 3, "status": "failed", "action": "upgrade", "lastDeployed": "2026-06-01T09:59:30Z"},
    {"version": 2, "status": "superseded", "action": "upgrade", "lastDeployed": "2026-05-01T00:00:00Z"},
]
LAST = datetime(2026, 6, 1, 9, 59, 30, tzinfo=UTC)
NOW = datetime(2026, 6, 1, 10, 21, 5, tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)


def reconciling(reason: str, message: str, time: str = "2026-06-01T10:21:05Z") -> dict[str, Any]:
    about = {"type": "Reconciling", "status": "True", "observedGeneration": 4}
    return {**about, "reason": reason, "message": message, "lastTransitionTime": time}


READY = {"type": "Ready", "status": "True", "reason": "UpgradeSucceeded", "lastTransitionTime": "2026-06-01T10:21:05Z"}


@pytest.mark.parametrize(
    ("status", "began"),
    [
        ({}, NEVER),
        # Before its first, and at it.
        ({"conditions": [reconciling("Progressing", "Fulfilling prerequisites")]}, NOW),
        ({"conditions": [reconciling("Progressing", "Running 'install' action with timeout of 5m0s")]}, NOW),
        # At a later one the history is still that of the one before.
        (
            {
                "conditions": [reconciling("Progressing", "Running 'upgrade' action with timeout of 24h0m0s")],
                "history": HISTORY,
            },
            NOW,
        ),
        # After it failed, the condition only says when the next is due.
        ({"conditions": [reconciling("ProgressingWithRetry", "retrying after 1m0s")], "history": HISTORY}, LAST),
        # After it went well there is no such condition.
        ({"conditions": [READY], "history": HISTORY}, LAST),
    ],
)
def test_when_the_last_attempt_began(status: dict[str, Any], began: datetime) -> None:
    assert attempts.began(thing("HelmRelease", "mastodon", status=status)) == began


@pytest.mark.parametrize(("generation", "is_of_another"), [(4, False), (5, True)])
def test_a_hook_of_what_is_declared_no_longer(generation: int, is_of_another: bool) -> None:
    release = thing("HelmRelease", "mastodon", status={"lastAttemptedGeneration": 4, "history": HISTORY})
    release["metadata"]["generation"] = generation
    job = thing("Job", "mastodon-db-migrate")
    job["metadata"] |= {"annotations": {"helm.sh/hook": "post-upgrade"}, "creationTimestamp": "2026-06-01T10:00:00Z"}
    assert attempts.is_of_another(job, release) is is_of_another
    # One that is of the release itself is waited for, whenever it was created.
    del job["metadata"]["annotations"]
    assert not attempts.is_of_another(job, release)


def job_at(time: str) -> dict[str, Any]:
    job = thing("Job", "mastodon-db-migrate")
    job["metadata"] |= {"annotations": {"helm.sh/hook": "post-upgrade"}, "creationTimestamp": f"2026-06-01T{time}Z"}
    return job


@pytest.mark.parametrize(
    ("written", "created", "is_of_another"),
    [
        # One clock for both: the attempt's own hook, in the second in which it began, and the one of an hour before.
        ("10:21:05", "10:21:05", False),
        ("10:21:05", "09:20:00", True),
        # Helm-controller's is 40 seconds ahead, as it notes what the API server wrote down before: the attempt began at 10:20:25.
        ("10:20:25", "10:20:27", False),
        ("10:20:25", "10:20:24", False),
        ("10:20:25", "10:20:10", True),
        # It is behind: nothing shows that, and a hook of before it is by far.
        ("10:23:05", "10:23:07", False),
        ("10:23:05", "10:10:00", True),
    ],
)
def test_a_clock_of_helm_controllers_node_that_is_ahead_is_allowed_for(
    written: str, created: str, is_of_another: bool
) -> None:
    running = reconciling("Progressing", "Running 'upgrade' action with timeout of 5m0s")
    release = thing("HelmRelease", "mastodon", status={"conditions": [running], "history": HISTORY})
    release["metadata"]["managedFields"] = [
        {"manager": "fediverse.mastodon", "operation": "Apply", "time": "2026-06-01T09:00:00Z"},
        {
            "manager": "helm-controller",
            "operation": "Update",
            "subresource": "status",
            "time": f"2026-06-01T{written}Z",
        },
    ]
    assert attempts.is_of_another(job_at(created), release) is is_of_another


def test_without_a_note_of_who_wrote_it_both_clocks_count_as_one() -> None:
    release = thing("HelmRelease", "mastodon", status={"conditions": [reconciling("Progressing", "Running")]})
    assert attempts.is_of_another(job_at("10:21:03"), release)
    assert not attempts.is_of_another(job_at("10:21:04"), release)
