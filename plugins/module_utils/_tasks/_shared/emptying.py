# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Empties the queues and caches of a Mastodon whose database is another one from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import Patience
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating_cache import Cache

_TEXT: dict[str, Any] = {"type": "str", "default": ""}
REDIS_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 6379},
        # Where the login is, not the login.
        "secret_namespace": {"type": "str", "required": True, "no_log": False},
        "secret_name": {"type": "str", "required": True, "no_log": False},
        "namespace": _TEXT,
        "name": _TEXT,
    },
}


def empty(wanted: Mapping[str, Any], connection: Connection, deadline: Deadline, run: Run) -> None:
    """Do so, and say how much it was. Raises MastodonError when the server cannot be asked."""
    secret = must_have_secret(connection, wanted["secret_namespace"], wanted["secret_name"])
    password, host, port = secret["password"], wanted["host"], wanted["port"]
    patience, found = Patience(deadline, run), list[redis_server.Emptied]()
    server = Server("Redis", host, port, str(secret), forward.way_to(connection, host, port))
    patience.until(lambda: found.append(redis_server.empty(server, password)))
    if wanted["name"]:
        # It would begin from a snapshot of before, with all that was thrown away.
        cache = Cache(connection, wanted["namespace"], wanted["name"], port, str(secret), patience)
        cache.save({"password": password})
    run.say(
        f"emptied {server}: {found[-1].jobs} jobs that waited, {found[-1].keys} keys of queues, caches and home timelines"
    )
