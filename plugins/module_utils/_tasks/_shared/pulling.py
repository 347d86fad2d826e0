# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a node pull the images of a release before anything is changed. A registry that is asked from here may be another than a node asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import images
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef

_PAUSE = 1.0
# A kubelet tries again what fails; a registry that is busy has answered by then.
_PATIENCE = 30.0


@dataclass(frozen=True)
class Puller:
    """One pod that pulls, and is removed however that ends."""

    api: Api
    body: Object
    deadline: Deadline
    say: Callable[[str], None]

    def pull(self) -> None:
        """Return when its images are on a node. Raises MastodonError when one cannot be pulled."""
        # What a run left that was killed.
        self._remove()
        self.api.apply(POD, self.body, manager=MANAGER, force=False, dry_run=False)
        try:
            self._await()
        finally:
            self._remove()

    def _await(self) -> None:
        reminder, failing_since = Reminder(self.deadline, after=10), self.deadline.seconds
        while left := images.left(pod := self._read() or self.body):
            failure = images.failing(pod)
            failing_since = min(failing_since, self.deadline.elapsed) if failure else self.deadline.seconds
            if failure and self.deadline.elapsed >= failing_since + _PATIENCE:
                raise failure
            if reminder.is_due():
                self.say(f"waiting for a node to pull {', '.join(left)}{_unscheduled(pod)}")
            if not self.deadline.pause(_PAUSE):
                why = f"it was waited for for {self.deadline.seconds:.0f} s{_unscheduled(pod)}"
                raise failure or MastodonError(
                    f"Image {left[0]}", "was not pulled", why, "Check that a node has room for the pod."
                )

    def _read(self) -> Object | None:
        metadata = self.body["metadata"]
        return next(iter(self.api.read(Selection(POD, metadata["namespace"], metadata["name"])).objects), None)

    def _remove(self) -> None:
        """Delete it, if it is there and ours, and return when it is gone."""
        while found := self._read():
            if not {*self.body["metadata"]["labels"].items()} <= {*at(found, "metadata.labels", {}).items()}:
                remedy = f"It has not the label {images.LABEL}, so it is somebody's: rename it, or delete it."
                raise MastodonError(str(ObjectRef.of(found)), "is in the way", "a pod of ours is called so", remedy)
            if not at(found, "metadata.deletionTimestamp"):
                self.api.delete(POD, found, dry_run=False)
            if not self.deadline.pause(_PAUSE):
                return


def _unscheduled(pod: Object) -> str:
    found = [one for one in at(pod, "status.conditions", []) if one.get("reason") == "Unschedulable"]
    return f"; no node takes the pod: {found[0].get('message', '')}" if found else ""
