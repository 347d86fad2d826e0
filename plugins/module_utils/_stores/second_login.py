# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second login to a database, beside its owner's, for as long as the owner's password changes.

PostgreSQL keeps one password for a role. Whoever logs in by this one becomes the owner at once, so that what it creates is the owner's:
https://www.postgresql.org/docs/current/sql-alterrole.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# By which one of ours is distinguished from somebody's of that name.
_COMMENT = "fediverse.mastodon rotation"
_ITERATIONS = 4096
_SALT = 16


def name_of(owner: str) -> str:
    """Return what the second login of an owner is called."""
    return f"{owner}_rotation"


def create(owner: str, password: str) -> str:
    """Return the SQL that creates it, or gives it this password. It fails on a role of that name that is somebody's."""
    name = name_of(owner)
    role, taken = _quoted(name), _refuses_foreign(name)
    return "\n".join(
        (
            "BEGIN;",
            taken,
            f"ALTER ROLE {role} LOGIN PASSWORD {_literal(verifier(password))};",
            f"GRANT {_quoted(owner)} TO {role};",
            f"ALTER ROLE {role} SET role TO {_literal(owner)};",
            "COMMIT;",
        )
    )


def drop(owner: str) -> str:
    """Return the SQL that ends its sessions and removes it, if it is there. What it may own becomes the owner's."""
    name = name_of(owner)
    role = _quoted(name)
    steps = (
        f"ALTER ROLE {role} NOLOGIN;",
        f"PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {_literal(name)};",
        f"REASSIGN OWNED BY {role} TO {_quoted(owner)};",
        f"DROP OWNED BY {role};",
        f"DROP ROLE {role};",
    )
    return f"DO $do$ BEGIN IF {_is_ours(name)} THEN {' '.join(steps)} END IF; END $do$;"


def verifier(password: str, salt: bytes = b"") -> str:
    """Return what PostgreSQL keeps of a password, so that no log of it can have more: https://www.rfc-editor.org/rfc/rfc5803"""
    salt = salt or secrets.token_bytes(_SALT)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    coded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{coded[0]}${coded[1]}:{coded[2]}"


def _refuses_foreign(name: str) -> str:
    there = f"EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)})"
    created = f"CREATE ROLE {_quoted(name)}; COMMENT ON ROLE {_quoted(name)} IS {_literal(_COMMENT)};"
    refused = f"RAISE EXCEPTION 'role % is there and is not ours', {_literal(name)};"
    return f"DO $do$ BEGIN IF NOT {there} THEN {created} ELSIF NOT {_is_ours(name)} THEN {refused} END IF; END $do$;"


def _is_ours(name: str) -> str:
    described = "shobj_description(oid, 'pg_authid')"
    return f"EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)} AND {described} = {_literal(_COMMENT)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
