# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release whose first install did not come to its end: it is installed again, as no upgrade could finish it.

Flux tries such an install again as an upgrade, which has other hooks: those of Mastodon then migrate a database that has no
schema yet, and fail for ever. All that is removed is Helm's note of the attempt, and nothing that it applied: Flux takes
that over. The notes: https://helm.sh/docs/topics/kubernetes_apis/ and `helm.sh/release.v1`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import JOB, POD, SECRET
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import attempts
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.behind import INSTALLED
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.flux import ASKER
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of

# Of a release that was in use once Helm keeps a note that says `deployed`, however many attempts come after it.
_UNFINISHED = frozenset({"failed", "pending-install", "pending-upgrade"})
# Why a container cannot start, whatever is waited for.
_NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
_PAUSE = 2.0


@dataclass(frozen=True)
class Attempt:
    """What an attempt left: of a first install Helm's notes of it, and hook Jobs that have not ended."""

    notes: tuple[Object, ...]
    hooks: tuple[Object, ...]
    is_first: bool = True

    @property
    def failed(self) -> bool:
        """Whether Flux has given it up, and tries to upgrade what is not there."""
        return bool(self.notes) and {_status(note) for note in self.notes} != {"pending-install"}

    def is_obsolete(self, *, changed: bool) -> bool:
        """Whether nothing good can come of it: it failed, or is at its hooks for what is no longer declared (`changed`).

        Hooks without a note are those of a run that was interrupted here.
        """
        return self.failed or (bool(self.hooks) and (changed or (self.is_first and not self.notes)))

    def __str__(self) -> str:
        """Return why it is begun again."""
        if not self.is_first:
            return "its last upgrade hangs at a hook that fails → ended that"
        return f"its first install {'failed' if self.failed else 'hangs at its hooks'} → installed again"


def clear(
    api: Api, release: Object, deadline: Deadline, say: Callable[[str], None], *, changed: bool, check: bool
) -> Attempt | None:
    """Remove Helm's notes of an obsolete attempt and return it; its hooks are to `end` once the release is as declared.

    Hooks that run are waited for, as they may be at work on a database. Of a release that was installed once only hooks are
    ended that failed already, or never began for an image that there is not, as Flux would wait for them until its timeout.
    """
    if at(release, "spec.suspend", False):
        return None
    attempt = read_attempt(api, release)
    reminder = Reminder(deadline)
    while attempt and attempt.is_obsolete(changed=changed) and not check:
        running = next((ObjectRef.of(hook) for hook in attempt.hooks if _runs(api, hook)), None)
        if running is None and _forget(api, attempt):
            return attempt
        if running and reminder.is_due():
            say(f"waiting for {running} ({deadline.elapsed:.0f} s): an earlier run of Helm is still running")
        if running and not deadline.pause(_PAUSE):
            remedy = f"Check it: kubectl logs -n {running.namespace} job/{running.name}."
            raise MastodonError(str(running), "has not ended", "an earlier run of Helm is still running", remedy)
        attempt = read_attempt(api, release)
    return attempt if attempt and attempt.is_obsolete(changed=changed) else None


def read_attempt(api: Api, release: Object) -> Attempt | None:
    """Return what is there of a first install, or the hooks that an upgrade fails at. None when there is nothing of either."""
    if _was_installed(release):
        return _of_upgrade(api, release)
    namespace = at(release, "spec.storageNamespace", release["metadata"]["namespace"])
    selection = Selection(
        SECRET, namespace, fields="type=helm.sh/release.v1", labels=f"owner=helm,name={_name(release)}"
    )
    notes = api.read(selection).objects
    if not all(_status(note) in _UNFINISHED for note in notes):
        return None
    hooks = tuple(_hooks(api, release))
    return Attempt(notes, hooks) if notes or hooks else None


def _of_upgrade(api: Api, release: Object) -> Attempt | None:
    failing = tuple(hook for hook in _hooks(api, release) if at(hook, "status.failed", 0) or _lacks_image(api, hook))
    return Attempt((), failing, is_first=False) if failing else None


def _forget(api: Api, attempt: Attempt) -> bool:
    """Remove the notes as they were seen; return False for one that Helm wrote to meanwhile: it may say `deployed` by now."""
    for note in attempt.notes:
        try:
            api.delete(SECRET, note, dry_run=False, as_seen=True)
        except ApiError as error:
            if error.status == 409:
                return False
            if error.status != 404:
                raise
    return True


def end(api: Api, attempt: Attempt) -> None:
    """End the hooks that Flux waits for, as it does nothing else until they have; not those that began to run meanwhile."""
    for hook in (hook for hook in attempt.hooks if not _runs(api, hook)):
        metadata = {key: hook["metadata"][key] for key in ("namespace", "name")}
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"activeDeadlineSeconds": 1}}
        api.apply(JOB, body, manager=ASKER, force=True, dry_run=False)


def _was_installed(release: Object) -> bool:
    return any(entry.get("status") in INSTALLED for entry in at(release, "status.history", []))


def _name(release: Object) -> str:
    target = at(release, "spec.targetNamespace", "")
    default = f"{target}-{release['metadata']['name']}" if target else release["metadata"]["name"]
    return str(at(release, "spec.releaseName", default))


def _status(note: Object) -> str:
    return str(at(note, "metadata.labels", {}).get("status", ""))


def _hooks(api: Api, release: Object) -> Iterator[Object]:
    namespace = at(release, "spec.targetNamespace", release["metadata"]["namespace"])
    labels = f"app.kubernetes.io/instance={_name(release)}"
    for job in api.read(Selection(JOB, namespace, labels=labels)).objects:
        ended = any(condition.status == "True" for condition in conditions_of(job).values())
        if attempts.is_hook(job) and not ended and not at(job, "metadata.deletionTimestamp"):
            yield job


def _runs(api: Api, job: Object) -> bool:
    return any("running" in state for state in _states(api, job))


def _lacks_image(api: Api, job: Object) -> bool:
    states = list(_states(api, job))
    return bool(states) and all(at(state, "waiting.reason") in _NO_IMAGE for state in states)


def _states(api: Api, job: Object) -> Iterator[Object]:
    """Yield the state of each container of a Job's pods."""
    metadata = job["metadata"]
    selection = Selection(POD, metadata["namespace"], labels=f"batch.kubernetes.io/job-name={metadata['name']}")
    for pod in api.read(selection).objects:
        for kind in ("initContainerStatuses", "containerStatuses"):
            yield from (at(container, "state", {}) for container in at(pod, f"status.{kind}", []))
