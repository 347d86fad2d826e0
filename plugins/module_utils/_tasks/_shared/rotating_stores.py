# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to the server that a secret opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.credential import KINDS, Provider, prove
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail import smtp
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import write_and_remove
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import SSLMODES, Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.bucket import way
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import (
    Nothing,
    Patience,
    Store,
    Values,
    Yours,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating_cache import Cache
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating_database import Database

_MADE: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    # Of what was made here; empty for a server of yours.
    "namespace": {"type": "str", "default": ""},
    "name": {"type": "str", "default": ""},
}
STORES: dict[str, Any] = {
    "database": {
        "type": "dict",
        "options": {
            **_MADE,
            "port": {"type": "int", "default": 5432},
            "database": {"type": "str", "default": "mastodon"},
            "owner": {"type": "str", "default": "mastodon"},
            "sslmode": {"type": "str", "choices": list(SSLMODES), "default": "prefer"},
            # Where the second login is, not the login.
            "secret_namespace": {"type": "str", "default": "", "no_log": False},
            "secret_name": {"type": "str", "default": "", "no_log": False},
        },
    },
    "redis": {"type": "dict", "options": {**_MADE, "port": {"type": "int", "default": 6379}}},
    "s3": {
        "type": "dict",
        "options": {
            "endpoint": {"type": "str", "required": True},
            "bucket": {"type": "str", "required": True},
            "region": {"type": "str", "default": "us-east-1"},
        },
    },
    "dns": {
        "type": "dict",
        "options": {
            "kind": {"type": "str", "choices": list(KINDS), "required": True},
            "zone": {"type": "str", "required": True},
            "nameserver": {"type": "str", "default": ""},
            "port": {"type": "int", "default": 53},
            # How it is called, not what it is.
            "key_name": {"type": "str", "default": "", "no_log": False},
            "algorithm": {"type": "str", "default": "hmac-sha256"},
        },
    },
    "smtp": {
        "type": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "tls": {"type": "bool", "default": False},
            "starttls": {"type": "str", "choices": list(smtp.STARTTLS), "default": "always"},
            "method": {"type": "str", "choices": list(smtp.METHODS), "default": "plain"},
            "verify": {"type": "bool", "default": True},
        },
    },
}


def store_of(parameters: Mapping[str, Any], connection: Connection, patience: Patience) -> Store:
    """Return what the secret opens."""
    source = f"Vault path {parameters['mount']}/{parameters['path']}"
    if wanted := parameters["database"]:
        return _database(wanted, connection, source, patience)
    if wanted := parameters["redis"]:
        return _redis(wanted, connection, source, patience)
    if wanted := parameters["s3"]:
        return _s3(wanted, connection, source, patience)
    if wanted := parameters["smtp"]:
        return _smtp(wanted, connection, source, patience)
    if wanted := parameters["dns"]:
        provider = Provider(**{name: wanted[name] for name in Provider.__dataclass_fields__})
        dial = forward.way_to(connection, provider.nameserver, provider.port)
        return Yours(provider, lambda values: prove(provider, values, dial), patience)
    return Nothing()


def _database(wanted: Mapping[str, Any], connection: Connection, source: str, patience: Patience) -> Store:
    dial, owner = forward.way_to(connection, wanted["host"], wanted["port"]), wanted["owner"]
    server = Server("PostgreSQL", wanted["host"], wanted["port"], source, dial, wanted["sslmode"])
    if wanted["name"]:
        second = wanted["secret_namespace"], wanted["secret_name"]
        place = wanted["namespace"], wanted["name"]
        return Database(connection, *place, server, wanted["database"], owner, second, patience)

    def log_in(values: Values) -> object:
        return postgresql_server.ask(server, owner, values["password"], wanted["database"])

    return Yours(server, log_in, patience)


def _redis(wanted: Mapping[str, Any], connection: Connection, source: str, patience: Patience) -> Store:
    if wanted["name"]:
        return Cache(connection, wanted["namespace"], wanted["name"], wanted["port"], source, patience)
    dial = forward.way_to(connection, wanted["host"], wanted["port"])
    server = Server("Redis", wanted["host"], wanted["port"], source, dial)
    return Yours(server, lambda values: redis_server.ask(server, values["password"]), patience)


def _s3(wanted: Mapping[str, Any], connection: Connection, source: str, patience: Patience) -> Store:
    endpoint, name = wanted["endpoint"], wanted["bucket"]
    dial = way(lambda: connection, *forward.place_of(endpoint))

    def log_in(values: Values) -> object:
        keys = Keys(values["access-key-id"], values["secret-access-key"], source)
        return write_and_remove(Bucket(endpoint, name, wanted["region"], keys, dial))

    return Yours(f"Bucket {name} at {endpoint}", log_in, patience)


def _smtp(wanted: Mapping[str, Any], connection: Connection, source: str, patience: Patience) -> Store:
    host, port = wanted["host"], wanted["port"]
    dial = way(lambda: connection, host, port)
    how = {option: wanted[option] for option in ("tls", "starttls", "method", "verify")}

    def log_in(values: Values) -> object:
        return smtp.handshake(smtp.Login(host, port, values["username"], values["password"], source, **how), dial)

    return Yours(f"Mail server {host}:{port}", log_in, patience)
