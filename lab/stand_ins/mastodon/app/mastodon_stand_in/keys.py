# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon's six keys: their formats, and what is done with them.

As upstream, it takes any text for the session key and for Active Record's keys, whatever generated it
(config/initializers/active_record_encryption.rb). The pair for web push is checked more strictly than Mastodon does, which
would fail at the first message only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mastodon_stand_in.errors import RefusalError

_ENCRYPTION = "ACTIVE_RECORD_ENCRYPTION_"
# What Rails derives encryption keys with.
_ITERATIONS = 2**16
_TAG_BYTES = 16
_NONCE_BYTES = 12
# Longer texts are compressed, as Rails does it (ActiveRecord::Encryption::Encryptor).
_COMPRESSED_FROM = 140


class WrongKeyError(Exception):
    """The data was encrypted with another key."""


@dataclass(frozen=True)
class Keys:
    """The keys, checked."""

    secret_key_base: str = field(repr=False)
    primary_key: str = field(repr=False)
    deterministic_key: str = field(repr=False)
    key_derivation_salt: str = field(repr=False)
    vapid_private_key: str = field(repr=False)
    vapid_public_key: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Keys:
        """Read and check all six, or raise RefusalError that names the first wrong one."""
        _check_vapid(environment)
        return cls(
            secret_key_base=_given(environment, "SECRET_KEY_BASE"),
            primary_key=_active_record_key(environment, "PRIMARY_KEY"),
            deterministic_key=_active_record_key(environment, "DETERMINISTIC_KEY"),
            key_derivation_salt=_active_record_key(environment, "KEY_DERIVATION_SALT"),
            vapid_private_key=environment["VAPID_PRIVATE_KEY"],
            vapid_public_key=environment["VAPID_PUBLIC_KEY"],
        )

    def digest(self, token: str) -> str:
        """Return what is stored of a session or of a token in a mail: another SECRET_KEY_BASE makes them worthless."""
        return hmac.new(self.secret_key_base.encode(), token.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def column(self) -> Cipher:
        """Encrypts a column, the same text differently each time."""
        return Cipher(_derived(self.primary_key, self.key_derivation_salt))

    @cached_property
    def lookup(self) -> Cipher:
        """Encrypts a column by which rows are looked up, so the same text always alike."""
        return Cipher(_derived(self.deterministic_key, self.key_derivation_salt), is_deterministic=True)


@dataclass(frozen=True)
class Cipher:
    """Active Record's encryption of columns: AES-256-GCM, stored as JSON."""

    key: bytes = field(repr=False)
    is_deterministic: bool = False

    def encrypt(self, text: str) -> str:
        """Return what is stored of a text."""
        clear, headers = text.encode(), dict[str, object]()
        if len(clear) > _COMPRESSED_FROM:
            clear, headers["c"] = zlib.compress(clear), True
        nonce = secrets.token_bytes(_NONCE_BYTES)
        if self.is_deterministic:
            nonce = hmac.digest(self.key, clear, "sha256")[:_NONCE_BYTES]
        sealed = AESGCM(self.key).encrypt(nonce, clear, None)
        parts = {"iv": nonce, "at": sealed[-_TAG_BYTES:]}
        headers |= {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return json.dumps({"p": base64.b64encode(sealed[:-_TAG_BYTES]).decode(), "h": headers})

    def decrypt(self, stored: str) -> str:
        """Return the text that `encrypt` was given, or raise WrongKeyError."""
        message = json.loads(stored)
        nonce, tag = (base64.b64decode(message["h"][name]) for name in ("iv", "at"))
        try:
            clear = AESGCM(self.key).decrypt(nonce, base64.b64decode(message["p"]) + tag, None)
        except InvalidTag as error:
            raise WrongKeyError from error
        return (zlib.decompress(clear) if message["h"].get("c") else clear).decode()


def _derived(key: str, salt: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", key.encode(), salt.encode(), _ITERATIONS, 32)


def _given(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value.strip():
        raise RefusalError(
            f"{name}: it is missing or blank. Check the Secret that mastodon.secrets.existingSecret names."
        )
    return value


def _matching(environment: Mapping[str, str], name: str, pattern: str, format_: str) -> str:
    value = _given(environment, name)
    if not re.fullmatch(pattern, value):
        raise RefusalError(f"{name}: it has {len(value)} characters but is not {format_}. Check how it was generated.")
    return value


def _active_record_key(environment: Mapping[str, str], name: str) -> str:
    if environment.get(_ENCRYPTION + name, "").endswith("DO_NOT_USE_IN_PRODUCTION"):
        raise RefusalError(f"{_ENCRYPTION}{name}: it is the example from development. Generate one of your own.")
    return _given(environment, _ENCRYPTION + name)


def _check_vapid(environment: Mapping[str, str]) -> None:
    private = _decoded(environment, "VAPID_PRIVATE_KEY", "a 32-byte key")
    try:
        pair = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    except ValueError as error:
        raise RefusalError(
            "VAPID_PRIVATE_KEY: it is not a key on the curve P-256. Check how it was generated."
        ) from error
    point = pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if _decoded(environment, "VAPID_PUBLIC_KEY", "a 65-byte point") != point:
        raise RefusalError("VAPID_PUBLIC_KEY: it does not belong to VAPID_PRIVATE_KEY. Keep both from one generation.")


def _decoded(environment: Mapping[str, str], name: str, format_: str) -> bytes:
    format_ = f"{format_} as URL-safe base64"
    value = _matching(environment, name, r"[A-Za-z0-9_-]+={0,2}", format_)
    try:
        return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
    except binascii.Error as error:
        raise RefusalError(f"{name}: it is not {format_}. Check how it was generated.") from error
