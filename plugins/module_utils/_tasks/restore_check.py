# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.restore_check`: waits for a database that is restored or imported for good, and reads through it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept, restored
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.scratch import Login
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.restored import Restored
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.importing import same
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.openers import opener_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    DATABASE_OPTIONS,
    KV_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import cluster_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import (
    Databases,
    read_through,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import await_made, explained

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        **DATABASE_OPTIONS,
        "restored_from": {"type": "str", "default": ""},
        "restored_at": {"type": "str", "default": ""},
        "imported_from": {"type": "str", "default": ""},
        "wait_timeout": {"type": "int", "default": 7200},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, ...}` with what was restored. Raises MastodonError when it did not come up, or cannot be read."""
    needs("cryptography", "pg8000", "websocket")
    deadline = Deadline(parameters["wait_timeout"])
    objects = open_objects(connect(parameters, run.environment), deadline, run.say)
    namespace, name = parameters["namespace"], parameters["cluster"]
    cluster = cluster_at(objects, namespace, name)
    book = Book(objects, restored.place_of(namespace, name), f"Cluster {namespace}/{name}", run)
    known = kept.record(Restored, book.read())
    if cluster and known.cluster_uid == cluster["metadata"]["uid"]:
        return {"changed": False, **asdict(known)}
    if run.check:
        done = "imported" if parameters["imported_from"] else "restored"
        run.say(f"would wait until Cluster {namespace}/{name} is {done}, and open what is encrypted in it")
        return {"changed": True, **asdict(Restored("", "", parameters["restored_from"], parameters["restored_at"]))}
    _wait(objects, parameters, deadline, run)
    made = _read(parameters, cluster_at(objects, namespace, name), deadline, run)
    book.keep(asdict(made))
    return {"changed": True, **asdict(made)}


def _wait(objects: Objects, parameters: Mapping[str, Any], deadline: Deadline, run: Run) -> None:
    """Return when the Cluster runs."""
    namespace, name = parameters["namespace"], parameters["cluster"]
    try:
        await_made(objects, namespace, name, deadline, run, imports=bool(parameters["imported_from"]))
    except MastodonError as error:
        failure = _explained(objects, parameters, error)
        if failure is error:
            # It may be restoring still.
            raise
        delete = f"kubectl delete clusters.postgresql.cnpg.io -n {namespace} {name}"
        remedy = f"{failure.remedy} Then delete what did not come up, {delete}, and run again."
        raise MastodonError(failure.subject, failure.failed, failure.why, remedy) from error


def _explained(objects: Objects, parameters: Mapping[str, Any], error: MastodonError) -> MastodonError:
    namespace, name = parameters["namespace"], parameters["cluster"]
    if source := parameters["imported_from"]:
        return explained(objects, namespace, name, f"Cluster {namespace}/{source}", error, "cannot be imported")
    return explained(objects, namespace, name, f"The backup of {parameters['restored_from']}", error)


def _read(parameters: Mapping[str, Any], cluster: Object, deadline: Deadline, run: Run) -> Restored:
    """Read through it, and say what is in it."""
    namespace, name = parameters["namespace"], parameters["cluster"]
    connection = connect(parameters, run.environment)
    login = Login(parameters["database"], parameters["owner"], parameters["secret"])
    databases, former = Databases(connection, namespace, login, deadline), parameters["imported_from"]
    compared = [same(databases, former, name)] if former else []
    found = read_through(databases, name, opener_of(parameters, run))
    lines = [*compared, *found.lines]
    for line in lines:
        run.say(line)
    source, asked = parameters["restored_from"], parameters["restored_at"]
    done = f"imported from Cluster {namespace}/{former}" if former else f"restored from the backup of {source}"
    run.say(f"Cluster {namespace}/{name}: {done} up to {found.newest}")
    uid = cluster["metadata"]["uid"]
    return Restored(written(now()), uid, source or former, asked, found.newest, "; ".join(lines))


TASK = Task(ARGUMENTS, run_task)
