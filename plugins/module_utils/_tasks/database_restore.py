# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.database_restore`: what a restore for good writes beside what roles install, and what is kept of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation, major, restoring
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.generation import AGAIN, Generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import window
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.restoring import Wish
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import Lease
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import archives
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.backing_up import asking
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.emptying import REDIS_OPTION, empty
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.generations import Generations
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    DATABASE_OPTIONS,
    KV_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.restore_gate import (
    Gate,
    refuse_without_rights,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault

_TEXT: dict[str, Any] = {"type": "str", "default": ""}
ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        **{name: option for name, option in DATABASE_OPTIONS.items() if name != "path"},
        "state": {"type": "str", "choices": ["begun", "switched", "emptied", "ended", "stopped"], "default": "begun"},
        "domain": {"type": "str", "required": True},
        "at": _TEXT,
        "back": _TEXT,
        "run": _TEXT,
        "major": {"type": "bool", "default": False},
        "image": _TEXT,
        "storage": _TEXT,
        "unrehearsed": {"type": "bool", "default": False},
        "mastodon": {"type": "str", "required": True},
        "mastodon_namespace": {"type": "str", "required": True},
        "version": _TEXT,
        # A path, not a login.
        "login_path": {"type": "str", "required": True, "no_log": False},
        "beginning": {"type": "dict", "options": archives.OPTIONS},
        "redis": REDIS_OPTION,
        "why": _TEXT,
        "wait_timeout": {"type": "int", "default": 7200},
    }
)
_CONFLICT = 409


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, restore, ...}` with what is kept. Raises MastodonError when it cannot go on, and always for one that `stopped`."""
    needs("pg8000", "redis", "websocket")
    connection = connect(parameters, run.environment)
    restore = Restore(parameters, connection, Deadline(parameters["wait_timeout"]), run)
    steps = {
        "begun": restore.begin,
        "switched": restore.switch,
        "emptied": restore.empty,
        "ended": restore.end,
        "stopped": restore.stop,
    }
    result: dict[str, Any] = steps[parameters["state"]]()
    return result


class Restore:
    """One, at one of its steps. Each can be taken again when it was killed in the middle."""

    def __init__(self, parameters: Mapping[str, Any], connection: Connection, deadline: Deadline, run: Run) -> None:
        self._option, self._connection, self._deadline, self._run = parameters, connection, deadline, run
        self._namespace, self._name = parameters["namespace"], parameters["cluster"]
        self._objects = open_objects(connection, deadline, run.say)
        self._kept, self._version = generation.read(self._objects, self._namespace, self._name)
        target = window.read(parameters["at"], "restore_to") if parameters["at"] else None
        self._wish = Wish(target, parameters["back"], parameters["image"] if parameters["major"] else "")

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Database {self._namespace}/{self._name}"

    @cached_property
    def _generations(self) -> Generations:
        asks = asking(self._connection, self._namespace)
        return Generations(self._objects, self._objects.discover(), self._namespace, self._deadline, self._run, asks)

    def begin(self) -> dict[str, Any]:
        """Decide what is to be done, refuse what must not be, and keep that it has begun."""
        if self._kept.is_open:
            restoring.refuse_other(str(self), self._kept, self._wish)
            if not self._wish.back or self._wish.back == self._kept.current:
                return self._going_on()
        if restoring.is_done(self._kept, self._wish, now()) or self._is_of_that_major():
            self._run.say(f"{self} is as asked for already{f': {self._kept.line()}' if self._kept.ended else ''}")
            return {"changed": False, "restore": False, **asdict(self._kept)}
        refuse_without_rights(Client(self._connection, limit=self._deadline, say=self._run.say), self._namespace)
        wanted = self._held(self._back() if self._wish.back else self._forward())
        if not self._run.check:
            self._begin(wanted)
        return self._going("begin", wanted)

    def _held(self, wanted: Generation) -> Generation:
        """Return it as this run's: none that began before goes on with it."""
        before = self._kept.is_open and self._kept.suspended
        suspended = before or self._generations.is_suspended(self._kept.current or self._name)
        return replace(wanted, run=uuid.uuid4().hex, suspended="true" if suspended else "")

    def _going_on(self) -> dict[str, Any]:
        wanted = replace(self._kept, run=uuid.uuid4().hex)
        if not self._run.check:
            self._keep(wanted)
        return self._going("go on", wanted)

    def _going(self, verb: str, wanted: Generation) -> dict[str, Any]:
        self._run.say(f"{f'would {verb}' if self._run.check else verb} {wanted.what()}")
        return {"changed": True, "restore": True, **asdict(wanted)}

    def _begin(self, wanted: Generation) -> None:
        """Keep it while nobody else does."""
        labels = {generation.LABEL: self._name}
        lease = Lease(self._objects, self._namespace, f"{self._name}-restore", "restore", labels)
        lease.take(self._deadline, self._run.say)
        try:
            found, version = generation.read(self._objects, self._namespace, self._name)
            if version != self._version:
                raise self._overtaken(found)
            self._keep(wanted)
        finally:
            lease.end()

    def _is_of_that_major(self) -> bool:
        """Whether an import is asked for that there is no need of. Raises MastodonError for one that is none."""
        current = self._generations.read(self._kept.current or self._name) if self._wish.image else {}
        return bool(current) and major.is_done(str(self), at(current, "spec.imageName", ""), self._wish.image)

    def _forward(self) -> Generation:
        """Return what restoring a backup is, or an import. Raises MastodonError where it must not be."""
        gate, server = self._gate()
        source, base, said = gate.passed(self._connection, server, self._deadline)
        held = archives.Backups(self._option["beginning"], server, self._option["mount"], self._connection).archives
        following = generation.next_name(self._name, {*held, *self._generations.names()})
        self._run.say(said)
        began, asked, image = written(now()), self._wish.asked, self._wish.image
        return Generation(began, "", following, gate.name, restored_from=source, asked=asked, base=base, image=image)

    def _gate(self) -> tuple[Gate, vault.Vault]:
        current, catalog = self._kept.current or self._name, self._generations.catalog
        gate = Gate(self._objects, catalog, self._option, current, self._wish, self._run)
        self._generations.refuse_shared(current)
        return gate, vault.connect(self._option, self._run.environment)

    def _back(self) -> Generation:
        """Return what going back is. Raises MastodonError for a Cluster that is not the former one, or gone."""
        current, wanted = self._kept.current or self._name, self._wish.back
        if wanted != self._kept.former:
            why = f"before {current} it was {self._kept.former}" if self._kept.former else "it was never restored"
            raise MastodonError(str(self), f"cannot go back to {wanted}", why, "Correct restore_back.")
        image = at(self._generations.present(wanted), "spec.imageName", "")
        major.refuse_image(f"Cluster {self._namespace}/{wanted}", image, self._option["image"])
        if not self._kept.is_open:
            # While one is open all others refuse, and what it began itself, such as the first backup, may never end.
            gate, server = self._gate()
            gate.refuse_others(server)
        # Of one that had not emptied anything yet, all that waits is of the database that it goes back to.
        emptied = written(now()) if self._kept.is_open and not self._kept.emptied else ""
        return Generation(written(now()), "", wanted, current, back="true", emptied=emptied)

    def switch(self) -> dict[str, Any]:
        """Hibernate the former Cluster, and wake the other if it was there before. One that is imported from goes on until that is done."""
        self._must_be_open()
        if self._kept.image:
            self._generations.unbind(self._kept.former, self._kept.current)
        else:
            self._generations.sleep(self._kept.former, self._kept.current)
        if self._kept.back:
            self._generations.wake(self._kept.current)
        return {"changed": True, "restore": True, **asdict(self._kept)}

    def empty(self) -> dict[str, Any]:
        """Throw away what is queued and cached of rows that are no more, once. After an import all are there, and the former Cluster ends."""
        self._must_be_open()
        if self._kept.emptied:
            return {"changed": False, "restore": True, **asdict(self._kept)}
        if self._kept.image:
            self._generations.sleep(self._kept.former, self._kept.current)
        else:
            empty(self._option["redis"], self._connection, self._deadline, self._run)
        self._keep(replace(self._kept, emptied=written(now()), failure=""))
        return {"changed": True, "restore": True, **asdict(self._kept)}

    def end(self) -> dict[str, Any]:
        """Return once the new one is backed up itself, and say what became of the former one."""
        self._must_be_open()
        former = self._generations.read(self._kept.former)
        self._generations.await_backup(self._kept.current)
        if self._kept.suspended:
            self._generations.suspend(self._kept.current)
        ended = now()
        seconds = (ended - datetime.fromisoformat(self._kept.began)).total_seconds()
        self._keep(replace(self._kept, ended=written(ended), seconds=f"{seconds:.0f}", failure=""))
        self._run.say(f"{self}: {self._kept.line()}")
        for line in restoring.afterwards(self._namespace, self._kept, former, self._option["domain"]):
            self._run.say(line)
        return {"changed": True, "restore": True, **asdict(self._kept)}

    def stop(self) -> dict[str, Any]:
        """Keep of what it stopped, and raise MastodonError with the one thing to do."""
        why = " ".join(self._option["why"].split()).rstrip(".")
        if not self._kept.is_open:
            remedy = "Run fediverse.mastodon.site: it installs Mastodon on the Cluster that is its database now."
            raise MastodonError(str(self), "was restored by another run meanwhile", why, remedy)
        self._must_be_mine()
        self._keep(replace(self._kept, failure=why))
        serves = "Mastodon may serve already" if self._kept.emptied else "Mastodon is stopped meanwhile"
        back = f"{AGAIN} -e restore_domain={self._option['domain']} -e restore_back={self._kept.former}"
        remedy = f"Correct that, and run the same command again: it goes on where this stopped. Or go back: {back}."
        what = "imported" if self._kept.image else "restored"
        raise MastodonError(str(self), f"stopped while it was {what}", f"{why}. {serves}", remedy)

    def _must_be_open(self) -> None:
        if not self._kept.is_open:
            raise self._overtaken(self._kept)
        self._must_be_mine()

    def _must_be_mine(self) -> None:
        if self._kept.run != self._option["run"]:
            why = "what was begun last goes on, and this one does nothing more"
            raise MastodonError(str(self), "is being restored by another run", why, "Wait until that has ended.")

    def _overtaken(self, found: Generation) -> MastodonError:
        why = found.line() if found.began else "its record is gone"
        return MastodonError(str(self), "was changed by somebody else meanwhile", why, "Look at it, and run again.")

    def _keep(self, kept: Generation) -> None:
        """Write it, unless somebody else has meanwhile."""
        body = generation.place_of(self._namespace, self._name).body(asdict(kept))
        if self._version:
            body["metadata"]["resourceVersion"] = self._version
        try:
            found = self._objects.apply(CONFIG_MAP, body, manager=MANAGER, force=False, dry_run=False)
        except ApiError as error:
            if error.status == _CONFLICT:
                raise self._overtaken(generation.read(self._objects, self._namespace, self._name)[0]) from error
            raise
        self._kept, self._version = kept, found["metadata"]["resourceVersion"]


TASK = Task(ARGUMENTS, run_task)
