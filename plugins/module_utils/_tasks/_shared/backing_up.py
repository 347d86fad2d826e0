# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for a base backup, for the WAL that it cannot be restored without, and for the plugin to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive, base_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin, refuse_broken
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import (
    cluster_of,
    origin_of,
)

_PAUSE = 1.0
_REMIND_AFTER = 15
_LAST = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
_SWITCH = "SELECT pg_walfile_name(pg_switch_wal())"


@dataclass(frozen=True)
class BackingUp:
    """One Cluster, and how its backups are served. `asking` runs SQL in its primary as a superuser."""

    objects: Objects
    catalog: Catalog
    kind: Resource
    namespace: str
    name: str
    deadline: Deadline
    run: Run
    asking: Callable[[str, str], str]

    def origin(self) -> Origin:
        """Return it as it is now. Raises MastodonError when it is not backed up."""
        cluster, _kind = cluster_of(self.objects, self.catalog, self.namespace, self.name)
        return origin_of(self.objects, self.catalog, cluster)

    def running(self) -> Object | None:
        """Return a Backup that an earlier run began. Raises MastodonError for somebody else's that is not complete."""
        found = self.objects.read(Selection(self.kind, self.namespace)).objects
        return base_backup.unfinished(self.name, found)

    def complete(self, name: str) -> Object:
        """Return the Backup once it is. Raises MastodonError when it fails."""
        found: list[Object] = []

        def is_complete() -> bool:
            found[:] = self.objects.read(Selection(self.kind, self.namespace, name)).objects
            if not found:
                raise MastodonError(f"Backup {self.namespace}/{name}", "was deleted meanwhile", "", "Run again.")
            return base_backup.is_complete(found[0])

        self._until(is_complete, f"Backup {self.namespace}/{name}", "to be complete")
        return found[0]

    def archived(self, needed: str) -> str:
        """Return the WAL that was archived last once the needed one is; a standby's backup makes the primary begin no new one."""
        last = self.asking(self._primary(), _LAST)
        if base_backup.is_archived(last, needed):
            return last
        self.asking(self._primary(), _SWITCH)

        def is_archived() -> bool:
            nonlocal last
            refuse_broken(self.origin())
            last = self.asking(self._primary(), _LAST)
            return base_backup.is_archived(last, needed)

        self._until(is_archived, f"WAL {needed}", "to be archived")
        return last

    def known(self, ended: datetime) -> None:
        """Return once the plugin reports a backup that ended then, as it does after it read the bucket."""

        def is_known() -> bool:
            last = at(self.origin().archive.window, "lastSuccessfulBackupTime", "")
            return bool(last) and datetime.fromisoformat(last) >= ended

        self._until(
            is_known, f"{archive.STORE[1]} {self.namespace}/{self.origin().archive.store_name}", "to know of it"
        )

    def _primary(self) -> str:
        return str(at(self.origin().cluster, "status.currentPrimary", "")) or f"{self.name}-1"

    def _until(self, is_so: Callable[[], bool], what: str, to_be: str) -> None:
        reminder = Reminder(self.deadline, after=_REMIND_AFTER)
        while not is_so():
            if reminder.is_due():
                self.run.say(f"waiting for {what} {to_be}")
            if not self.deadline.pause(_PAUSE):
                remedy = f"Look at it, and run again: kubectl describe backups.postgresql.cnpg.io -n {self.namespace}."
                raise MastodonError(what, f"was waited for in vain {to_be}", "", remedy)


def asking(connection: Connection, namespace: str) -> Callable[[str, str], str]:
    """Return what runs SQL in a pod's PostgreSQL as a superuser."""

    def ask(pod: str, sql: str) -> str:
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql]
        done = pods.run(connection, namespace, pod, "postgres", command)
        if done.code:
            raise MastodonError(f"Pod {namespace}/{pod}", "did not answer", done.stderr.strip(), "Read its log.")
        return done.stdout.strip()

    return ask
