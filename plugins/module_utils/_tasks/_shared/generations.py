# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts one Cluster of a database to sleep, and wakes another: nothing of either is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive, base_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import fields, sharing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.protected import is_outlived
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import HIBERNATION, REPLACED_BY
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.restore_gate import pods_of

_GROUP = "postgresql.cnpg.io"
# Apart from what is applied, so that no run of site.yml takes it back.
_SLEEPER = f"{MANAGER}.restore"
# Both are bound to their Cluster for good, and made again for another: https://github.com/cloudnative-pg/cloudnative-pg/pull/10743
_SCHEDULE = "ScheduledBackup"
_BOUND = (_SCHEDULE, "Pooler")
_LAST = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
_SWITCH = "SELECT pg_walfile_name(pg_switch_wal())"
_PAUSE = 2.0
_HEALTHY = "Cluster in healthy state"
_ARCHIVING_SECONDS = 300


@dataclass(frozen=True)
class Generations:
    """The Clusters of a namespace. `asking` runs SQL in a pod as a superuser."""

    objects: Objects
    catalog: Catalog
    namespace: str
    deadline: Deadline
    run: Run
    asking: Callable[[str, str], str]

    def _kind(self, name: str) -> Resource:
        found = self.catalog.preferred(_GROUP, name)
        if found is None:
            raise MastodonError(f"Kind {name}", "is not served", "", "Install CloudNativePG.")
        return found

    def read(self, name: str) -> Object:
        """Return a Cluster, empty when it is not there."""
        return next(iter(read_served(self.objects, self._kind("Cluster"), self.namespace, name)), {})

    def present(self, name: str) -> Object:
        """Return a Cluster. Raises MastodonError when it is not there."""
        if item := self.read(name):
            return item
        remedy = "Nothing leads back to it. Restore a backup instead."
        raise MastodonError(f"Cluster {self.namespace}/{name}", "is gone", "somebody deleted it", remedy)

    def names(self) -> set[str]:
        """Return what the Clusters are called, and those of which only volumes are left."""
        return self.objects.names(Selection(self._kind("Cluster"), self.namespace))

    def sleep(self, name: str, following: str) -> None:
        """Let a Cluster end its pods and keep its volumes, once all that it wrote is archived.

        CloudNativePG hibernates only what is healthy, so that nothing else is waited for; nobody writes to it any more.
        https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/pkg/reconciler/hibernation/status.go
        """
        item, subject = self.read(name), f"Cluster {self.namespace}/{name}"
        if not item:
            return
        if not is_asleep(item):
            self._archive(item)
        self.unbind(name, following)
        if not is_asleep(item) or not at(item, "metadata.annotations", {}).get(REPLACED_BY):
            self._annotate(name, {HIBERNATION: "on", REPLACED_BY: following})
        if at(item, "status.phase", "") != _HEALTHY and HIBERNATION not in conditions_of(item):
            why = at(item, "status.phase", "") or "its operator has not seen it yet"
            self.run.say(
                f"{subject} is not healthy ({why}): CloudNativePG hibernates it once it is, and keeps its pods"
            )
            return
        self.run.say(f"hibernating {subject}: its pods end, its volumes are kept")
        self._until(lambda: not pods_of(self.objects, self.namespace, name), subject, "to end its pods")

    def refuse_shared(self, name: str) -> None:
        """Raise MastodonError for a Pooler of ours that others apply as well, which the one for the next Cluster is to be called like."""
        for resource, bound in self._bound(name):
            them = ", ".join(_others(bound))
            if resource.kind != _SCHEDULE and is_ours(bound) and them:
                why = f"it is bound to Cluster {self.namespace}/{name}, and would have to be deleted and made again"
                remedy = f"Let {them} leave it alone, and run again."
                raise MastodonError(str(ObjectRef.of(bound)), f"is applied by {them} as well", why, remedy)

    def unbind(self, name: str, following: str) -> None:
        """Delete what is bound to a Cluster and was made here, so that it can be made for the next one; name what is somebody's."""
        self.refuse_shared(name)
        for resource, bound in self._bound(name):
            subject, cluster = ObjectRef.of(bound), f"Cluster {self.namespace}/{name}"
            if not is_ours(bound):
                self.run.say(f"{subject} is yours and bound to {cluster}: make one for {following}")
                continue
            if them := ", ".join(_others(bound)):
                self.run.say(f"{subject} is left to {them}, and stays bound to {cluster}")
                continue
            # What a Pooler owns must go with it, and what a ScheduledBackup owns must not.
            self.objects.delete(resource, bound, dry_run=False, orphan=is_outlived(subject))
            self.run.say(f"deleted {subject}, as it is bound to {cluster}")

    def wake(self, name: str) -> None:
        """Let a Cluster have pods again that was asleep."""
        if is_asleep(self.present(name)):
            self._annotate(name, {HIBERNATION: "off", REPLACED_BY: ""})
            self.run.say(f"waking Cluster {self.namespace}/{name}")

    def is_suspended(self, name: str) -> bool:
        """Whether somebody suspended the ScheduledBackup that was made here for a Cluster."""
        return any(at(item, "spec.suspend", False) for _unused, item in self._schedules(name))

    def suspend(self, name: str) -> None:
        """Suspend that of a Cluster, as the one of the Cluster before it was."""
        for resource, item in self._schedules(name):
            body = {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "metadata": {"name": item["metadata"]["name"], "namespace": self.namespace},
                "spec": {"suspend": True},
            }
            self.objects.apply(resource, body, manager=_SLEEPER, force=False, dry_run=False)
            self.run.say(f"suspended {ObjectRef.of(item)} again, as that of the Cluster before it was")

    def await_backup(self, name: str) -> None:
        """Return once there is a base backup of it: without one nothing of what is written from now on could be restored."""
        reminder, subject = Reminder(self.deadline, after=10), f"Cluster {self.namespace}/{name}"
        store = self.catalog.preferred(*archive.STORE)
        while True:
            stores = {one["metadata"]["name"]: one for one in read_served(self.objects, store, self.namespace)}
            found, lost = archive.of_cluster(self.present(name), stores), "nothing written now could be restored"
            if found is None:
                raise MastodonError(subject, "is not backed up", lost, "Set cnpg_backup to true, and run again.")
            if at(found.window, "lastSuccessfulBackupTime", ""):
                return
            if reminder.is_due():
                self.run.say(f"waiting for the first base backup of {subject}")
            if not self.deadline.pause(_PAUSE):
                remedy = f"Look why: kubectl get backups.postgresql.cnpg.io -n {self.namespace}. Then run again."
                raise MastodonError(subject, "has no base backup yet", lost, remedy)

    def _schedules(self, name: str) -> Iterator[tuple[Resource, Object]]:
        return ((kind, item) for kind, item in self._bound(name) if kind.kind == _SCHEDULE and is_ours(item))

    def _annotate(self, name: str, notes: dict[str, str]) -> None:
        self.objects.annotate(self._kind("Cluster"), self.namespace, name, notes, _SLEEPER)

    def _bound(self, name: str) -> Iterator[tuple[Resource, Object]]:
        for kind in _BOUND:
            resource = self._kind(kind)
            for item in read_served(self.objects, resource, self.namespace):
                if at(item, "spec.cluster.name", "") == name:
                    yield resource, item

    def _archive(self, item: Object) -> None:
        """Have the last of what it wrote archived, so that it can be restored to its very end, where that is possible."""
        name, archiving = item["metadata"]["name"], conditions_of(item).get("ContinuousArchiving")
        primary = str(at(item, "status.currentPrimary", "")) or f"{name}-1"
        if not at(item, "status.readyInstances", 0) or (archiving and archiving.status == "False"):
            self.run.say(f"skipped: the last WAL of Cluster {self.namespace}/{name}, which it cannot archive now")
            return
        needed = self.asking(primary, _SWITCH)
        self._until(
            lambda: base_backup.is_archived(self.asking(primary, _LAST), needed), f"WAL {needed}", "to be archived"
        )

    def _until(self, is_so: Callable[[], bool], what: str, to_be: str) -> None:
        reminder, limit = Reminder(self.deadline, after=15), Deadline(min(_ARCHIVING_SECONDS, self.deadline.seconds))
        while not is_so():
            if reminder.is_due():
                self.run.say(f"waiting for {what} {to_be}")
            if not limit.pause(_PAUSE):
                raise MastodonError(what, f"was waited for in vain {to_be}", "", "Look at it, and run again.")


def _others(item: Object) -> list[str]:
    """Return who else applies it, as a set that prunes leaves it to them."""
    found = (*fields.other_appliers(item, MANAGER), *sharing.appliers(item))
    return sorted({one for one in found if one != _SLEEPER and not one.startswith(f"{MANAGER}/")})


def is_asleep(item: Object) -> bool:
    """Whether a Cluster is hibernated, or about to be."""
    return bool(at(item, "metadata.annotations", {}).get(HIBERNATION) == "on")
