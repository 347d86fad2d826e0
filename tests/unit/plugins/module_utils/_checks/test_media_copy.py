# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says of the copy of media, by what Kubernetes says of its CronJob."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.media_copy import is_fresh
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CRON_JOB = kind("batch", "CronJob")
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
TODAY, EARLIER = "2026-11-29T02:23:00Z", "2026-11-26T02:23:00Z"
LOGS = "Its pod says why: kubectl -n mastodon logs job/JOB, of the newest in kubectl -n mastodon get jobs."


def found(*, there: bool = True, suspend: bool = False, **status: Any) -> Finding:
    item = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "copy", "namespace": "mastodon", "creationTimestamp": EARLIER},
        "spec": {"suspend": suspend},
        "status": status,
    }
    api = FakeApi(NAMESPACE, *([item] if there else []), served=(kind("", "Namespace", namespaced=False), CRON_JOB))
    return find(lambda: is_fresh(api, "mastodon", "copy", 50, NOW))


def test_a_copy_that_was_complete_lately_is_well() -> None:
    text = "CronJob mastodon/copy: the copy of media was complete at 2026-11-29T02:31:07Z"
    assert found(lastScheduleTime=TODAY, lastSuccessfulTime="2026-11-29T02:31:07Z") == Finding("ok", text)


def test_one_that_runs_has_not_failed_yet() -> None:
    running = found(lastScheduleTime=TODAY, lastSuccessfulTime="2026-11-28T02:31:07Z", active=[{"name": "copy-1"}])
    assert running.state == "ok"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, f"has not copied the media yet: it was created at {EARLIER}"),
        (
            {"lastScheduleTime": TODAY, "lastSuccessfulTime": "2026-11-28T02:31:07Z"},
            f"does not copy media: the run of {TODAY} did not end well. {LOGS}",
        ),
        ({"lastScheduleTime": TODAY}, f"does not copy media: the run of {TODAY} did not end well. {LOGS}"),
        (
            {"lastScheduleTime": EARLIER, "lastSuccessfulTime": "2026-11-26T02:31:07Z"},
            f"has not copied the media for 50 hours: the last copy was complete at 2026-11-26T02:31:07Z. {LOGS}",
        ),
        (
            {"suspend": True, "lastScheduleTime": TODAY, "lastSuccessfulTime": "2026-11-29T02:31:07Z"},
            f"does not copy media: it is suspended. {LOGS}",
        ),
    ],
)
def test_one_that_is_not_complete_is_warned_of(status: dict[str, Any], text: str) -> None:
    warned = found(**status)
    assert warned.state == "warning"
    assert warned.text.startswith(f"CronJob mastodon/copy: {text}")


def test_one_that_is_not_there_yet_is_passed_over() -> None:
    assert found(there=False) == Finding(
        "skipped", "CronJob mastodon/copy: fediverse.mastodon.site creates it, and media were not copied yet"
    )
