# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.restore_rehearsal`: proves that a database's backup can be restored, and leaves nothing but a record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.adopted import Controller, running
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import origin, scratch, window
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import Lease, LostLeaseError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import importing
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.bucket import bucket_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.openers import opener_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    DATABASE_OPTIONS,
    KV_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import (
    cluster_of,
    origin_of,
    refuse_without_rights,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_record import (
    Keeper,
    result_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsed_media import (
    MEDIA_OPTION,
    Media,
    line_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import (
    Databases,
    Found,
    compare,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        **DATABASE_OPTIONS,
        "at": {"type": "str", "default": ""},
        "image": {"type": "str", "default": ""},
        "media": MEDIA_OPTION,
        "wait_timeout": {"type": "int", "default": 7200},
    }
)

_REMOVAL_SECONDS = 300
_OPERATOR = Controller("CloudNativePG", "cloudnative-pg")


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, ...}` with what was restored and in which time. Raises MastodonError when it cannot be restored."""
    needs("cryptography", "pg8000", "requests", "websocket")
    connection = connect(parameters, run.environment)
    deadline = Deadline(parameters["wait_timeout"])
    objects = open_objects(connection, deadline, run.say)
    target = window.read(parameters["at"]) if parameters["at"] else None
    catalog = objects.discover()
    cluster, kind = cluster_of(objects, catalog, parameters["namespace"], parameters["cluster"])
    refuse_without_rights(Client(connection, limit=deadline, say=run.say), parameters["namespace"])
    keeper = Keeper(objects, parameters["namespace"], parameters["cluster"], target, run, parameters["image"])
    with keeper.failing():
        keeper.refuse_foreign()
        found = Scratch(objects, kind, origin_of(objects, catalog, cluster), parameters["image"])
        rehearsal = Rehearsal(parameters, connection, found, deadline, keeper)
    if target:
        window.refuse_outside(target, rehearsal.window, now())
    return rehearsal.planned() if run.check else rehearsal.held()


class Rehearsal:
    """One run."""

    def __init__(
        self, parameters: Mapping[str, Any], connection: Connection, found: Scratch, deadline: Deadline, keeper: Keeper
    ) -> None:
        self._scratch, self._origin, self._deadline = found, found.origin, deadline
        self._keeper, self._run, self._target = keeper, keeper.run, keeper.target
        self._login = scratch.Login(parameters["database"], parameters["owner"], parameters["secret"])
        self._opener, self._media = opener_of(parameters, self._run), _media(parameters, connection, self._run)
        self._databases = Databases(connection, self._origin.namespace, self._login, deadline)
        labels = {scratch.LABEL: self._origin.name}
        # CloudNativePG has one that is called like the Cluster.
        name = f"{self._scratch.name}-run"
        self._lease = Lease(found.objects, self._origin.namespace, name, "rehearsal", labels)
        self._made: frozenset[str] = frozenset()
        self._left: list[str] = []
        self._skipped = origin.refuse_old_operators(running(_OPERATOR, found.objects))
        origin.refuse_unready(self._origin)
        origin.refuse_broken(self._origin)
        if found.image:
            importing.refuse(self._databases, found, self._run.say)
        self._before = self._databases.look(self._origin.name)
        self.window = self._origin.window(self._before.archived.moment)

    def planned(self) -> dict[str, Any]:
        """Say what would be done, and return it."""
        if self._lease.holder() or self._scratch.parts():
            self._run.say(
                f"would remove {self._scratch}, which an earlier rehearsal left, unless that is still at work"
            )
        else:
            self._refuse_unfit(self._bodies())
        if self._skipped:
            self._run.say(f"skipped: {self._skipped}")
        self._run.say(
            f"would {self._verb} {self._what()} into {self._scratch}, compare it, open what is encrypted in it, and remove it"
        )
        return {"changed": True, **result_of(Record(""), self._target)}

    def held(self) -> dict[str, Any]:
        """Rehearse while nobody else does."""
        self._lease.take(self._deadline, self._run.say)
        try:
            with self._keeper.failing():
                return self._rehearsed()
        finally:
            self._lease.end()

    def _rehearsed(self) -> dict[str, Any]:
        if self._remove():
            self._run.say(f"removed {self._scratch}, which an earlier rehearsal left")
        bodies = self._bodies()
        self._refuse_unfit(bodies)
        began = time.monotonic()
        with self._removing():
            self._create(bodies)
            found = self._proved()
            took = time.monotonic() - began
        # It may have slept while it removed.
        self._lease.check()
        times = {"rpo": "" if found.rpo is None else f"{found.rpo:.0f}", "rto": f"{took:.0f}"}
        about = {"skipped": self._skipped, "left": "; ".join(self._left), "schema": found.schema}
        made = self._keeper.keep(newest=found.newest, **times, **about)
        for line in found.lines:
            self._run.say(line)
        self._run.say(f"{self._origin}: {made.line()}")
        return {"changed": True, **result_of(made, self._target)}

    def _refuse_unfit(self, bodies: list[dict[str, Any]]) -> None:
        """Raise MastodonError for what CloudNativePG's webhook, a quota or the storage would not take."""
        for body in bodies:
            if body["kind"] == "Cluster":
                self._scratch.refuse_without_room(body)
        self._scratch.create(bodies, dry_run=True)

    def _create(self, bodies: list[dict[str, Any]]) -> None:
        self._lease.check()
        try:
            self._scratch.create(bodies, dry_run=False)
        finally:
            # Also of what was created without an answer.
            self._made = self._scratch.uids()
        self._run.say(f"{self._verb.removesuffix('e')}ing {self._what()} into {self._scratch}")

    def _proved(self) -> Found:
        self._scratch.wait(self._deadline, self._run)
        self._lease.check()
        found = compare(self._databases, self._before, self._scratch, self._opener, self._target)
        line, skipped = line_of(self._media, self._databases, self._scratch)
        # Otherwise it may be another run's that was compared.
        self._lease.check()
        self._skipped = "; ".join(filter(None, (self._skipped, skipped)))
        return replace(found, lines=(*found.lines, *filter(None, [line])))

    @contextmanager
    def _removing(self) -> Iterator[None]:
        """Remove what this run created, however the block ends; but nothing after its Lease was lost."""
        failure: list[MastodonError] = []
        try:
            yield
        except MastodonError as error:
            failure.append(error)
        finally:
            failure += self._removed()
        for lost in failure:
            if isinstance(lost, LostLeaseError):
                raise lost
        if failure:
            raise failure[0] if len(failure) + len(self._left) == 1 else CombinedError([*failure, *self._left])

    def _remove(self, only: frozenset[str] | None = None) -> bool:
        """Remove it, and remember what is kept of it all the same. Returns whether anything was there."""
        volumes = self._scratch.volumes()
        removed = self._scratch.remove(Deadline(_REMOVAL_SECONDS), self._run, only)
        if kept := self._scratch.kept(volumes):
            self._left.append(kept)
            self._run.say(kept)
        return removed

    def _removed(self) -> list[MastodonError]:
        """Remove it, and return why that failed, if it did."""
        try:
            self._lease.check()
            self._remove(self._made)
        except MastodonError as error:
            return [error]
        return []

    def _bodies(self) -> list[dict[str, Any]]:
        return [
            scratch.policy(self._origin, self._scratch.ways(), imports=bool(self._scratch.image)),
            scratch.cluster(self._origin, self._login, self._target, self._scratch.image),
        ]

    @property
    def _verb(self) -> str:
        return "import" if self._scratch.image else "restore"

    def _what(self) -> str:
        if self._scratch.image:
            return f"{self._origin} by {self._scratch.image}"
        when = f"of {window.written(self._target)}" if self._target else "as late as its archive goes"
        return f"{self._origin} {when} ({self.window})"


def _media(parameters: Mapping[str, Any], connection: Connection, run: Run) -> Media | None:
    """Return where pictures are looked for, None when none are asked for."""
    wanted = parameters["media"]
    if not wanted:
        return None
    server = partial(vault.connect, parameters, run.environment)
    places = (wanted, wanted.get("copy"))
    return Media(wanted, *(partial(bucket_of, one, parameters["mount"], lambda: connection, server) for one in places))


TASK = Task(ARGUMENTS, run_task)
