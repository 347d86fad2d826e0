# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether PostgreSQL and Redis are new enough for a release. This module util is PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
        "cluster": {"type": "str", "default": ""},
        "version": {"type": "str", "default": ""},
        "host": {"type": "str", "default": ""},
        "port": {"type": "int"},
        "username": {"type": "str", "default": "mastodon"},
        "database": {"type": "str", "default": "mastodon"},
        # A path, not a password.
        "path": {"type": "str", "default": "", "no_log": False},
        "password": {"type": "str", "default": "", "no_log": True},
    },
}

Store = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """Servers of the user's own, asked from here. `passwords` leads from a path of Vault to its password, or an empty text."""

    passwords: Callable[[str], str]
    connection: Connection
    say: Callable[[str], None]

    def version(self, product: str, store: Store) -> str:
        """Return the version of a server, or an empty text when it cannot be asked."""
        if product == "Redis":
            told = self._answer(product, store, redis_server.ask)
            return str(told["redis_version"]) if told else ""
        found = self._postgresql(store)
        return found.version if found else ""

    def schema(self, store: Store) -> str:
        """Return the newest migration of Mastodon's in the database, or an empty text."""
        found = self._postgresql(store)
        return found.schema if found else ""

    def _postgresql(self, store: Store) -> postgresql_server.Found | None:
        def ask(server: Server, password: str) -> postgresql_server.Found:
            return postgresql_server.ask(server, store["username"], password, store["database"])

        found: postgresql_server.Found | None = self._answer("PostgreSQL", store, ask)
        return found

    def _answer(self, product: str, store: Store, ask: Callable[[Server, str], Any]) -> Any:
        password = store["host"] and (store["password"] or (store["path"] and self.passwords(store["path"])))
        if not password:
            return None
        dial = forward.way_to(self.connection, store["host"], store["port"])
        server = Server(product, store["host"], store["port"], f"Vault path {store['path']}", dial)
        try:
            return ask(server, password)
        except (forward.NotThereError, OSError) as error:
            self.say(f"skipped the check of {server}, which cannot be asked from here: {error}")
            return None


def problems(parameters: Mapping[str, Any], wanted: Release, servers: Asked) -> list[str]:
    """Return one sentence for each store that is too old for `wanted`. One that cannot be asked yet is said, not refused."""
    found = []
    for product, oldest in (("PostgreSQL", wanted.needs.postgresql), ("Redis", wanted.needs.redis)):
        store = parameters[product.lower()]
        if store:
            version = store["version"] or servers.version(product, store)
            found += _too_old(f"{product} {store['host']}".rstrip(), version, oldest, wanted)
    return found


def _too_old(subject: str, version: str, oldest: str, wanted: Release) -> list[str]:
    if not is_too_old(version, oldest):
        return []
    return [str(MastodonError(subject, f"is too old for Mastodon {wanted}", f"it is {version}", f"It takes {oldest}."))]
