# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, their users and sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

ROLES = ("Moderator", "Admin", "Owner")
_USERNAME = re.compile(r"[a-z0-9_]+([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_FIND = """
    SELECT accounts.id, username, public_key, users.id AS user_id, role, encrypted_password,
           accounts.id < 0 OR (approved AND confirmed_at IS NOT NULL) AS is_active, approved
    FROM accounts LEFT JOIN users ON users.account_id = accounts.id
    WHERE domain IS NULL AND
"""


@dataclass(frozen=True)
class Account:
    """A local account."""

    id: int
    username: str
    public_key: str
    # False while its user waits for approval or for the confirmation of an e-mail address.
    is_active: bool = True
    is_approved: bool = True
    role: str | None = None


def only(cursor: RealDictCursor) -> dict[str, Any]:
    """Return the row of a query that always has exactly one."""
    (row,) = cursor.fetchall()
    return row


def seed(cursor: RealDictCursor, keys: Keys) -> bool:
    """Make the instance actor unless it is there; say whether it was made."""
    cursor.execute("SELECT 1 FROM accounts WHERE id = %s", (INSTANCE_ACTOR_ID,))
    if cursor.fetchone():
        return False
    private, public = _key_pair()
    cursor.execute(
        "INSERT INTO accounts (id, username, public_key, private_key) VALUES (%s, %s, %s, %s)",
        (INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME, public, keys.encrypt(private)),
    )
    return True


def create(
    cursor: RealDictCursor, keys: Keys, username: str, email: str, role: str | None, approved: bool, confirmed: bool
) -> str:
    """Make an account with its user and return the new password."""
    if not _USERNAME.fullmatch(username) or len(username) > 30:
        raise RefusalError(f"Username {username!r}: it is not valid. Use up to 30 letters, digits and underscores.")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise RefusalError(f"E-mail {email!r}: it is not valid. Give one such as name@example.com.")
    _check_role(role)
    cursor.execute(
        "SELECT 1 FROM accounts LEFT JOIN users ON account_id = accounts.id"
        " WHERE lower(username) = lower(%s) OR email = %s",
        (username, email),
    )
    if cursor.fetchone():
        raise RefusalError(f"Account {username}: the username or e-mail has already been taken. Use accounts modify.")
    private, public = _key_pair()
    cursor.execute(
        "INSERT INTO accounts (username, public_key, private_key) VALUES (%s, %s, %s) RETURNING id",
        (username, public, keys.encrypt(private)),
    )
    password = secrets.token_hex(16)
    cursor.execute(
        "INSERT INTO users (account_id, email, encrypted_password, role, approved, confirmed_at)"
        " VALUES (%s, %s, %s, %s, %s, CASE WHEN %s THEN now() END)",
        (only(cursor)["id"], email, _hash(password), role, approved, confirmed),
    )
    return password


def modify(
    cursor: RealDictCursor, username: str, role: str | None, approve: bool, confirm: bool, reset_password: bool
) -> str | None:
    """Change a user; return the new password if it was reset. Resetting it ends all sessions."""
    _check_role(role)
    user = _find_row(cursor, "lower(username) = lower(%s)", username)
    if user is None or user["user_id"] is None:
        raise RefusalError(f"Account {username}: no user with such username. Make it with accounts create.")
    password = secrets.token_hex(16) if reset_password else None
    cursor.execute(
        "UPDATE users SET role = coalesce(%s, role), approved = approved OR %s,"
        " confirmed_at = CASE WHEN %s THEN coalesce(confirmed_at, now()) ELSE confirmed_at END,"
        " encrypted_password = coalesce(%s, encrypted_password) WHERE id = %s",
        (role, approve, confirm, password and _hash(password), user["user_id"]),
    )
    if password:
        cursor.execute("DELETE FROM oauth_access_tokens WHERE user_id = %s", (user["user_id"],))
    return password


def find(cursor: RealDictCursor, username: str) -> Account | None:
    """Return the local account of that name."""
    return _account(_find_row(cursor, "lower(username) = lower(%s)", username))


def find_by_id(cursor: RealDictCursor, account_id: int) -> Account | None:
    """Return the local account with that id."""
    return _account(_find_row(cursor, "accounts.id = %s", account_id))


def sign_in(cursor: RealDictCursor, keys: Keys, email: str, password: str) -> str | None:
    """Return a new access token, or None for a wrong e-mail or password."""
    user = _find_row(cursor, "email = %s", email)
    if user is None or not _is_password(password, user["encrypted_password"]):
        return None
    token = secrets.token_urlsafe(32)
    cursor.execute(
        "INSERT INTO oauth_access_tokens (token, user_id) VALUES (%s, %s)", (keys.digest(token), user["user_id"])
    )
    return token


def signed_in(cursor: RealDictCursor, keys: Keys, token: str) -> Account | None:
    """Return whom an access token belongs to."""
    return _account(
        _find_row(cursor, "users.id = (SELECT user_id FROM oauth_access_tokens WHERE token = %s)", keys.digest(token))
    )


def _find_row(cursor: RealDictCursor, condition: str, value: object) -> dict[str, Any] | None:
    cursor.execute(_FIND + condition, (value,))
    return cursor.fetchone()


def _account(row: dict[str, Any] | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row["id"],
        username=row["username"],
        public_key=row["public_key"],
        is_active=bool(row["is_active"]),
        is_approved=row["approved"] is not False,
        role=row["role"],
    )


def _check_role(role: str | None) -> None:
    if role is not None and role not in ROLES:
        raise RefusalError(f"Role {role!r}: there is no such role. Use one of {', '.join(ROLES)}.")


def _key_pair() -> tuple[str, str]:
    """Make the key pair that an actor signs with; return both halves as PEM, the private one first."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def _hash(password: str, salt: bytes | None = None) -> str:
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return ":".join(base64.b64encode(part).decode() for part in (salt, digest))


def _is_password(password: str, stored: str) -> bool:
    return hmac.compare_digest(_hash(password, base64.b64decode(stored.partition(":")[0])), stored)
