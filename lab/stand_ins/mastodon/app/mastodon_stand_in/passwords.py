# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How passwords are stored. Mastodon uses bcrypt; what matters here is that they can't be read back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

SHORTEST = 8


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return what is stored of a password."""
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return ":".join(base64.b64encode(part).decode() for part in (salt, digest))


def matches(password: str, stored: str) -> bool:
    """Return whether it is the password of which that was stored."""
    return hmac.compare_digest(hashed(password, base64.b64decode(stored.partition(":")[0])), stored)
