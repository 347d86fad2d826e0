# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How `redis_check` and `postgresql_check` ask a server: with the login of a Secret, and patiently."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import (
    Secret,
    must_have_secret,
    read_secret,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
    Server,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import await_ready
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import DEPENDS_ON_OPTION

STORE_OPTIONS: dict[str, Any] = {
    **KUBERNETES_OPTIONS,
    "host": {"type": "str", "required": True},
    # Where the login is, not the login.
    "secret_namespace": {"type": "str", "required": True, "no_log": False},
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "managed": {"type": "bool", "default": False},
    "depends_on": DEPENDS_ON_OPTION,
    "wait_timeout": {"type": "int", "default": 600},
}
# Two minutes in all, in which a restart or a change of the primary is over.
_ATTEMPTS = 25
_PAUSE = 5.0
_sleep = time.sleep

# Asks the server with the login of the Secret, and returns what was found well.
Question = Callable[[Server, Secret], str]


@dataclass(frozen=True)
class Store:
    """A server, and which Secret has its login. `managed`: this collection installs it and changes its password."""

    product: str
    host: str
    port: int
    secret_namespace: str
    secret_name: str
    sslmode: str = "prefer"
    managed: bool = False

    def __str__(self) -> str:
        """Return how messages call it."""
        return f"{self.product} {self.host}"


def check_options(product: str, parameters: Mapping[str, Any], run: Run, question: Question) -> dict[str, Any]:
    """Check the server that the options name, once what it depends on is ready."""
    connection = connect(parameters, run.environment)
    deadline = Deadline(parameters["wait_timeout"])
    await_ready(parameters["depends_on"], open_objects(connection, deadline, run.say), deadline, run)
    named = {one.name: parameters[one.name] for one in fields(Store) if one.name in parameters}
    return check(Store(product, **named), connection, run, question)


def check(store: Store, connection: Connection, run: Run, question: Question) -> dict[str, Any]:
    """Return `{changed, verdict, result}`. Raises MastodonError for a server that `question` finds unfit."""
    where = store.secret_namespace, store.secret_name
    if run.check and read_secret(connection, *where) is None:
        return _skipped(str(store), f"Secret {'/'.join(where)} is not created yet", run)
    secret = must_have_secret(connection, *where)
    dial = forward.way_to(connection, store.host, store.port)
    server = Server(store.product, store.host, store.port, str(secret), dial, store.sslmode)
    try:
        return {
            "changed": False,
            "verdict": "passed",
            "result": _patiently(server, lambda: question(server, secret), run, managed=store.managed),
        }
    except forward.NotThereError as error:
        if not run.check:
            raise
        # An earlier task would have brought it.
        return _skipped(str(server), str(error), run)
    except OSError as error:
        if dial and not run.check:
            raise NotReadyError(str(server), "does not answer", str(error), "Read its log.") from error
        # Pods may have a way to it that the controller has not.
        return _skipped(str(server), str(error), run)


def _patiently(server: Server, ask: Callable[[], str], run: Run, *, managed: bool) -> str:
    """Return what `ask` returns, also from a server that restarts: a change of its settings makes it do so a little later.

    One that is managed gets a new password a little later, too.
    """
    for _attempt in range(0 if run.check else _ATTEMPTS - 1):
        try:
            return ask()
        except (forward.NoPodError, NotReadyError) as error:
            why = str(error)
        except RefusedLoginError as error:
            if not managed:
                raise
            why = str(error)
        except OSError as error:
            if server.dial is None:
                raise
            why = str(error)
        run.say(f"waiting for {server}: {why}")
        _sleep(_PAUSE)
    return ask()


def _skipped(subject: str, why: str, run: Run) -> dict[str, Any]:
    message = f"skipped the check of {subject}, which cannot be asked from here: {why}"
    run.say(message)
    return {"changed": False, "verdict": "skipped", "result": message}
