# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in the exact formats of Mastodon's own generators, and checks of those that are already there.

Sources: mastodon:lib/tasks/mastodon.rake (SECRET_KEY_BASE), mastodon:lib/tasks/db.rake (Active Record keys), and the
webpush gem's VapidKey.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


_ALPHANUMERIC = string.ascii_letters + string.digits
_EXAMPLE = "DO_NOT_USE_IN_PRODUCTION"
FORMATS = ("alphanumeric", "hex", "password")
DEFAULT_LENGTH = 32
DEFAULT_BYTES = 64


def generate(spec: Mapping[str, Any]) -> str:
    """Return a new secret of `{format: hex|alphanumeric|password, bytes|length: n}`. Raises MastodonError for others."""
    if known_format(spec) == "hex":
        return secrets.token_hex(spec.get("bytes") or DEFAULT_BYTES)
    return "".join(secrets.choice(_ALPHANUMERIC) for _unused in range(spec.get("length") or DEFAULT_LENGTH))


def flaw(value: object) -> str:
    """Return what is wrong with a stored secret, or an empty string. Formats are for making: Mastodon takes any text.

    Bitnami's chart, for one, makes keys of ten characters, and every row of the database is encrypted with them.
    """
    if not isinstance(value, str):
        return "it is not text, but a number, a list or the like"
    if not value:
        return "it is empty"
    if value != value.strip():
        return "it has white space at an end"
    # https://github.com/mastodon/mastodon/blob/main/config/initializers/active_record_encryption.rb
    return "it is Mastodon's example for development" if value.endswith(_EXAMPLE) else ""


def known_format(spec: Mapping[str, Any]) -> str:
    """Return the format. Raises MastodonError for a misspelt one, which must not end as another: secrets are made once."""
    found = str(spec.get("format"))
    if found not in FORMATS:
        raise MastodonError(f"Format {found}", "not known", f"it is not one of {', '.join(FORMATS)}", "Correct it.")
    return found


def vapid_pair() -> tuple[str, str]:
    """Return a new (private, public) pair of P-256 keys, url-safe base64 with padding: 44 and 88 characters."""
    private = ec.generate_private_key(ec.SECP256R1())
    number = private.private_numbers().private_value.to_bytes(32, "big")
    return base64.urlsafe_b64encode(number).decode(), _public(private)


def vapid_flaw(private: str, public: str) -> str:
    """Return why a stored pair cannot work, or an empty string. Upstream's private key may lack leading zero bytes."""
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(_padded(private)), "big")
        key = ec.derive_private_key(number, ec.SECP256R1())
    except (binascii.Error, ValueError):
        return "the private key is not a P-256 key in url-safe base64"
    return "" if _padded(public) == _public(key) else "the public key does not belong to the private key"


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _public(private: ec.EllipticCurvePrivateKey) -> str:
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode()
