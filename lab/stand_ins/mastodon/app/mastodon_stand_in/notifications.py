# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications of mentions, and the browsers that want to be told of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mastodon_stand_in import accounts
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID
from mastodon_stand_in.push import Subscription

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

_MENTION = re.compile(r"(?<![\w/@.])@([a-z0-9_]+)(?![\w@])", re.IGNORECASE)


def mentioned(text: str) -> list[str]:
    """Return whom on this server a text mentions, each once."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))


def add(cursor: RealDictCursor, status: dict[str, Any]) -> Iterator[tuple[Account, int]]:
    """Note whom a status mentions, once; yield those accounts and the notifications' ids."""
    for name in mentioned(status["text"]):
        account = accounts.find(cursor, name)
        if account is None or account.id in (status["account_id"], INSTANCE_ACTOR_ID):
            continue
        cursor.execute(
            "INSERT INTO notifications (account_id, from_account_id, status_id) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            (account.id, status["account_id"], status["id"]),
        )
        row = cursor.fetchone()
        if row:
            yield account, row["id"]


def find(cursor: RealDictCursor, notification: int) -> dict[str, Any] | None:
    """Return a notification with the `username` it came from and its status' `text`."""
    cursor.execute(
        "SELECT notifications.*, username, text FROM notifications JOIN accounts ON accounts.id = from_account_id"
        " JOIN statuses ON statuses.id = status_id WHERE notifications.id = %s",
        (notification,),
    )
    return cursor.fetchone()


def subscribe(cursor: RealDictCursor, token: str, subscription: Subscription) -> None:
    """Push to this browser from now on; an app has one at most."""
    cursor.execute(
        "INSERT INTO web_push_subscriptions (access_token, endpoint, key_p256dh, key_auth) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (access_token) DO UPDATE"
        " SET endpoint = excluded.endpoint, key_p256dh = excluded.key_p256dh, key_auth = excluded.key_auth",
        (token, subscription.endpoint, subscription.p256dh, subscription.auth),
    )


def unsubscribe(cursor: RealDictCursor, token: str) -> None:
    """Push there no more."""
    cursor.execute("DELETE FROM web_push_subscriptions WHERE access_token = %s", (token,))


def forget(cursor: RealDictCursor, number: int) -> None:
    """Forget a subscription."""
    cursor.execute("DELETE FROM web_push_subscriptions WHERE id = %s", (number,))


def subscription(cursor: RealDictCursor, number: int) -> Subscription | None:
    """Return a subscription."""
    cursor.execute("SELECT * FROM web_push_subscriptions WHERE id = %s", (number,))
    row = cursor.fetchone()
    return Subscription(row["endpoint"], row["key_p256dh"], row["key_auth"]) if row else None


def subscribed(cursor: RealDictCursor, account: Account) -> Sequence[int]:
    """Return the subscriptions of an account's apps."""
    cursor.execute(
        "SELECT s.id FROM web_push_subscriptions s JOIN oauth_access_tokens t ON t.token = s.access_token"
        " JOIN users u ON u.id = t.user_id WHERE u.account_id = %s",
        (account.id,),
    )
    return [row["id"] for row in cursor.fetchall()]
