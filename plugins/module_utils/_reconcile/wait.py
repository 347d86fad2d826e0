# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for many objects together, by watching, and say what for and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from textwrap import shorten
from typing import Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diagnosis import Diagnosis
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.events import newest_warning
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import CURRENT, Status, progressing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.volumes import Volumes
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.watching import Watching
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.workloads import UNBOUND

_FIRST_REPORT = 10.0
_REPORTED_AT_ONCE = 4
_LONGEST_LINE = 300
# Some verdicts change with time alone, so look again after this many seconds without an event.
_LOOK_AGAIN = 1.0
# What takes longer is looked into, at its pods.
_EXAMINE_AFTER = 1.0


class Goal(Protocol):
    """What to make of an object as last seen."""

    def __call__(self, subject: ObjectRef, item: Object | None, /) -> Status:
        """Return its status; `item` is None for one that does not exist."""


class Waiter:
    """Waits with one watch a kind and namespace. Objects that are ready already cost no request."""

    def __init__(
        self, api: Api, live: Live, tracker: StatusTracker, deadline: Deadline, say: Callable[[str], None]
    ) -> None:
        self._api = api
        self._live = live
        self._tracker = tracker
        self._deadline = deadline
        self._say = say
        self._diagnosis = Diagnosis(api, live, tracker)
        self._volumes = Volumes(api)

    def wait(self, subjects: Collection[ObjectRef], passing: Collection[ObjectRef] = ()) -> None:
        """Return when all are Current, and those of them that are `passing` are Current or gone.

        Raises MastodonError at once when one failed, and at the deadline.
        """

        def goal(subject: ObjectRef, item: Object | None) -> Status:
            return CURRENT if item is None and subject in passing else self._status(subject, item)

        self._wait(subjects, goal, examines=True)

    def wait_gone(self, items: Collection[Object]) -> None:
        """Return when none of these objects is there. One of the same name made meanwhile is another."""
        uids = {ObjectRef.of(item): item["metadata"]["uid"] for item in items}
        self._wait(uids, lambda subject, item: _gone(item, uids[subject]), examines=False)

    def _status(self, subject: ObjectRef, item: Object | None) -> Status:
        status = self._tracker.status(subject, item)
        if item is None or status.reason != UNBOUND:
            return status
        return self._tracker.with_patience(subject, item, self._volumes.status(item))

    def _wait(self, subjects: Collection[ObjectRef], goal: Goal, *, examines: bool) -> None:
        pending = self._pending(subjects, goal)
        if not pending:
            return
        reminder = Reminder(self._deadline, after=_FIRST_REPORT)
        began = self._deadline.elapsed
        with (
            Watching(self._api, self._live, self._live.watches(pending)) as watching,
            Diagnosis(self._api, self._live, self._tracker) as self._diagnosis,
        ):
            while pending := self._pending(subjects, goal):
                if examines and self._deadline.elapsed >= began + _EXAMINE_AFTER:
                    self._examine(pending)
                if not self._deadline.remaining:
                    self._check_again(watching, subjects, goal, "not ready" if examines else "not gone")
                    return
                if reminder.is_due():
                    self._report(pending)
                watching.next(min(_LOOK_AGAIN, self._deadline.remaining))

    def _pending(self, subjects: Collection[ObjectRef], goal: Goal) -> dict[ObjectRef, Status]:
        statuses = {subject: goal(subject, self._live.get(subject)) for subject in subjects}
        self._raise_failures(statuses)
        return {subject: status for subject, status in statuses.items() if status.verdict != "Current"}

    def _examine(self, pending: Collection[ObjectRef]) -> None:
        self._diagnosis.examine(pending)
        self._raise_failures({item: status for item in pending if (status := self._diagnosis.final(item))})

    def _raise_failures(self, statuses: Mapping[ObjectRef, Status]) -> None:
        failures = {subject: status for subject, status in statuses.items() if status.verdict == "Failed"}
        if failures:
            raise CombinedError(self._explain(subject, "failed", status) for subject, status in failures.items())

    def _report(self, pending: Mapping[ObjectRef, Status]) -> None:
        for subject, status in list(pending.items())[:_REPORTED_AT_ONCE]:
            why = shorten(self._why(subject, status), _LONGEST_LINE, placeholder=" …")
            self._say(f"waiting for {subject} ({self._deadline.elapsed:.0f} s): {why}")
        if len(pending) > _REPORTED_AT_ONCE:
            self._say(f"waiting for {len(pending) - _REPORTED_AT_ONCE} more")

    def _check_again(self, watching: Watching, subjects: Collection[ObjectRef], goal: Goal, missed: str) -> None:
        """Give up, unless all is well: what the watches reported may have been lost. Raises MastodonError."""
        failed = f"{missed} after {self._deadline.seconds:.0f} s"
        try:
            watching.read_again()
        except MastodonError as error:
            pending = self._pending(subjects, goal)
            raise CombinedError(
                _blind(subject, failed, status, error) for subject, status in pending.items()
            ) from error
        if pending := self._pending(subjects, goal):
            raise CombinedError(self._explain(subject, failed, status) for subject, status in pending.items())

    def _explain(self, subject: ObjectRef, failed: str, status: Status) -> MastodonError:
        where = f" -n {subject.namespace}" if subject.namespace else ""
        remedy = status.remedy or f"Check it: kubectl describe{where} {subject.kind.lower()} {subject.name}."
        why = str(status) if status.remedy else self._why(subject, status)
        return MastodonError(str(subject), failed, why, remedy)

    def _why(self, subject: ObjectRef, status: Status) -> str:
        warning = self._diagnosis.why(subject) or newest_warning(self._api, subject, self._diagnosis.is_over)
        # Flux, for one, says of the longest wait only that it runs an action; of what failed it says why.
        behind = warning or ("" if status.verdict == "Failed" else self._diagnosis.behind(subject))
        return f"{status}; {behind}" if behind else str(status)


def _blind(subject: ObjectRef, failed: str, status: Status, error: MastodonError) -> MastodonError:
    why = f"{status}, as last seen; {error.subject} {error.failed}: {error.why}"
    return MastodonError(str(subject), failed, why, error.remedy)


def _gone(item: Object | None, uid: str) -> Status:
    if item is None or item["metadata"]["uid"] != uid:
        return CURRENT
    if item["metadata"].get("deletionTimestamp"):
        return compute(item)
    return progressing("Exists", "is still there, and nobody has asked to delete it")
