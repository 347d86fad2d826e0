# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tootctl media remove` and `preview_cards remove`: copies of what other servers have leave the bucket, and their rows stay."""

from __future__ import annotations

from typing import Any

from mastodon_stand_in.database import Database

# By default, as upstream.
DAYS = {"media": 7, "preview_cards": 180}
_OLD = {
    "media": "SELECT m.id, file_key AS key FROM media_attachments m JOIN accounts ON accounts.id = account_id"
    " WHERE domain IS NOT NULL AND file_key IS NOT NULL AND m.created_at < now() - make_interval(days => %s)",
    "preview_cards": "SELECT id, image_key AS key FROM preview_cards"
    " WHERE image_key IS NOT NULL AND updated_at < now() - make_interval(days => %s)",
}
_EMPTY = {
    "media": "UPDATE media_attachments SET file_key = NULL, file_file_name = NULL WHERE id = %s",
    "preview_cards": "UPDATE preview_cards SET image_key = NULL WHERE id = %s",
}
_CALLED = {"media": "media attachments", "preview_cards": "preview cards"}


def clean(what: str, days: int, database: Database, bucket: Any) -> str:
    """Remove what is older; raise RefusalError or UnavailableError unless bucket and database take it."""
    bucket.check()
    with database.transaction() as cursor:
        cursor.execute(_OLD[what], (days,))
        old = cursor.fetchall()
    for row in old:
        bucket.delete(row["key"])
        with database.transaction() as cursor:
            cursor.execute(_EMPTY[what], (row["id"],))
    return f"Removed {len(old)} {_CALLED[what]}"
