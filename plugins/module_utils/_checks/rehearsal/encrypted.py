# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns that Active Record encrypted, opened with its keys.

The text is JSON with the sealed value and, in its headers, nonce, tag and whether the value was compressed first:
https://github.com/rails/rails/blob/main/activerecord/lib/active_record/encryption/message_serializer.rb and encryptor.rb beside it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

# https://github.com/rails/rails/blob/main/activesupport/lib/active_support/key_generator.rb
_ITERATIONS = 2**16
_KEY_BYTES = 32
# By the first everything is encrypted since Rails 7.1; Mastodon has rows of before that read, too.
_DIGESTS = ("sha256", "sha1")


class WrongKeyError(Exception):
    """It was encrypted with another key."""


class NotEncryptedError(Exception):
    """It is not what Active Record writes."""


class Opener:
    """Opens what one pair of primary key and salt encrypted. Printed, it is only its name."""

    def __init__(self, primary_key: str, salt: str) -> None:
        self._ciphers = [
            AESGCM(hashlib.pbkdf2_hmac(digest, primary_key.encode(), salt.encode(), _ITERATIONS, _KEY_BYTES))
            for digest in _DIGESTS
        ]

    def open(self, stored: str) -> str:
        """Return the value. Raises WrongKeyError and NotEncryptedError."""
        nonce, sealed, compressed = _message(stored)
        for cipher in self._ciphers:
            try:
                clear = cipher.decrypt(nonce, sealed, None)
                return (zlib.decompress(clear) if compressed else clear).decode()
            except InvalidTag:
                continue
            except (ValueError, zlib.error) as error:
                # A nonce that is none, or what no text was sealed in.
                raise NotEncryptedError from error
        raise WrongKeyError


def _message(stored: str) -> tuple[bytes, bytes, bool]:
    """Return nonce, sealed value with its tag, and whether it was compressed."""
    try:
        message: Any = json.loads(stored)
        headers = message["h"]
        nonce, tag = _decoded(headers["iv"]), _decoded(headers["at"])
        return nonce, _decoded(message["p"]) + tag, bool(headers.get("c"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotEncryptedError from error


def _decoded(text: Any) -> bytes:
    return base64.b64decode(text, validate=True)


# What may be wrong with a row.
WRONG = "were encrypted with other Active Record keys than Vault has now"
PLAIN = "are not as Active Record encrypts them"
FOREIGN = "do not belong to the public key beside them, so that other servers refuse what is signed with them"


@dataclass(frozen=True)
class Row:
    """One that has something encrypted; `public` is the public key beside a private one, empty beside anything else."""

    number: int
    sealed: str = field(repr=False)
    public: str = ""


def faults(opener: Opener, rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    """Yield what is wrong, with the number of the row."""
    for row in rows:
        try:
            clear = opener.open(row.sealed)
        except WrongKeyError:
            yield WRONG, row.number
        except NotEncryptedError:
            yield PLAIN, row.number
        else:
            if row.public and not _belongs(clear, row.public):
                yield FOREIGN, row.number


def _belongs(private: str, public: str) -> bool:
    """Return whether two texts, as PEM, are a pair."""
    try:
        # That of a large instance's every account would take minutes to prove to be a key at all.
        key = load_pem_private_key(private.encode(), None, unsafe_skip_rsa_key_validation=True)
        return key.public_key() == load_pem_public_key(public.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
