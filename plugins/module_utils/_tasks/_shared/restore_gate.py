# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether a database may be restored for good: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import cluster, major, restoring
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.adopted import Controller, running
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.restored import refuse_schema
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import parse
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import (
    origin,
    record,
    room,
    scratch,
    window,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.restoring import Wish
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import record as upgrades
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD, RESOURCE_QUOTA
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import (
    cluster_of,
    origin_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import Databases
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv, rotation
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

_OPERATOR = Controller("CloudNativePG", "cloudnative-pg")
# From the first moment of a rotation to its last.
_ROTATING = [f"password{ending}" for ending in (rotation.NEXT, rotation.PREVIOUS)]
_INSTANCE = "cnpg.io/podRole=instance"
_RIGHTS = (
    (("clusters.postgresql.cnpg.io",), ("list", "create", "patch")),
    (("scheduledbackups.postgresql.cnpg.io", "poolers.postgresql.cnpg.io"), ("list", "create", "patch", "delete")),
    (("leases.coordination.k8s.io",), ("list", "create", "patch", "delete")),
    (("configmaps",), ("list", "create", "patch")),
    (("pods/exec",), ("create",)),
)


def refuse_without_rights(client: Client, namespace: str) -> None:
    """Raise MastodonError unless all may be written that a restore does. Writes nothing."""
    cluster.rights(client, [{"namespaces": [namespace], "resources": one, "verbs": verbs} for one, verbs in _RIGHTS])


@dataclass(frozen=True)
class Gate:
    """One database, `name` the Cluster that it is now, and what is asked for."""

    objects: Objects
    catalog: Catalog
    parameters: Mapping[str, Any]
    name: str
    wish: Wish
    run: Run

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Cluster {self.parameters['namespace']}/{self.name}"

    def origin(self) -> Origin:
        """Return what is to be restored. Raises MastodonError for one without backups."""
        item, _kind = cluster_of(self.objects, self.catalog, self.parameters["namespace"], self.name)
        return origin_of(self.objects, self.catalog, item)

    def passed(self, connection: Connection, server: Vault, deadline: Deadline) -> tuple[str, str, str]:
        """Return the folder and the Backup that it is restored from, empty for an import, and what people read.

        Raises MastodonError for all that speaks against it.
        """
        found = self.origin()
        if self.wish.image:
            database = self.refuse_import(found, connection, server, deadline)
            return "", "", major.left_behind(database) or f"{self} can be imported whole"
        limits = self.refuse(found, connection, server, deadline)
        base = limits.base(self.wish.target)
        return found.archive.server, base, f"{self} can be restored {limits}{f', from Backup {base}' if base else ''}"

    def refuse_import(self, found: Origin, connection: Connection, server: Vault, deadline: Deadline) -> Database:
        """Raise MastodonError for all that speaks against importing it, and return what it says of itself."""
        origin.refuse_unready(found)
        origin.refuse_broken(found)
        database = self._databases(connection, deadline).ask(self.name, lambda reader: reader.whole.itself())
        room_there = int(room.amount(self.parameters["storage"]))
        others = (*self._unrehearsed(found), *self._busy(), *self._rotating(server), *self._full(found))
        self._refuse(*major.problems(str(self), database, room_there), *others)
        return database

    def refuse(self, found: Origin, connection: Connection, server: Vault, deadline: Deadline) -> window.Window:
        """Raise MastodonError for all that speaks against it, and return what it can be restored to."""
        if skipped := origin.refuse_old_operators(running(_OPERATOR, self.objects)):
            self.run.say(f"skipped: {skipped}")
        limits = replace(found.window(self._archived(found, connection, deadline)), setting="restore_to")
        if self.wish.target:
            window.refuse_outside(self.wish.target, limits, now())
        self._refuse(*self._unrehearsed(found), *self._busy(), *self._rotating(server), *self._full(found))
        return limits

    def refuse_others(self, server: Vault) -> None:
        """Raise MastodonError for all that is at work on it, whatever is asked for."""
        self._refuse(*self._busy(), *self._rotating(server))

    @staticmethod
    def _refuse(*problems: MastodonError) -> None:
        if problems:
            raise problems[0] if len(problems) == 1 else CombinedError(problems)

    def _archived(self, found: Origin, connection: Connection, deadline: Deadline) -> datetime | None:
        """Return when WAL was archived last, None for a database that does not run, which is said."""
        if not self.parameters["unrehearsed"]:
            origin.refuse_unready(found)
            origin.refuse_broken(found)
        if not at(found.cluster, "status.readyInstances", 0):
            self.run.say(f"skipped: until when {self} can be restored, as it does not run")
            return None
        return self._databases(connection, deadline).look(self.name).archived.moment

    def _databases(self, connection: Connection, deadline: Deadline) -> Databases:
        option = self.parameters
        login = scratch.Login(option["database"], option["owner"], option["secret"])
        return Databases(connection, option["namespace"], login, deadline)

    def _unrehearsed(self, found: Origin) -> Iterator[MastodonError]:
        """Yield why nothing says what people would get, or that Mastodon could not be installed on it."""
        if self.parameters["unrehearsed"]:
            return
        release, of_import = parse(self.parameters["version"]), bool(self.wish.image)
        place = (major if of_import else record).place_of(found.namespace, self.name)
        kept = self.objects.read(place.selection).objects
        last = record.of(kept[0] if kept else {}, place.label, self.name)
        try:
            if of_import:
                major.refuse_unrehearsed(str(self), last, self.wish.image, now())
                return
            restoring.refuse_unrehearsed(str(self), last, self.wish, now())
            if release and last.schema:
                refuse_schema(f"The database that was rehearsed from {self}", last.schema, release)
        except MastodonError as error:
            yield error

    def _busy(self) -> Iterator[MastodonError]:
        option, namespace = self.parameters, self.parameters["namespace"]
        leases = [
            item
            for name in (f"{scratch.name_of(self.name)}-run", f"{self.name}-backup")
            for item in self.objects.read(Selection(LEASE, namespace, name)).objects
        ]
        backups = read_served(self.objects, self.catalog.preferred("postgresql.cnpg.io", "Backup"), namespace)
        place = option["mastodon_namespace"], option["mastodon"]
        upgrade = upgrades.read_all(self.objects).get(place, upgrades.Upgrade())
        yield from restoring.busy(str(self), leases, backups, self.name, upgrade, now())

    def _rotating(self, server: Vault) -> Iterator[MastodonError]:
        mount, path = self.parameters["mount"], self.parameters["login_path"]
        held = kv.read(server, mount, path).data
        if found := [key for key in _ROTATING if held.get(key)]:
            why = f"Vault path {mount}/{path} has {' and '.join(found)}"
            remedy = (
                "End that first: ansible-playbook -i inventories/mine fediverse.mastodon.rotate -e rotate=database."
            )
            yield MastodonError(str(self), "its password is being replaced", why, remedy)

    def _full(self, found: Origin) -> Iterator[MastodonError]:
        """Yield why the volumes of another one would not fit. What may not be read limits nothing that is known."""
        spec = found.cluster["spec"]
        body = {"spec": {part: spec[part] for part in ("storage", "walStorage") if spec.get(part)}}
        try:
            room.refuse_full(restoring.without_pods(self._quotas()), (), body)
        except MastodonError as error:
            yield error

    def _quotas(self) -> tuple[Object, ...]:
        try:
            return self.objects.read(Selection(RESOURCE_QUOTA, self.parameters["namespace"])).objects
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return ()


def pods_of(objects: Objects, namespace: str, name: str) -> list[str]:
    """Return the pods of a Cluster in which PostgreSQL runs: a pooler's, and those of Jobs, have its label as well."""
    return sorted(objects.names(Selection(POD, namespace, labels=f"{scratch.CLUSTER_LABEL}={name},{_INSTANCE}")))
