# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tootctl feeds build --all`: home timelines are lists in Redis, made again from the database. Here nobody follows anybody."""

from __future__ import annotations

from typing import Any

from mastodon_stand_in.database import Database

# As many as upstream keeps: https://github.com/mastodon/mastodon/blob/main/app/lib/feed_manager.rb
_MOST = 800
_USERS = "SELECT account_id FROM users ORDER BY account_id"
_OWN = "SELECT id FROM statuses WHERE account_id = %s ORDER BY id DESC LIMIT %s"


def build(database: Database, jobs: Any) -> str:
    """Fill that of each user; raise UnavailableError when database or Redis cannot be reached."""
    with database.transaction() as cursor:
        cursor.execute(_USERS)
        users = [row["account_id"] for row in cursor.fetchall()]
    for user in users:
        with database.transaction() as cursor:
            cursor.execute(_OWN, (user, _MOST))
            found = [int(row["id"]) for row in cursor.fetchall()]
        jobs.fill(f"feed:home:{user}", found)
    return f"Regenerated feeds for {len(users)} accounts"
