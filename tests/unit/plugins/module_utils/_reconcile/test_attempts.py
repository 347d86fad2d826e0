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
