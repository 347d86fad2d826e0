# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.backup`: a base backup of a database now, which can be restored when it returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import base_backup, cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.base_backup import BaseBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin, refuse_broken
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import Lease
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.backing_up import BackingUp, asking
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import CLUSTER_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import cluster_of

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **CLUSTER_OPTIONS,
        "wait_timeout": {"type": "int", "default": 7200},
    }
)

_RIGHTS = (
    (("backups.postgresql.cnpg.io", "configmaps", "leases.coordination.k8s.io"), ("list", "create", "patch")),
    (("leases.coordination.k8s.io",), ("delete",)),
    (("pods/exec",), ("create",)),
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: True, backup, ended, wal}`. Raises MastodonError unless it can be restored."""
    needs("websocket")
    connection, deadline = connect(parameters, run.environment), Deadline(parameters["wait_timeout"])
    objects = open_objects(connection, deadline, run.say)
    catalog, namespace, name = objects.discover(), parameters["namespace"], parameters["cluster"]
    cluster_of(objects, catalog, namespace, name)
    client = Client(connection, limit=deadline, say=run.say)
    cluster.rights(client, [{"namespaces": [namespace], "resources": one, "verbs": verbs} for one, verbs in _RIGHTS])
    kind = catalog.preferred("postgresql.cnpg.io", "Backup")
    if kind is None:
        raise MastodonError("Kind Backup", "is not served", "", "Install CloudNativePG.")
    backing = BackingUp(objects, catalog, kind, namespace, name, deadline, run, asking(connection, namespace))
    book = Book(objects, base_backup.place_of(namespace, name), f"Cluster {namespace}/{name}", run)
    with book.failing(_failed):
        book.refuse_foreign()
        origin = backing.origin()
        _refuse(origin)
    return _planned(backing, origin) if run.check else _held(backing, book, origin)


def _failed(why: str) -> dict[str, str]:
    return asdict(BaseBackup(written(now()), failure=why))


def _refuse(origin: Origin) -> None:
    """Raise MastodonError when no backup could be made, or none that could be restored."""
    refuse_broken(origin)
    if not at(origin.cluster, "status.readyInstances", 0):
        why = at(origin.cluster, "status.phase", "") or "no instance of it is ready"
        raise MastodonError(str(origin), "does not run", why, "Bring it up first.")


def _place(origin: Origin) -> str:
    where = str(at(origin.archive.store, "spec.configuration.destinationPath", "")).rstrip("/")
    return f"{where}/{origin.archive.server} at {origin.endpoint}"


def _planned(backing: BackingUp, origin: Origin) -> dict[str, Any]:
    """Say what would be done, and return it."""
    left = backing.running()
    if left is None:
        wanted = base_backup.body(backing.namespace, backing.name, now())
        backing.objects.apply(backing.kind, wanted, manager=MANAGER, force=False, dry_run=True)
    how = f"go on with {base_backup.subject(left)}" if left else "make a base backup"
    backing.run.say(f"would {how} of {origin} to {_place(origin)}, and wait until its WAL is archived")
    return {"changed": True, "backup": "", "ended": "", "wal": ""}


def _held(backing: BackingUp, book: Book, origin: Origin) -> dict[str, Any]:
    """Back up while nobody else does."""
    labels = {base_backup.LABEL: backing.name}
    lease = Lease(backing.objects, backing.namespace, f"{backing.name}-backup", "backup", labels)
    lease.take(backing.deadline, backing.run.say)
    try:
        # That another one runs says nothing of the last one.
        left = backing.running()
        with book.failing(_failed):
            made, ended = _made(backing, origin, left)
            lease.check()
            book.keep(asdict(made))
    finally:
        lease.end()
    backing.run.say(f"{origin}: {made.line()}, in {_place(origin)}")
    return {"changed": True, "backup": made.backup, "ended": ended, "wal": made.wal}


def _made(backing: BackingUp, origin: Origin, left: Object | None) -> tuple[BaseBackup, str]:
    """Return what was made once it can be restored, and when it ended; `left` is what a run began that was killed."""
    began = time.monotonic()
    if left:
        backing.run.say(f"going on with {base_backup.subject(left)}, which an earlier run began")
        wanted = left
    else:
        wanted = base_backup.body(backing.namespace, backing.name, now())
        backing.objects.apply(backing.kind, wanted, manager=MANAGER, force=False, dry_run=False)
        backing.run.say(f"backing up {origin} to {_place(origin)}")
    name = str(wanted["metadata"]["name"])
    item = backing.complete(name)
    ended, needed = base_backup.end_of(item)
    wal = backing.archived(needed)
    backing.known(datetime.fromisoformat(ended).astimezone(UTC))
    return BaseBackup(written(now()), name, wal, f"{time.monotonic() - began:.0f}"), ended


TASK = Task(ARGUMENTS, run_task)
