# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and their users."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mastodon_stand_in import keypairs
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME
from mastodon_stand_in.passwords import hashed

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

ROLES = ("Moderator", "Admin", "Owner")
_USERNAME = re.compile(r"[a-z0-9_]+([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_FIND = f"""
    SELECT accounts.id, username, {keypairs.public_key()} AS public_key, users.id AS user_id, role, encrypted_password,
           accounts.id < 0 OR (approved AND confirmed_at IS NOT NULL) AS is_active, approved, suspended_at
    FROM accounts LEFT JOIN users ON users.account_id = accounts.id
    WHERE domain IS NULL AND
"""  # noqa: S608 nothing of anybody's in it


@dataclass(frozen=True)
class Account:
    """A local account."""

    id: int
    username: str
    public_key: str
    # False while its user waits for approval or for the confirmation of an e-mail address.
    is_active: bool = True
    is_approved: bool = True
    # For good: whoever asks for it hears that it is gone.
    is_gone: bool = False
    role: str | None = None


@dataclass(frozen=True)
class NewUser:
    """A user just made. `confirmation_token` is None when the e-mail address needs no confirmation."""

    id: int
    password: str
    confirmation_token: str | None


def only(cursor: RealDictCursor) -> dict[str, Any]:
    """Return the row of a query that always has exactly one."""
    (row,) = cursor.fetchall()
    return row


def seed(cursor: RealDictCursor) -> None:
    """Put in what nothing but db/seeds does: the roles."""
    cursor.execute("INSERT INTO user_roles SELECT unnest(%s) ON CONFLICT DO NOTHING", (list(ROLES),))


def make_instance_actor(cursor: RealDictCursor, keys: Keys) -> bool:
    """Make the instance actor unless it is there, as upstream also does when somebody asks for it; say whether it was made."""
    cursor.execute("SELECT 1 FROM accounts WHERE id = %s", (INSTANCE_ACTOR_ID,))
    if cursor.fetchone():
        return False
    cursor.execute("INSERT INTO accounts (id, username) VALUES (%s, %s)", (INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME))
    keypairs.make(cursor, keys, INSTANCE_ACTOR_ID)
    return True


def create(
    cursor: RealDictCursor,
    keys: Keys,
    username: str,
    email: str,
    role: str | None = None,
    approved: bool = False,
    confirmed: bool = False,
    password: str | None = None,
) -> NewUser:
    """Make an account with its user, with a new password unless one is given."""
    _check_role(cursor, role)
    _check_new(cursor, username, email)
    cursor.execute("INSERT INTO accounts (username) VALUES (%s) RETURNING id", (username,))
    account_id = only(cursor)["id"]
    keypairs.make(cursor, keys, account_id)
    password = password or secrets.token_hex(16)
    token = None if confirmed else secrets.token_urlsafe(15)
    cursor.execute(
        "INSERT INTO users (account_id, email, encrypted_password, role, approved, confirmation_token, confirmed_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END) RETURNING id",
        (account_id, email, hashed(password), role, approved, token, confirmed),
    )
    return NewUser(only(cursor)["id"], password, token)


def _check_new(cursor: RealDictCursor, username: str, email: str) -> None:
    if not _USERNAME.fullmatch(username) or len(username) > 30:
        raise RefusalError(f"Username {username!r}: it is not valid. Use up to 30 letters, digits and underscores.")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise RefusalError(f"E-mail {email!r}: it is not valid. Give one such as name@example.com.")
    cursor.execute(
        "SELECT 1 FROM accounts LEFT JOIN users ON account_id = accounts.id"
        " WHERE lower(username) = lower(%s) OR email = %s",
        (username, email),
    )
    if cursor.fetchone():
        raise RefusalError(f"Account {username}: the username or e-mail has already been taken. Use accounts modify.")


def modify(
    cursor: RealDictCursor, username: str, role: str | None, approve: bool, confirm: bool, reset_password: bool
) -> tuple[int, str | None]:
    """Change a user; return its id, and the new password if it was reset."""
    _check_role(cursor, role)
    user = _find_row(cursor, "lower(username) = lower(%s)", username)
    if user is None or user["user_id"] is None:
        raise RefusalError(f"Account {username}: no user with such username. Make it with accounts create.")
    cursor.execute(
        "UPDATE users SET role = coalesce(%s, role), approved = approved OR %s,"
        " confirmed_at = CASE WHEN %s THEN coalesce(confirmed_at, now()) ELSE confirmed_at END WHERE id = %s",
        (role, approve, confirm, user["user_id"]),
    )
    password = secrets.token_hex(16) if reset_password else None
    if password:
        change_password(cursor, user["user_id"], password)
    return user["user_id"], password


def change_password(cursor: RealDictCursor, user_id: int, password: str) -> None:
    """Give a user another password, which ends all sessions."""
    cursor.execute(
        "UPDATE users SET encrypted_password = %s, reset_password_token = NULL WHERE id = %s",
        (hashed(password), user_id),
    )
    cursor.execute("DELETE FROM session_activations WHERE user_id = %s", (user_id,))
    cursor.execute("DELETE FROM oauth_access_tokens WHERE user_id = %s", (user_id,))


def approve(cursor: RealDictCursor, username: str | None, number: int | None) -> None:
    """Let users in who wait: the one of that name, the `number` longest waiting, or all if neither is given."""
    if username and _find_row(cursor, "users.id IS NOT NULL AND lower(username) = lower(%s)", username) is None:
        raise RefusalError(f"Account {username}: no user with such username. Make it with accounts create.")
    cursor.execute(
        "UPDATE users SET approved = true WHERE id IN (SELECT users.id FROM users JOIN accounts ON accounts.id = account_id"
        " WHERE NOT approved AND lower(username) = coalesce(lower(%s), lower(username)) ORDER BY users.id LIMIT %s)",
        (username, number),
    )


def find(cursor: RealDictCursor, username: str) -> Account | None:
    """Return the local account of that name."""
    return _account(_find_row(cursor, "lower(username) = lower(%s)", username))


def find_by_id(cursor: RealDictCursor, account_id: int) -> Account | None:
    """Return the local account with that id."""
    return _account(_find_row(cursor, "accounts.id = %s", account_id))


def find_by_user(cursor: RealDictCursor, user_id: int) -> Account | None:
    """Return the account of a user."""
    return _account(_find_row(cursor, "users.id = %s", user_id))


def find_user(cursor: RealDictCursor, email: str) -> dict[str, Any] | None:
    """Return `user_id` and `encrypted_password` of the user with that e-mail address."""
    return _find_row(cursor, "email = %s", email)


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
        is_gone=row["suspended_at"] is not None,
        role=row["role"],
    )


def _check_role(cursor: RealDictCursor, role: str | None) -> None:
    cursor.execute("SELECT 1 FROM user_roles WHERE name = %s", (role,))
    if role is not None and not cursor.fetchone():
        # lib/mastodon/cli/accounts.rb
        raise RefusalError("Cannot find user role with that name")
