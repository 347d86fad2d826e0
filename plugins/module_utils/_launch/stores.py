# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether PostgreSQL and Redis are new enough for a release. This module util is PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.ladder import Release, is_too_old
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server

OPTIONS: dict[str, Any] = {
    "type": "dict",
    "options": {
        "version": {"type": "str", "default": ""},
        "host": {"type": "str", "default": ""},
        "port": {"type": "int"},
        "username": {"type": "str", "default": "mastodon"},
        "database": {"type": "str", "default": "mastodon"},
        # A path, not a password.
        "path": {"type": "str", "default": "", "no_log": False},
    },
}

# From a path of Vault to its `password`, or an empty text.
Passwords = Callable[[str], str]


def problems(
    parameters: Mapping[str, Any],
    wanted: Release,
    passwords: Passwords,
    connection: Connection,
    say: Callable[[str], None],
) -> list[str]:
    """Return one sentence for each store that is too old for `wanted`. One that cannot be asked yet is said, not refused."""
    found = []
    for product, oldest in (("PostgreSQL", wanted.needs.postgresql), ("Redis", wanted.needs.redis)):
        store = parameters[product.lower()]
        if store:
            version = store["version"] or _asked(product, store, passwords, connection, say)
            found += _too_old(f"{product} {store['host']}".rstrip(), version, oldest, wanted)
    return found


def _too_old(subject: str, version: str, oldest: str, wanted: Release) -> list[str]:
    if not is_too_old(version, oldest):
        return []
    return [str(MastodonError(subject, f"is too old for Mastodon {wanted}", f"it is {version}", f"It takes {oldest}."))]


def _asked(
    product: str, store: Mapping[str, Any], passwords: Passwords, connection: Connection, say: Callable[[str], None]
) -> str:
    password = passwords(store["path"]) if store["path"] and store["host"] else ""
    if not password:
        return ""
    dial = forward.way_to(connection, store["host"], store["port"])
    server = Server(product, store["host"], store["port"], f"Vault path {store['path']}", dial)
    try:
        if product == "Redis":
            return str(redis_server.ask(server, password)["redis_version"])
        return postgresql_server.ask(server, store["username"], password, store["database"]).version
    except (forward.NotThereError, OSError) as error:
        say(f"skipped the check of {server}, which cannot be asked from here: {error}")
        return ""
