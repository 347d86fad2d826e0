# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of an object in this run: what the object says, and what we know besides."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.causes import (
    STALE_CAUSES,
    STATUS_CAUSES,
    Cause,
    find,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import WITHOUT_GENERATION
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Status, failed, progressing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.workloads import may_crash_unnoticed

# How long a controller may take to notice a change, in seconds.
_SETTLING = 3.0
# What crashes at its start does so within this time, in seconds.
_PROVING = 5.0


class StatusTracker:
    """Remembers what was before this run and what it changed, so as not to believe a status from before it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_change = clock()
        self._before: dict[ObjectRef, Status] = {}
        self._changed: dict[ObjectRef, float] = {}
        self._asked: set[ObjectRef] = set()
        self._first_seen: dict[tuple[ObjectRef, int, Cause], float] = {}
        self._current_since: dict[ObjectRef, float] = {}

    @property
    def now(self) -> float:
        """Return the time, in seconds."""
        return self._clock()

    def is_changed(self, subject: ObjectRef) -> bool:
        """Whether this run has changed an object, or asked for it."""
        return subject in self._changed or subject in self._asked

    @property
    def has_changes(self) -> bool:
        """Whether this run has written anything."""
        return bool(self._changed)

    def found(self, subject: ObjectRef, item: Object) -> None:
        """Note an object as it was before this run."""
        self._before[subject] = compute(item)

    def already_there(self, subject: ObjectRef, item: Object, server_time: datetime) -> None:
        """Note an object that others, such as an earlier task, may have written just now."""
        self.found(subject, item)
        if _written(item) > server_time - timedelta(seconds=_SETTLING):
            self.changed(subject)

    def changed(self, subject: ObjectRef) -> None:
        """Note that an object was written just now."""
        self._changed[subject] = self._last_change = self._clock()

    def asked(self, subject: ObjectRef) -> None:
        """Note that Flux was asked to act on an object."""
        self._asked.add(subject)
        self._before.pop(subject, None)

    def status(self, subject: ObjectRef, item: Object | None) -> Status:
        """Return the status of an object as last seen; None is one that does not exist."""
        if item is None:
            return progressing("Missing", "does not exist yet")
        changed = self._changed.get(subject)
        without_generation = (subject.group, subject.kind) in WITHOUT_GENERATION
        if changed is not None and without_generation and self._clock() < changed + _SETTLING:
            return progressing("Settling", "its operator may not have seen the change yet")
        status = compute(item)
        if self._may_heal(subject, status):
            return progressing(status.reason, f"{status}, as before")
        if status.verdict == "Current":
            return self._proven(subject, item, status)
        self._current_since.pop(subject, None)
        return self.with_patience(subject, item, status) if status.verdict == "InProgress" else status

    def _proven(self, subject: ObjectRef, item: Object, status: Status) -> Status:
        """Return whether pods that count as ready once they started still do a few seconds later."""
        before = self._before.get(subject)
        is_new = subject in self._changed or before is None or before.verdict != "Current"
        if not is_new or not may_crash_unnoticed(item):
            return status
        if self._clock() < self._current_since.setdefault(subject, self._clock()) + _PROVING:
            return progressing("Proving", "its pods have just started, and no readiness probe says whether they go on")
        return status

    def with_patience(self, subject: ObjectRef, item: Object, status: Status) -> Status:
        """Return as failed what an object has said for so long that waiting on is of no use."""
        cause = find(STATUS_CAUSES, f"{subject.kind} {status.reason}: {status.message}")
        if cause is None:
            return status
        key = (subject, item["metadata"].get("generation", 0), cause)
        since = self._first_seen.setdefault(key, self._clock())
        may_change = self._before.get(subject) == status and self.has_changes
        if self._clock() < since + (cause.seconds_before if may_change else cause.seconds):
            return status
        remedy = cause.remedy.format(namespace=subject.namespace, name=subject.name)
        return failed(status.reason, status.message, remedy)

    def _may_heal(self, subject: ObjectRef, status: Status) -> bool:
        """Whether an object failed before this run, and did not have the time to notice what this run changed."""
        if status.verdict != "Failed" or status != self._before.get(subject):
            return False
        cause = find(STALE_CAUSES, f"{status.reason}: {status.message}")
        return cause is not None and self._clock() < self._last_change + cause.seconds_before


def _written(item: Object) -> datetime:
    """Return when the object itself, not its status, was last written, by the API server's clock."""
    times = [entry["time"] for entry in entries(item) if entry.get("subresource") != "status" and "time" in entry]
    return datetime.fromisoformat(max(times, default=item["metadata"]["creationTimestamp"]))
