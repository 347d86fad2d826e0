# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a PostgreSQL server may hold Mastodon's data."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, one_line
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watched, within
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
    Server,
    is_older,
    making_sense,
)

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from pg8000 import native
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

# Since Mastodon 4.5; its migrations check it: https://github.com/mastodon/mastodon/blob/main/lib/tasks/db.rake
OLDEST = "14"
_SECONDS = 15
_WHOLE_SECONDS = 60
# It shuts down, starts or has crashed: https://www.postgresql.org/docs/current/errcodes-appendix.html
_NOT_READY = "57P0"
_REFUSED = "28P01"
# Nobody may come in this way, such as without encryption.
_NO_WAY_IN = "28000"
_TOO_LONG = "57014"
_SETTING = "cnpg_external_sslmode"


@dataclass(frozen=True)
class Found:
    """What a server said of itself and of one database. `schema` is its newest migration of Mastodon's, empty without any."""

    version: str
    encoding: str
    may_create: bool
    schema: str = ""


def ask(server: Server, username: str, password: str, database: str) -> Found:
    """Return what the server says. Raises OSError when there is no way to it, MastodonError when it refuses."""
    with session(server, username, password, database) as connection:
        return _found(connection)


@contextmanager
def session(
    server: Server, username: str, password: str, database: str, *, whole: float = 0, each: float = 0
) -> Iterator[native.Connection]:
    """Open a connection for as long as the block takes, at most `whole` seconds, `each` for one answer. Raises as `ask` does."""
    needs("pg8000", "requests")
    try:
        with within(whole or _WHOLE_SECONDS), making_sense(server, native.InterfaceError, native.DatabaseError):
            yield from _connected(server, username, password, database, each or _SECONDS)
    except ssl.SSLError as error:
        why = str(getattr(error, "verify_message", "") or error.reason or error)
        remedy = f"Give the server a certificate of a public authority for this name, or set {_SETTING} to require."
        raise MastodonError(str(server), "TLS failed", why, remedy) from error
    except native.InterfaceError as error:
        if "refuses SSL" not in str(error):
            raise OSError(one_line(str(error))) from error
        why = "it offers no TLS, so that anybody on the way could read along"
        remedy = f"Turn TLS on there (ssl = on), or set {_SETTING} to disable."
        raise MastodonError(str(server), "does not encrypt", why, remedy) from error
    except native.DatabaseError as error:
        raise _refusal(server, f"{username} cannot use {database}", error) from error


def _connected(
    server: Server, username: str, password: str, database: str, seconds: float
) -> Iterator[native.Connection]:
    connection = native.Connection(
        username,
        host=server.host,
        port=server.port,
        password=password,
        database=database,
        timeout=seconds,
        sock=watched(server.open(_SECONDS)),
        ssl_context=_encryption(server.sslmode),
    )
    try:
        yield connection
    except BaseException:
        # It may be broken, and what broke it is what is to be reported.
        with suppress(native.InterfaceError, OSError):
            connection.close()
        raise
    connection.close()


def _found(connection: native.Connection) -> Found:
    rows = connection.run(
        "SELECT current_setting('server_version'), current_setting('server_encoding'),"
        " has_schema_privilege('public', 'CREATE'), to_regclass('schema_migrations') IS NOT NULL"
    )
    [[version, encoding, may_create, migrated]] = rows
    schema = connection.run("SELECT max(version) FROM schema_migrations")[0][0] if migrated else ""
    return Found(version, encoding, may_create, schema or "")


def _encryption(sslmode: str) -> ssl.SSLContext | bool | None:
    """Return what pg8000 calls it: https://codeberg.org/tlocke/pg8000#connect-to-postgresql-over-ssl"""
    if sslmode == "verify-full":
        # Those that Node trusts too, whomever this machine trusts besides.
        return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    return {"prefer": None, "require": True, "disable": False}[sslmode]


def _refusal(server: Server, failed: str, error: Exception) -> MastodonError:
    code, why = _field(error, "C"), _field(error, "M")
    if code.startswith(_NOT_READY):
        return NotReadyError(str(server), "does not serve yet", why, "Read its log.")
    if code == _TOO_LONG:
        return MastodonError(str(server), "gave no answer in time", why, "Run again when it has less to do.")
    if code == _NO_WAY_IN and server.sslmode == "disable":
        return MastodonError(str(server), failed, why, f"Set {_SETTING} to require, or let it in by pg_hba.conf there.")
    refusal = RefusedLoginError if code == _REFUSED else MastodonError
    return refusal(str(server), failed, why, server.remedy)


def verdict(server: Server, found: Found) -> str:
    """Return what was found well. Raises MastodonError for a server or database that Mastodon cannot use."""
    if is_older(found.version, OLDEST):
        raise MastodonError(str(server), "is too old", f"it is {found.version}", f"Upgrade it to {OLDEST} or newer.")
    if found.encoding != "UTF8":
        remedy = "Create the database again with ENCODING UTF8."
        raise MastodonError(str(server), "its database cannot hold posts", f"it is encoded in {found.encoding}", remedy)
    if not found.may_create:
        remedy = "Make Mastodon's user the owner of its database."
        raise MastodonError(str(server), "its user may not create tables", "", remedy)
    return f"{server} is {found.version} and lets Mastodon in"


def _field(error: Exception, name: str) -> str:
    """Return one field of PostgreSQL's error: https://www.postgresql.org/docs/current/protocol-error-fields.html"""
    fields = error.args[0] if error.args else {}
    return str(fields.get(name, "")) if isinstance(fields, dict) else str(fields)
