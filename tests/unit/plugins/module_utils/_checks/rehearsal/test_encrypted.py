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
    FOREIGN,
    PLAIN,
    WRONG,
    NotEncryptedError,
    Opener,
    Row,
    WrongKeyError,
    faults,
)
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

RAILS: dict[str, Any] = json.loads((Path(__file__).parent / "rails.json").read_text())
KEYS = (RAILS["primary_key"], RAILS["key_derivation_salt"])
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
    rows = [Row(1, good), Row(2, "plain"), Row(3, good), Row(4, good)]
    assert list(faults(opener, rows)) == [(PLAIN, 2)]
    assert list(faults(Opener("another", "salt"), rows)) == [(WRONG, 1), (PLAIN, 2), (WRONG, 3), (WRONG, 4)]


def public_of(opener: Opener, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """The public key of the private one that Rails encrypted."""
    private = load_pem_private_key(opener.open(RAILS["rows"]["sha256"]["private_key"]).encode(), None)
    return private.public_key().public_bytes(Encoding.PEM, form).decode()


@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_a_private_key_belongs_to_its_public_one_in_either_form(opener: Opener, form: PublicFormat) -> None:
    assert list(faults(opener, [Row(1, RAILS["rows"]["sha256"]["private_key"], public_of(opener, form))])) == []


def test_of_newer_keys_too() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    opener = Clear()
    assert list(faults(opener, [Row(1, private, public), Row(2, private, public_of(Opener(*KEYS)))])) == [(FOREIGN, 2)]


class Clear(Opener):
    """Opens what is not sealed."""

    def __init__(self) -> None:
        super().__init__(*KEYS)

    def open(self, stored: str) -> str:
        return stored


@pytest.mark.parametrize("sealed", ["private_key", "otp_secret"])
@pytest.mark.parametrize("public", ["another", "no key at all"])
def test_a_private_key_of_another_public_one_or_none_is_named(opener: Opener, sealed: str, public: str) -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    other_text = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    row = Row(7, RAILS["rows"]["sha256"][sealed], other_text if public == "another" else public)
    assert list(faults(opener, [row])) == [(FOREIGN, 7)]


def test_an_opener_shows_no_key(opener: Opener) -> None:
    assert RAILS["primary_key"] not in repr(opener)
