# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.restore_rehearsal`: proves that a database's backup can be restored, and leaves nothing but a record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.adopted import Controller, running
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import (
    origin,
    record,
    scratch,
    window,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import (
    Object,
    Objects,
    Selection,
    open_objects,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import Lease
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import (
    Databases,
    Found,
    compare,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "namespace": {"type": "str", "required": True},
        "cluster": {"type": "str", "required": True},
        "database": {"type": "str", "required": True},
        "owner": {"type": "str", "required": True},
        # Where the login and the keys are, not what they are.
        "secret": {"type": "str", "required": True, "no_log": False},
        "path": {"type": "str", "required": True, "no_log": False},
        "at": {"type": "str", "default": ""},
        "wait_timeout": {"type": "int", "default": 7200},
    }
)

_CLUSTERS = "postgresql.cnpg.io"
_STORES = "barmancloud.cnpg.io"
_REMOVAL_SECONDS = 300
_OPERATOR = Controller("CloudNativePG", "cloudnative-pg")


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, ...}` with what was restored and in which time. Raises MastodonError when it cannot be restored."""
    needs("cryptography", "pg8000", "requests", "websocket")
    connection = connect(parameters, run.environment)
    deadline = Deadline(parameters["wait_timeout"])
    rehearsal = Rehearsal(parameters, connection, open_objects(connection, deadline, run.say), deadline, run)
    return rehearsal.planned() if run.check else rehearsal.held()


class Rehearsal:
    """One run."""

    def __init__(
        self, parameters: Mapping[str, Any], connection: Connection, objects: Objects, deadline: Deadline, run: Run
    ) -> None:
        self._objects = objects
        self._deadline = deadline
        self._run = run
        self._origin, kind = _find(objects, parameters)
        self._scratch = Scratch(objects, kind, self._origin)
        self._login = scratch.Login(parameters["database"], parameters["owner"], parameters["secret"])
        self._opener = _opener(parameters, run)
        self._databases = Databases(connection, self._origin.namespace, self._login, deadline)
        labels = {scratch.LABEL: self._origin.name}
        # CloudNativePG has one that is called like the Cluster.
        name = f"{self._scratch.name}-run"
        self._lease = Lease(objects, self._origin.namespace, name, "rehearsal", labels)
        for place, version in running(_OPERATOR, objects).items():
            origin.refuse_old_operator(place, version)
        origin.refuse_unready(self._origin)
        origin.refuse_broken(self._origin)
        self._target = window.read(parameters["at"]) if parameters["at"] else None
        self._before = self._databases.look(self._origin.name)
        self._window = self._origin.window(self._before.archived.moment)
        if self._target:
            window.refuse_outside(self._target, self._window, _now())

    def planned(self) -> dict[str, Any]:
        """Say what would be done, and return it."""
        if self._lease.holder() or self._scratch.parts():
            self._run.say(
                f"would remove {self._scratch}, which an earlier rehearsal left, unless that is still at work"
            )
        else:
            self._refuse_unfit(self._bodies())
        self._run.say(
            f"would restore {self._what()} into {self._scratch}, compare it, open what is encrypted in it, and remove it"
        )
        return {"changed": True, **_result(Record(""), self._target)}

    def held(self) -> dict[str, Any]:
        """Rehearse while nobody else does."""
        self._lease.take(self._deadline, self._run.say)
        try:
            if self._scratch.remove(Deadline(_REMOVAL_SECONDS), self._run):
                self._run.say(f"removed {self._scratch}, which an earlier rehearsal left")
            return self._rehearsed()
        finally:
            self._lease.end()

    def _rehearsed(self) -> dict[str, Any]:
        bodies = self._bodies()
        self._refuse_unfit(bodies)
        began = time.monotonic()
        failure: list[MastodonError] = []
        found: Found | None = None
        try:
            self._scratch.create(bodies, dry_run=False)
            self._run.say(f"restoring {self._what()} into {self._scratch}")
            found = self._proved()
        except MastodonError as error:
            failure.append(error)
        finally:
            took = time.monotonic() - began
            failure += self._removed()
        return self._told(found, failure, took)

    def _refuse_unfit(self, bodies: list[dict[str, Any]]) -> None:
        """Raise MastodonError for what CloudNativePG's webhook, a quota or the storage would not take."""
        for body in bodies:
            if body["kind"] == "Cluster":
                self._scratch.refuse_without_room(body)
        self._scratch.create(bodies, dry_run=True)

    def _proved(self) -> Found:
        self._scratch.wait(self._deadline, self._run)
        self._lease.check()
        return compare(self._databases, self._before, self._scratch, self._opener, self._target)

    def _removed(self) -> list[MastodonError]:
        """Remove it, and return why that failed, if it did."""
        try:
            self._scratch.remove(Deadline(_REMOVAL_SECONDS), self._run)
        except MastodonError as error:
            return [error]
        return []

    def _told(self, found: Found | None, failure: list[MastodonError], took: float) -> dict[str, Any]:
        """Keep a record and say it. Raises MastodonError when it failed."""
        error = (failure[0] if len(failure) == 1 else CombinedError(failure)) if failure else None
        made = Record(
            ended=window.written(_now()),
            asked=window.written(self._target) if self._target else "",
            newest=found.newest if found else "",
            rpo=f"{found.rpo:.0f}" if found else "",
            rto=f"{took:.0f}",
            failure=str(error) if error else "",
        )
        kept = record.config_map(self._origin.namespace, self._origin.name, made)
        self._objects.apply(record.CONFIG_MAP, kept, manager=MANAGER, force=True, dry_run=False)
        if error:
            raise error
        for line in found.lines if found else ():
            self._run.say(line)
        self._run.say(f"{self._origin}: {made.line()}")
        return {"changed": True, **_result(made, self._target)}

    def _bodies(self) -> list[dict[str, Any]]:
        return [
            scratch.policy(self._origin, self._scratch.ways()),
            scratch.cluster(self._origin, self._login, self._target),
        ]

    def _what(self) -> str:
        when = f"of {window.written(self._target)}" if self._target else "as late as its archive goes"
        return f"{self._origin} {when} ({self._window})"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _find(objects: Objects, parameters: Mapping[str, Any]) -> tuple[origin.Origin, Resource]:
    """Return the Cluster with its backups, and how its kind is served. Raises MastodonError without it."""
    catalog = objects.discover()
    namespace, name = parameters["namespace"], parameters["cluster"]
    kind = catalog.preferred(_CLUSTERS, "Cluster")
    clusters = objects.read(Selection(kind, namespace, name)).objects if kind else ()
    if kind is None or not clusters:
        raise MastodonError(f"Cluster {namespace}/{name}", "does not exist", "", "Run site.yml, which creates it.")
    stores = {item["metadata"]["name"]: item for item in _all(objects, catalog, _STORES, "ObjectStore", namespace)}
    return origin.find(clusters[0], stores, _all(objects, catalog, _CLUSTERS, "Backup", namespace)), kind


def _all(objects: Objects, catalog: Catalog, group: str, kind: str, namespace: str) -> tuple[Object, ...]:
    resource = catalog.preferred(group, kind)
    return objects.read(Selection(resource, namespace)).objects if resource else ()


def _opener(parameters: Mapping[str, Any], run: Run) -> Opener:
    """Return what opens encrypted rows with the keys that Vault has now. Raises MastodonError when one is missing."""
    stored = kv.read(vault.connect(parameters, run.environment), parameters["mount"], parameters["path"])
    keys = [stored.data.get(name, "") for name in ("are-primary-key", "are-derivation-salt")]
    if not all(keys):
        failed = "has no are-primary-key and are-derivation-salt"
        why = "nothing that is encrypted in a restored database could be read"
        raise MastodonError(
            f"Vault path {parameters['mount']}/{parameters['path']}", failed, why, "Restore Vault first."
        )
    return Opener(*keys)


def _result(made: Record, target: datetime | None) -> dict[str, Any]:
    return {
        "asked": window.written(target) if target else "",
        "newest": made.newest,
        "rpo_seconds": int(made.rpo) if made.rpo else None,
        "rto_seconds": int(made.rto) if made.rto else None,
    }


TASK = Task(ARGUMENTS, run_task)
