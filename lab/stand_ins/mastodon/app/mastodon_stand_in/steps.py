# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What migrations do that no SQL can: db/post_migrate at 4.7."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mastodon_stand_in import keypairs
from mastodon_stand_in.keys import Keys

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

# What belongs to an account, and is the kept one's afterwards.
_GIVEN = (
    "UPDATE statuses SET account_id = %s WHERE account_id = %s",
    "UPDATE media_attachments SET account_id = %s WHERE account_id = %s",
    "UPDATE notifications SET account_id = %s WHERE account_id = %s",
    "UPDATE notifications SET from_account_id = %s WHERE from_account_id = %s",
)


def merge_accounts(cursor: RealDictCursor, keys: Keys) -> None:
    """Give all that belongs to accounts of one URI to the one that was discovered last, and delete the others."""
    cursor.execute("SELECT uri FROM accounts WHERE uri IS NOT NULL GROUP BY uri HAVING count(*) > 1")
    for row in cursor.fetchall():
        cursor.execute(
            "SELECT id FROM accounts WHERE uri = %s ORDER BY coalesce(last_webfingered_at, 'epoch'), created_at, id",
            (row["uri"],),
        )
        *others, kept = (account["id"] for account in cursor.fetchall())
        for other in others:
            _merge(cursor, kept, other)


def _merge(cursor: RealDictCursor, kept: int, other: int) -> None:
    for statement in _GIVEN:
        cursor.execute(statement, (kept, other))
    cursor.execute("DELETE FROM accounts WHERE id = %s", (other,))


STEPS: dict[str, Callable[[RealDictCursor, Keys], None]] = {
    "move_keypairs": keypairs.move,
    "merge_accounts": merge_accounts,
}
