# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.wait`: for objects that others made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target, not_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    cluster,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import SELECTED

ARGUMENTS = Arguments(
    {
        "objects": SELECTED,
        "until": {"type": "str", "choices": ["Current", "deleted"], "default": "Current"},
        "wait_timeout": {"type": "int", "default": 600},
        **KUBERNETES_OPTIONS,
    }
)

_PAUSE = 1.0


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Wait for the chosen objects. In check mode nothing is waited for, as nothing was made or deleted before."""
    deadline = Deadline(parameters["wait_timeout"])
    objects = cluster(parameters, run, deadline)
    waiting = Waiting(objects, deadline, run)
    targets = [Target.of(option) for option in parameters["objects"]]
    subjects = waiting.gone(targets) if parameters["until"] == "deleted" else waiting.current(targets)
    return {"changed": False, "objects": [str(subject) for subject in subjects], "requests": objects.requests}


class Waiting:
    """One run."""

    def __init__(self, api: Api, deadline: Deadline, run: Run) -> None:
        self._api = api
        self._deadline = deadline
        self._run = run
        self._live = Live(api, api.discover())
        self._tracker = StatusTracker(deadline.clock)
        self._noted: set[ObjectRef] = set()
        self._waiter = Waiter(api, self._live, self._tracker, deadline, run.say)

    def current(self, targets: Sequence[Target]) -> list[ObjectRef]:
        """Wait until every target exists and all of it is Current; labels until something has them.

        What labels select may go away meanwhile, as pods do; then what they select by now is waited for.
        """
        while True:
            found = [(target, self._found(target)) for target in targets]
            resources = {subject: resource for _unused, some in found for subject, resource in some.items()}
            passing = frozenset(subject for target, some in found if not target.name for subject in some)
            self._note(resources)
            if not self._run.check:
                self._waiter.wait(list(resources), passing)
            if self._run.check or all(self._live.get(subject) for subject in passing):
                return sorted(resources)

    def _note(self, resources: dict[ObjectRef, Resource]) -> None:
        self._live.read(resources)
        for subject in resources.keys() - self._noted:
            if item := self._live.get(subject):
                self._tracker.already_there(subject, item, self._api.began)
        self._noted |= resources.keys()

    def gone(self, targets: Iterable[Target]) -> list[ObjectRef]:
        """Wait until nothing of any target that is there now exists any more."""
        resources: dict[ObjectRef, Resource] = {}
        for target in targets:
            if resource := target.present(self._live.catalog, self._run.say):
                resources |= {ObjectRef.of(item): resource for item in self._read(target, resource)}
        self._live.read(resources)
        items = [item for subject in resources if (item := self._live.get(subject))]
        if not self._run.check:
            self._waiter.wait_gone(items)
        return sorted(resources)

    def _found(self, target: Target) -> dict[ObjectRef, Resource]:
        """Return the objects of a target, once its kind is served and, by labels, there are any."""
        reminder = Reminder(self._deadline, after=_PAUSE)
        while True:
            resource = target.resource(self._live.catalog)
            if resource and target.name:
                target.selection(resource)
                return {target.subject(resource): resource}
            found = {ObjectRef.of(item): resource for item in self._read(target, resource)} if resource else {}
            if found or self._run.check:
                return found
            if reminder.is_due():
                self._run.say(f"waiting for {target} ({self._deadline.elapsed:.0f} s): does not exist yet")
            if not self._deadline.pause(_PAUSE):
                raise self._missing(target, resource)
            if resource is None:
                self._live.catalog = self._api.discover()

    def _read(self, target: Target, resource: Resource) -> tuple[Object, ...]:
        return self._api.read(target.selection(resource)).objects

    def _missing(self, target: Target, resource: Resource | None) -> MastodonError:
        if resource is None:
            return not_served(target, self._live.catalog)
        failed = f"not ready after {self._deadline.seconds:.0f} s"
        return MastodonError(str(target), failed, "does not exist yet", "Correct the selection, or create it.")


TASK = Task(ARGUMENTS, run_task)
