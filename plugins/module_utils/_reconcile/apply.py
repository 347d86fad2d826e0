# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one object to its declared state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import conflicts, fields, sharing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.causes import WEBHOOK_CAUSES, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diff import changes, comparable
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.left_out import as_kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired, ObjectRef, Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.protected import deletion, what_goes_with
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

_PAUSE = 2.0
# How long the API server may take to serve a kind that it has announced, in seconds.
_SERVED_SOON = 15.0


@dataclass(frozen=True)
class Ownership:
    """Which objects are ours (a former run listed them) and which the user forces."""

    ours: frozenset[ObjectRef]
    forced: frozenset[str]


@dataclass(frozen=True)
class _Trial:
    """What a dry run would make of an object, and from whom which fields must be taken for that."""

    result: Object
    taken: Mapping[str, str] = field(default_factory=dict)


class Applier:
    """Applies objects one by one. Safe for threads."""

    def __init__(
        self, api: Api, ownership: Ownership, deadline: Deadline, say: Callable[[str], None], *, check: bool
    ) -> None:
        self._api = api
        self._ownership = ownership
        self._deadline = deadline
        self._say = say
        self._check = check

    def apply(self, desired: Desired, resource: Resource, live: Object | None) -> Outcome:
        """Write only what drifted, nothing in check mode. Raises MastodonError, also for foreign owners of a field."""
        if live is None:
            return self._create(desired, resource)
        if live["metadata"].get("deletionTimestamp"):
            return self._make_again(desired, resource, live)
        desired = as_kept(desired, live)
        if fields.is_unchanged(desired.body, live, desired.manager):
            return self._take_over(desired, resource, Outcome(desired.subject, "unchanged", before=live, after=live))
        try:
            trial = self._trial(desired, resource)
        except ApiError as error:
            if not (self._check and error.is_webhook_down):
                raise
            return Outcome(desired.subject, "configured", (f"not certain: {error.failed}",), live, live)
        if _is_same(desired, live, trial.result):
            return self._take_over(desired, resource, Outcome(desired.subject, "unchanged", before=live, after=live))
        result = trial.result
        if not self._check:
            result = self._send(desired, resource, force=bool(trial.taken), dry_run=False)
            if not fields.is_built_in(desired.body) and fields.lacks(desired.body, result):
                result = self._send(desired, resource, force=bool(trial.taken), dry_run=False)
        status = "status" in desired.body
        lines = changes(live, result, trial.taken, status=status) or (
            "its declared fields are now managed by this collection",
        )
        return self._take_over(desired, resource, Outcome(desired.subject, "configured", lines, live, result))

    def _take_over(self, desired: Desired, resource: Resource, outcome: Outcome) -> Outcome:
        """Leave nobody who applied on the client as an owner of what we declare, or it would stay for ever."""
        item = outcome.after
        entries = sharing.alone(item, desired.manager) if item else None
        if item is None or entries is None:
            return outcome
        if not self._check:
            try:
                item = self._api.reassign(resource, item, entries)
            except ApiError as error:
                # All that was asked for is there. The next run tries again, as kubectl does.
                return replace(
                    outcome, changes=(*outcome.changes, f"not taken over from kubectl apply: it {error.failed}")
                )
        lines = [*outcome.changes, "its declared fields are no longer shared with kubectl apply"]
        if left := sharing.kept(entries):
            lines.append(f"what is not declared stays as kubectl apply set it: {', '.join(left)}")
        return replace(outcome, action="configured", changes=tuple(lines), after=item)

    def _create(self, desired: Desired, resource: Resource) -> Outcome:
        try:
            result = self._send(desired, resource, force=False, dry_run=self._check)
        except ApiError as error:
            # In check mode nothing made the namespace, or the webhook's pods, that an earlier task would have made.
            if not (self._check and (error.is_missing_namespace or error.is_webhook_down)):
                raise
            result = desired.body
        return Outcome(desired.subject, "created", after=result)

    def _make_again(self, desired: Desired, resource: Resource, live: Object) -> Outcome:
        """Wait until an object is gone that is being deleted, as no apply can save it, and create it."""
        if self._check:
            return Outcome(desired.subject, "created", ("once it is gone, as it is being deleted",), live, desired.body)
        selection = Selection(resource, desired.subject.namespace, desired.subject.name)
        reminder = Reminder(self._deadline)
        while self._api.read(selection).objects:
            if reminder.is_due():
                self._say(f"waiting to create {desired.subject} ({self._deadline.elapsed:.0f} s): {compute(live)}")
            if not self._deadline.pause(_PAUSE):
                failed, remedy = "cannot be created", "Remove what holds it."
                raise MastodonError(str(desired.subject), failed, str(compute(live)), remedy)
        return replace(self._create(desired, resource), before=live)

    def _trial(self, desired: Desired, resource: Resource) -> _Trial:
        try:
            return _Trial(self._send(desired, resource, force=False, dry_run=True))
        except ApiError as error:
            if not error.is_field_conflict:
                raise
            taken = conflicts.settle(
                error,
                desired.subject,
                is_ours=desired.subject in self._ownership.ours,
                is_forced=str(desired.subject) in self._ownership.forced,
            )
        return _Trial(self._send(desired, resource, force=True, dry_run=True), taken)

    def _send(self, desired: Desired, resource: Resource, *, force: bool, dry_run: bool) -> Object:
        """Apply, and again while a webhook or a new kind is still starting, as what starts it may be in the same set."""
        reminder, began = Reminder(self._deadline), self._deadline.elapsed
        while True:
            try:
                return self._api.apply(resource, desired.body, manager=desired.manager, force=force, dry_run=dry_run)
            except ApiError as error:
                if self._check or not self._may_pass(error, began) or not self._deadline.pause(_PAUSE):
                    raise _advised(error, desired.subject, resource) from error
                if reminder.is_due():
                    self._say(f"waiting to apply {desired.subject} ({self._deadline.elapsed:.0f} s): {error.why}")

    def _may_pass(self, error: ApiError, began: float) -> bool:
        """Whether a webhook may yet answer, or a new kind may yet be served."""
        if error.is_webhook_down:
            cause = find(WEBHOOK_CAUSES, error.message)
            return cause is not None and self._deadline.elapsed < began + cause.seconds
        not_served_yet = error.status == 404 and not error.is_missing_namespace
        return not_served_yet and self._deadline.elapsed < began + _SERVED_SOON


def _is_same(desired: Desired, live: Object, result: Object) -> bool:
    """Whether an apply that had this result changed nothing, neither what is there nor whose it is."""
    status = "status" in desired.body
    before, after = (fields.our_fields(item, desired.manager) for item in (live, result))
    return before == after and comparable(result, status=status) == comparable(live, status=status)


def _advised(error: ApiError, subject: ObjectRef, resource: Resource) -> ApiError:
    """Return the error with what helps when a field can be set only once: the API server says no more than that."""
    if not error.is_immutable:
        return error
    if lost := what_goes_with(subject):
        return error.advising(f"Put the former value back: with {subject} would go {lost}.")
    return error.advising(f"Put the former value back, or delete it first: {deletion(subject, resource)}.")
