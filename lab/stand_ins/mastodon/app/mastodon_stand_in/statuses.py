# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statuses and their pictures, as rows and as the API shows them."""

from __future__ import annotations

import html
import mimetypes
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mastodon_stand_in.accounts import Account, only
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.settings import Site

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

MAX_CHARACTERS = 500
MAX_PICTURES = 4
VISIBILITIES = ("public", "unlisted", "private", "direct")
_SELECT = """
    SELECT statuses.*, username,
           coalesce((SELECT json_agg(m ORDER BY m.id) FROM media_attachments m WHERE m.status_id = statuses.id), '[]')
               AS pictures
    FROM statuses JOIN accounts ON accounts.id = account_id
"""


@dataclass(frozen=True)
class Picture:
    """An uploaded picture before it is stored: its bytes' type, size in pixels and SHA-256."""

    content_type: str
    width: int
    height: int
    sha256: str
    description: str | None


def add_picture(cursor: RealDictCursor, account: Account, picture: Picture) -> dict[str, Any]:
    """Make the row of a picture, with the key under which its bytes are to be stored."""
    cursor.execute(
        "INSERT INTO media_attachments (account_id, file_content_type, file_sha256, width, height, description)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (account.id, picture.content_type, picture.sha256, picture.width, picture.height, picture.description),
    )
    number = only(cursor)["id"]
    key = _key(number, picture.content_type)
    cursor.execute(
        "UPDATE media_attachments SET file_key = %s, file_file_name = %s WHERE id = %s RETURNING *",
        (key, key.rpartition("/")[2], number),
    )
    return only(cursor)


def find_picture(cursor: RealDictCursor, number: int) -> dict[str, Any] | None:
    """Return a picture's row."""
    cursor.execute("SELECT * FROM media_attachments WHERE id = %s", (number,))
    return cursor.fetchone()


def mark_processed(cursor: RealDictCursor, number: int) -> None:
    """Note that a worker has made the small version of a picture."""
    cursor.execute("UPDATE media_attachments SET processed_at = now() WHERE id = %s", (number,))


def small_key(key: str) -> str:
    """Return where the small version of a picture is kept."""
    return key.replace("/original/", "/small/")


def add(cursor: RealDictCursor, account: Account, text: str, visibility: str, media_ids: Sequence[str]) -> int:
    """Make a status with pictures that its author uploaded before; return its id."""
    if not text.strip() and not media_ids:
        raise RefusalError("Validation failed: Text can't be blank")
    if len(text) > MAX_CHARACTERS:
        raise RefusalError(f"Validation failed: Text character limit of {MAX_CHARACTERS} exceeded")
    if visibility not in VISIBILITIES:
        raise RefusalError("Validation failed: Visibility is not included in the list")
    numbers = {int(number) for number in media_ids if number.isdecimal()}
    cursor.execute("SELECT 1 FROM media_attachments WHERE id = ANY(%s) AND processed_at IS NULL", (list(numbers),))
    if cursor.fetchone():
        raise RefusalError("Cannot attach files that have not finished processing. Try again in a moment!")
    cursor.execute(
        "INSERT INTO statuses (account_id, text, visibility) VALUES (%s, %s, %s) RETURNING id",
        (account.id, text, visibility),
    )
    status = int(only(cursor)["id"])
    cursor.execute(
        "UPDATE media_attachments SET status_id = %s WHERE id = ANY(%s) AND account_id = %s AND status_id IS NULL",
        (status, list(numbers), account.id),
    )
    if len(media_ids) > MAX_PICTURES or cursor.rowcount != len(media_ids):
        raise RefusalError(f"Validation failed: Media must be up to {MAX_PICTURES} of your own and not yet attached")
    return status


def find(cursor: RealDictCursor, status: int) -> dict[str, Any] | None:
    """Return a status with its author's `username` and its `pictures`."""
    cursor.execute(f"{_SELECT} WHERE statuses.id = %s", (status,))
    return cursor.fetchone()


def newest_public(cursor: RealDictCursor, limit: int) -> Sequence[dict[str, Any]]:
    """Return the newest public statuses."""
    cursor.execute(f"{_SELECT} WHERE visibility = 'public' ORDER BY statuses.id DESC LIMIT %s", (limit,))
    return cursor.fetchall()


def mark_distributed(cursor: RealDictCursor, status: int) -> bool:
    """Note that a worker has distributed a status; say whether this was the first time."""
    cursor.execute("UPDATE statuses SET distributed_at = now() WHERE id = %s AND distributed_at IS NULL", (status,))
    return cursor.rowcount == 1


def show(site: Site, media_url: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a status as the API shows it (https://docs.joinmastodon.org/entities/Status/)."""
    username = row["username"]
    return {
        "id": str(row["id"]),
        "created_at": _moment(row["created_at"]),
        "visibility": row["visibility"],
        "uri": site.url(f"/users/{username}/statuses/{row['id']}"),
        "url": site.url(f"/@{username}/{row['id']}"),
        "content": f"<p>{html.escape(row['text'])}</p>" if row["text"] else "",
        "account": {
            "id": str(row["account_id"]),
            "username": username,
            "acct": username,
            "url": site.url(f"/@{username}"),
        },
        "media_attachments": [show_picture(media_url, picture) for picture in row["pictures"]],
    }


def show_picture(media_url: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a picture as the API shows it (https://docs.joinmastodon.org/entities/MediaAttachment/)."""
    is_ready = row["processed_at"] is not None
    return {
        "id": str(row["id"]),
        "type": "image",
        # Null until it has been processed, as upstream.
        "url": f"{media_url}/{row['file_key']}" if is_ready else None,
        "preview_url": f"{media_url}/{small_key(row['file_key'])}" if is_ready else None,
        "description": row["description"],
        "meta": {"original": {"width": row["width"], "height": row["height"]}},
    }


def _key(number: int, content_type: str) -> str:
    """Return a key in Mastodon's layout: the id in groups of three digits, then a name nobody can guess."""
    digits = f"{number:09}"
    groups = "/".join(digits[start : start + 3] for start in range(0, len(digits), 3))
    extension = mimetypes.guess_extension(content_type) or ""
    return f"media_attachments/files/{groups}/original/{secrets.token_hex(8)}{extension}"


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
