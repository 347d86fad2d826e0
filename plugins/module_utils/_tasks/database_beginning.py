# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.database_beginning`: how a Cluster is to begin, or began, and under which name it is backed up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.beginning import Archives, Beginning, Item
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import archives
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import cluster_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault

ARGUMENTS = Arguments(
    {**KUBERNETES_OPTIONS, **KV_OPTIONS, **archives.OPTIONS, "wait_timeout": {"type": "int", "default": 900}}
)
_PAUSE = 3.0


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, server_name, restored_from, restored_at}`. Raises MastodonError for what must not begin."""
    connection = connect(parameters, run.environment)
    wanted = archives.wanted(parameters)
    store = _Store(parameters, connection, run)
    item = cluster_at(open_objects(connection), wanted.namespace, wanted.name)
    found = _of_live(wanted, item, store) if item else _of_new(wanted, store)
    return {"changed": False, **asdict(found)}


class _Store:
    """The bucket, asked only when it matters."""

    def __init__(self, parameters: Mapping[str, Any], connection: Connection, run: Run) -> None:
        self._parameters, self._connection, self.run = parameters, connection, run
        self._deadline = Deadline(parameters["wait_timeout"])

    def archives(self) -> Archives:
        """Return what it holds. Raises UnknownArchivesError when that cannot be known."""
        mount, path = self._parameters["mount"], self._parameters["path"]
        server = vault.connect(self._parameters, self.run.environment)
        keys = archives.keys_of(self._parameters, server, mount)
        if keys is None:
            raise archives.NoKeysError(
                f"Vault path {mount}/{path}", "has no keys of the bucket of backups", "", "Write them there."
            )
        reminder = Reminder(self._deadline)
        while True:
            try:
                return archives.read(self._parameters, keys, self._connection)
            except forward.NoPodError as error:
                # An earlier task has applied it.
                if self.run.check or not self._deadline.pause(_PAUSE):
                    raise archives.UnknownArchivesError(error.subject, error.failed, error.why, error.remedy) from error
                if reminder.is_due():
                    self.run.say(f"waiting for the bucket of backups: {error}")


def _of_new(wanted: beginning.Wanted, store: _Store) -> Beginning:
    try:
        found = beginning.of_new(wanted, store.archives(), now())
    except archives.UnknownArchivesError as error:
        if not _may_begin_unasked(wanted, store.run, error):
            raise
        store.run.say(f"skipped the look for backups of {wanted}: {error}")
        return Beginning(wanted.server_name or wanted.name)
    verb = "would create" if store.run.check else "creating"
    when = f" as of {found.restored_at}" if found.restored_at else ""
    if found.restored_from:
        store.run.say(f"{verb} {wanted} from the backup of {found.restored_from}{when}")
    if found.server_name != wanted.name:
        store.run.say(f"{wanted} is backed up as {found.server_name}, beside what was backed up before")
    return found


def _may_begin_unasked(wanted: beginning.Wanted, run: Run, error: archives.UnknownArchivesError) -> bool:
    """Whether that is only a check before the keys of the bucket are written, or somebody said that there is no backup."""
    too_early = run.check and isinstance(error, archives.NoKeysError)
    return not wanted.restore_from and (too_early or wanted.begin_anew == wanted.domain)


def _of_live(wanted: beginning.Wanted, item: Item, store: _Store) -> Beginning:
    found = beginning.of_live(item)
    beginning.refuse_other(wanted, item, found)
    if wanted.server_name or found.server_name:
        return replace(found, server_name=wanted.server_name or found.server_name)
    try:
        return replace(found, server_name=beginning.own_name(wanted, item, store.archives()))
    except MastodonError as error:
        store.run.say(f"skipped the look for backups of others: {error}")
        return replace(found, server_name=wanted.name)


TASK = Task(ARGUMENTS, run_task)
