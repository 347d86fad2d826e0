# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether PostgreSQL and Redis are new enough for a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release, is_too_old
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import (
    mastodon_database,
    postgresql_server,
    redis_server,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Login, Reader
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import SSLMODES, Server

OPTIONS: dict[str, Any] = {
    "type": "dict",
    "options": {
        "cluster": {"type": "str", "default": ""},
        "version": {"type": "str", "default": ""},
        "image": {"type": "str", "default": ""},
        "host": {"type": "str", "default": ""},
        "direct_host": {"type": "str", "default": ""},
        "port": {"type": "int"},
        "username": {"type": "str", "default": "mastodon"},
        "database": {"type": "str", "default": "mastodon"},
        # A path, not a password.
        "path": {"type": "str", "default": "", "no_log": False},
        "sslmode": {"type": "str", "choices": list(SSLMODES), "default": "require"},
        "password": {"type": "str", "default": "", "no_log": True},
    },
}

Store = Mapping[str, Any]
_Answer = TypeVar("_Answer")


class NotAskedError(MastodonError):
    """A server was not asked, so that nothing is known of what it holds."""


@dataclass(frozen=True)
class Asked:
    """Servers of the user's own, asked from here. `passwords` leads from a path of Vault to its password, or an empty text."""

    passwords: Callable[[str], str]
    connection: Connection
    say: Callable[[str], None]

    def version(self, product: str, store: Store) -> str:
        """Return the version of a server. Empty when it cannot be asked, which is said, or as long as nobody gave a login."""
        if not self._password(store):
            return ""
        try:
            return self._redis(store) if product == "Redis" else self._postgresql(store).version
        except NotAskedError as error:
            self.say(f"skipped the check of {error.subject}, which cannot be asked from here: {error.why}")
            return ""

    def schema(self, store: Store) -> str:
        """Return the newest migration of Mastodon's in the database, empty without any. Raises NotAskedError."""
        return self._postgresql(store).schema

    def contents(self, store: Store, question: Callable[[Reader], _Answer]) -> _Answer:
        """Return what a database that Mastodon uses answers. Raises NotAskedError."""

        def ask(server: Server, password: str) -> _Answer:
            with mastodon_database.reading(server, Login(store["username"], password, store["database"])) as reader:
                return question(reader)

        return self._answer("PostgreSQL", {**store, "host": store["direct_host"]}, ask)

    def _redis(self, store: Store) -> str:
        def ask(server: Server, password: str) -> str:
            redis_server.refuse_tls(server)
            return str(redis_server.ask(server, password)["redis_version"])

        return self._answer("Redis", store, ask)

    def _postgresql(self, store: Store) -> postgresql_server.Found:
        def ask(server: Server, password: str) -> postgresql_server.Found:
            return postgresql_server.ask(server, store["username"], password, store["database"])

        return self._answer("PostgreSQL", store, ask)

    def _password(self, store: Store) -> str:
        if not store["host"]:
            return ""
        given: str = store["password"]
        return given or (self.passwords(store["path"]) if store["path"] else "")

    def _answer(self, product: str, store: Store, ask: Callable[[Server, str], _Answer]) -> _Answer:
        place, password = f"Vault path {store['path']}", self._password(store)
        dial = forward.way_to(self.connection, store["host"], store["port"])
        secret = "vault_given_secrets" if store["password"] else place
        server = Server(product, store["host"], store["port"], secret, dial, store["sslmode"])
        if not password:
            why = f"its password is neither in {place} nor in vault_given_secrets"
            raise NotAskedError(str(server), "cannot be asked", why, "Give its password in vault_given_secrets")
        try:
            return ask(server, password)
        except (forward.NotThereError, OSError) as error:
            remedy = "Make it reachable from where Ansible runs"
            raise NotAskedError(str(server), "cannot be asked", str(error), remedy) from error


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
    return [str(MastodonError(subject, f"is too old for Mastodon {wanted}", f"it is {version}", f"It needs {oldest}."))]
