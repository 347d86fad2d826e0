# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.redis_check`: whether Mastodon can use a Redis-compatible server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.stores import (
    STORE_OPTIONS,
    check_options,
)

ARGUMENTS = Arguments({**STORE_OPTIONS, "port": {"type": "int", "default": 6379}})


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Refuse a server that would throw jobs away."""

    def question(server: Server, secret: Secret) -> str:
        password = secret["password"]
        if not parameters["managed"]:
            redis_server.refuse_tls(server)
        return redis_server.verdict(server, redis_server.ask(server, password))

    return check_options("Redis", parameters, run, question)


TASK = Task(ARGUMENTS, run_task)
