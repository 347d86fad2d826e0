# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.postgresql_check`: whether Mastodon can use a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import SSLMODES, Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.stores import (
    STORE_OPTIONS,
    check_options,
)

ARGUMENTS = Arguments(
    {
        **STORE_OPTIONS,
        "port": {"type": "int", "default": 5432},
        "database": {"type": "str", "default": "mastodon"},
        "sslmode": {"type": "str", "choices": list(SSLMODES), "default": "require"},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Refuse a server or database that Mastodon cannot use."""

    def question(server: Server, secret: Secret) -> str:
        found = postgresql_server.ask(server, secret["username"], secret["password"], parameters["database"])
        return postgresql_server.verdict(server, found)

    return check_options("PostgreSQL", parameters, run, question)


TASK = Task(ARGUMENTS, run_task)
