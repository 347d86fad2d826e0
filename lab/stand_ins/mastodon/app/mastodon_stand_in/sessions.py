# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is signed in: browsers by sessions, stored as digests under SECRET_KEY_BASE, and apps by OAuth tokens.

Tokens are stored as they are, as upstream does (config/initializers/doorkeeper.rb): another SECRET_KEY_BASE signs out browsers only.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from mastodon_stand_in import accounts
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.passwords import matches

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor


def sign_in(cursor: RealDictCursor, keys: Keys, email: str, password: str) -> str | None:
    """Return a new session, or None for a wrong e-mail address or password."""
    user = accounts.find_user(cursor, email)
    if user is None or not matches(password, user["encrypted_password"]):
        return None
    session = secrets.token_urlsafe(32)
    cursor.execute(
        "INSERT INTO session_activations (session_id, user_id) VALUES (%s, %s)",
        (keys.digest(session), user["user_id"]),
    )
    return session


def sign_out(cursor: RealDictCursor, keys: Keys, session: str) -> None:
    """End a session."""
    cursor.execute("DELETE FROM session_activations WHERE session_id = %s", (keys.digest(session),))


def user_of(cursor: RealDictCursor, keys: Keys, session: str) -> int | None:
    """Return the id of the user whose session it is."""
    cursor.execute("SELECT user_id FROM session_activations WHERE session_id = %s", (keys.digest(session),))
    row = cursor.fetchone()
    return row["user_id"] if row else None


def add_application(cursor: RealDictCursor, name: str, redirect_uri: str, scopes: str) -> dict[str, Any]:
    """Make an OAuth application; return its row."""
    cursor.execute(
        "INSERT INTO oauth_applications (name, uid, secret, redirect_uri, scopes) VALUES (%s, %s, %s, %s, %s) RETURNING *",
        (name, secrets.token_urlsafe(32), secrets.token_urlsafe(32), redirect_uri, scopes),
    )
    return accounts.only(cursor)


def find_application(cursor: RealDictCursor, uid: str, redirect_uri: str) -> dict[str, Any] | None:
    """Return the application that is called so and comes back to that address."""
    cursor.execute("SELECT * FROM oauth_applications WHERE uid = %s AND redirect_uri = %s", (uid, redirect_uri))
    return cursor.fetchone()


def grant(cursor: RealDictCursor, application: dict[str, Any], user_id: int) -> str:
    """Let an application act for a user; return the code that it may change for a token, once and soon."""
    code = secrets.token_urlsafe(32)
    cursor.execute(
        "INSERT INTO oauth_access_grants (token, user_id, application_id, redirect_uri) VALUES (%s, %s, %s, %s)",
        (code, user_id, application["id"], application["redirect_uri"]),
    )
    return code


def token_for(cursor: RealDictCursor, code: str, client_id: str, client_secret: str, redirect_uri: str) -> str | None:
    """Return an access token for a code; None unless code, application and address belong together."""
    cursor.execute(
        "DELETE FROM oauth_access_grants USING oauth_applications a WHERE a.id = application_id AND token = %s"
        " AND uid = %s AND secret = %s AND oauth_access_grants.redirect_uri = %s"
        " AND created_at > now() - interval '10 minutes' RETURNING user_id, application_id",
        (code, client_id, client_secret, redirect_uri),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    token = secrets.token_urlsafe(32)
    cursor.execute(
        "INSERT INTO oauth_access_tokens (token, user_id, application_id) VALUES (%s, %s, %s)",
        (token, row["user_id"], row["application_id"]),
    )
    return token


def signed_in(cursor: RealDictCursor, token: str) -> Account | None:
    """Return whom an access token belongs to."""
    cursor.execute("SELECT user_id FROM oauth_access_tokens WHERE token = %s", (token,))
    row = cursor.fetchone()
    return accounts.find_by_user(cursor, row["user_id"]) if row else None


def number_of(cursor: RealDictCursor, token: str) -> int | None:
    """Return the number of an access token, None for one that there is not."""
    cursor.execute("SELECT id FROM oauth_access_tokens WHERE token = %s", (token,))
    row = cursor.fetchone()
    return row["id"] if row else None


def confirm(cursor: RealDictCursor, token: str) -> bool:
    """Take an e-mail address as confirmed by whoever has the token that was mailed there."""
    cursor.execute(
        "UPDATE users SET confirmed_at = coalesce(confirmed_at, now()), confirmation_token = NULL"
        " WHERE confirmation_token = %s",
        (token,),
    )
    return cursor.rowcount == 1


def forget_password(cursor: RealDictCursor, keys: Keys, email: str) -> tuple[int, str] | None:
    """Return the user's id and a token to mail, with which the password can be set anew."""
    token = secrets.token_urlsafe(15)
    cursor.execute(
        "UPDATE users SET reset_password_token = %s, reset_password_sent_at = now() WHERE email = %s RETURNING id",
        (keys.digest(token), email),
    )
    row = cursor.fetchone()
    return (row["id"], token) if row else None


def reset_password(cursor: RealDictCursor, keys: Keys, token: str, password: str) -> int | None:
    """Set a password anew with the token that was mailed; return the user's id, or None for a wrong or old token."""
    cursor.execute(
        "SELECT id FROM users WHERE reset_password_token = %s AND reset_password_sent_at > now() - interval '6 hours'",
        (keys.digest(token),),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    accounts.change_password(cursor, row["id"], password)
    return int(row["id"])
