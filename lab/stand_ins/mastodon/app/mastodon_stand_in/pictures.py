# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures, looked at and made smaller."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, UnidentifiedImageError

from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.statuses import Picture

TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
SMALL = (640, 360)


def inspect(data: bytes, description: str | None) -> Picture:
    """Look at an uploaded file; raise RefusalError unless it is a picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
            content_type, (width, height) = Image.MIME.get(image.format or "", ""), image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise RefusalError("Validation failed: File content type is invalid") from error
    if content_type not in TYPES:
        raise RefusalError("Validation failed: File content type is invalid")
    return Picture(content_type, width, height, hashlib.sha256(data).hexdigest(), description)


def small(data: bytes) -> bytes:
    """Return a picture in the same format that is no larger than SMALL."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        kind = image.format
        image.thumbnail(SMALL)
        image.save(made, kind)
    return made.getvalue()
