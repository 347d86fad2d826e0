# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.leave`: how a Mastodon is made to leave the federation, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import leaving
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import RELEASE_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.web_pod import Command, in_web_pod

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **RELEASE_OPTIONS,
        "local_domain": {"type": "str", "required": True},
        "redis_host": {"type": "str", "required": True},
        "redis_port": {"type": "int", "default": 6379},
        # Where the login is, not the login.
        "redis_secret": {"type": "str", "required": True, "no_log": False},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 600},
    }
)

# It asks twice and reads what is typed; the domain is no part of the program.
_ANSWERING = ["sh", "-c", "printf '%s\\nyes\\n' \"$1\" | tootctl self-destruct", "leave"]
_PAUSE = 10.0
_AFTERWARDS = "Keep its DNS records, certificates and pods for some weeks, then run playbook uninstall."


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, value, progress, left}`. `value` starts it, and is empty once it has begun; then it may be waited for."""
    connection = connect(parameters, run.environment)
    deadline = Deadline(parameters["wait_timeout"])
    command = in_web_pod(connection, parameters["namespace"], parameters["name"])
    said = _ask(parameters, command)
    if value := leaving.value(said):
        _refuse_unable(parameters, connection, run)
        return {"changed": False, "value": value, "progress": "it has not begun to leave", "left": False}
    found = _progress(parameters, said)
    if parameters["wait"] and not run.check:
        found = _wait(parameters, command, found, deadline, run)
    return {"changed": False, "value": "", "progress": found.sentence, "left": found.left}


def _ask(parameters: Mapping[str, Any], command: Command) -> str:
    done = command([*_ANSWERING, parameters["local_domain"]])
    if done.code:
        why = f"tootctl self-destruct ended with {done.code}: {done.stderr.strip() or done.stdout.strip()}"
        raise MastodonError(_subject(parameters), "cannot leave", why, "Read what it says, then run again.")
    return done.stdout


def _progress(parameters: Mapping[str, Any], said: str) -> leaving.Progress:
    found = leaving.progress(said)
    if found is None:
        why = f"tootctl self-destruct says: {said.strip()}"
        raise MastodonError(_subject(parameters), "does not say how far it is", why, "Report this with its version.")
    return found


def _wait(
    parameters: Mapping[str, Any], command: Command, found: leaving.Progress, deadline: Deadline, run: Run
) -> leaving.Progress:
    """Return the end. Raises MastodonError when it is not reached in time."""
    reminder = Reminder(deadline)
    while not found.left:
        if reminder.is_due():
            run.say(f"{_subject(parameters)} leaves ({deadline.elapsed:.0f} s): {found.sentence}")
        if not deadline.pause(_PAUSE):
            remedy = "Leave all of it running, and run the playbook again to see how far it is."
            raise MastodonError(_subject(parameters), "has not left yet", found.sentence, remedy)
        found = _progress(parameters, _ask(parameters, command))
    run.say(f"{_subject(parameters)} has left: {found.sentence}. {_AFTERWARDS}")
    return found


def _refuse_unable(parameters: Mapping[str, Any], connection: Connection, run: Run) -> None:
    """Raise MastodonError for what would let it begin, and never end."""
    labels = {"app.kubernetes.io/instance": parameters["name"], "app.kubernetes.io/part-of": "rails"}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = open_objects(connection).read(Selection(POD, parameters["namespace"], labels=selector)).objects
    leaving.refuse_without_scheduler(_subject(parameters), pods)

    def question(server: Server, secret: Secret) -> str:
        return leaving.refuse_full(str(server), redis_server.ask(server, secret["password"]))

    where = parameters["redis_host"], parameters["redis_port"], parameters["namespace"], parameters["redis_secret"]
    stores.check(stores.Store("Redis", *where), connection, run, question)


def _subject(parameters: Mapping[str, Any]) -> str:
    return f"Mastodon {parameters['namespace']}/{parameters['name']}"


TASK = Task(ARGUMENTS, run_task)
