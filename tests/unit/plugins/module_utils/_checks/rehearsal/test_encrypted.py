# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that Rails 7.2 itself encrypted with Active Record, in rails.json, are opened with their keys and with no others."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import (
    NotEncryptedError,
    Opener,
    WrongKeyError,
    unreadable,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RAILS: dict[str, Any] = json.loads((Path(__file__).parent / "rails.json").read_text())
DIGESTS = ("sha256", "sha1")


@pytest.fixture(scope="module")
def opener() -> Opener:
    return Opener(RAILS["primary_key"], RAILS["key_derivation_salt"])


@pytest.mark.parametrize("digest", DIGESTS)
def test_a_short_value_is_opened_whichever_digest_its_key_was_derived_by(opener: Opener, digest: str) -> None:
    assert opener.open(RAILS["rows"][digest]["otp_secret"]) == RAILS["otp_secret"]


@pytest.mark.parametrize("digest", DIGESTS)
def test_a_long_value_which_rails_compressed_is_opened(opener: Opener, digest: str) -> None:
    stored = RAILS["rows"][digest]["private_key"]
    assert json.loads(stored)["h"]["c"] is True
    assert hashlib.sha256(opener.open(stored).encode()).hexdigest() == RAILS["sha256_of_private_key"]


@pytest.mark.parametrize(
    ("key", "salt"), [("another", RAILS["key_derivation_salt"]), (RAILS["primary_key"], "another")]
)
def test_another_key_or_salt_opens_nothing(key: str, salt: str) -> None:
    with pytest.raises(WrongKeyError):
        Opener(key, salt).open(RAILS["rows"]["sha256"]["otp_secret"])


def test_a_value_with_one_other_bit_is_not_opened(opener: Opener) -> None:
    message = json.loads(RAILS["rows"]["sha256"]["otp_secret"])
    message["p"] = ("A" if message["p"][0] != "A" else "B") + message["p"][1:]
    with pytest.raises(WrongKeyError):
        opener.open(json.dumps(message))


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "JBSWY3DPEHPK3PXP",
        "-----BEGIN RSA PRIVATE KEY-----",
        "{}",
        "[]",
        "null",
        '{"p": 1, "h": {}}',
        '{"p": "??", "h": {"iv": "", "at": ""}}',
        '{"p": "", "h": {"iv": "", "at": ""}}',
        '{"p": "AAAA", "h": {"iv": "AAAA", "at": "AAAAAAAAAAAAAAAAAAAAAA=="}}',
    ],
)
def test_what_is_not_encrypted_is_told_from_what_another_key_encrypted(opener: Opener, stored: str) -> None:
    with pytest.raises(NotEncryptedError):
        opener.open(stored)


@pytest.mark.parametrize("clear", [b"not compressed", zlib.compress(b"\xff\xfe")])
def test_what_was_sealed_and_is_no_text_is_not_what_rails_writes(opener: Opener, clear: bytes) -> None:
    key = hashlib.pbkdf2_hmac("sha256", RAILS["primary_key"].encode(), RAILS["key_derivation_salt"].encode(), 2**16, 32)
    sealed = AESGCM(key).encrypt(b"n" * 12, clear, None)
    headers = {"iv": base64.b64encode(b"n" * 12).decode(), "at": base64.b64encode(sealed[-16:]).decode(), "c": True}
    with pytest.raises(NotEncryptedError):
        opener.open(json.dumps({"p": base64.b64encode(sealed[:-16]).decode(), "h": headers}))


def test_every_row_is_tried_and_those_that_cannot_be_opened_are_named(opener: Opener) -> None:
    good = RAILS["rows"]["sha256"]["otp_secret"]
    rows = [(1, good), (2, "plain"), (3, good), (4, good)]
    assert unreadable(opener, rows) == ([], [2])
    assert unreadable(Opener("another", "salt"), rows) == ([1, 3, 4], [2])


def test_an_opener_shows_no_key(opener: Opener) -> None:
    assert RAILS["primary_key"] not in repr(opener)
