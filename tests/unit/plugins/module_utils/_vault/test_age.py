# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sealed for somebody is opened by their key alone, and neither is ever repeated."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import age, export
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pyrage import x25519

KEY = x25519.Identity.generate()
SSH = Ed25519PrivateKey.generate()
LINE = SSH.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def pem() -> str:
    return SSH.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("recipient", "identity"),
    [
        (str(KEY.to_public()), str(KEY)),
        (f" {KEY.to_public()}\n", f"# public key: {KEY.to_public()}\n\n{KEY}\n"),
        (f"{LINE} me@example.org", pem()),
    ],
)
def test_a_recipient_opens_what_was_sealed(recipient: str, identity: str) -> None:
    age.refuse_strangers([recipient])
    sealed = age.seal(b"secret", [recipient])
    assert b"secret" not in sealed
    assert age.unseal(sealed, identity, "backup.age", "key") == b"secret"


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [
        ([], "Option recipients: is empty: nobody could open the file. Give the public key"),
        (["age1nonsense"], "Option recipients, entry 1: is no public key that age knows. Give the public key"),
        ([LINE, "ssh-ed25519 AAAA"], "Option recipients, entry 2: is no public key that age knows."),
        ([str(KEY)], "Option recipients, entry 1: is a private key: whoever reads your inventory could open the file."),
        ([pem()], "Option recipients, entry 1: is a private key"),
    ],
)
def test_who_cannot_be_a_recipient_is_named_by_number(recipients: list[str], sentence: str) -> None:
    with pytest.raises(MastodonError) as caught:
        age.refuse_strangers(recipients)
    assert str(caught.value).startswith(sentence)
    assert "AGE-SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        (str(x25519.Identity.generate()), "File backup.age: cannot be opened: not with the key in key. Use the key"),
        ("# nothing\n", "File key: is no key that age can use: it has neither"),
        (str(KEY.to_public()), "File key: is no key that age can use"),
    ],
)
def test_what_does_not_open_it_is_named_by_its_file(identity: str, sentence: str) -> None:
    with pytest.raises(MastodonError) as caught:
        age.unseal(age.seal(b"secret", [str(KEY.to_public()), LINE]), identity, "backup.age", "key")
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("cut", [30, 200, -1])
def test_a_file_that_is_not_whole_is_not_opened(cut: int) -> None:
    with pytest.raises(MastodonError, match=r"File backup\.age: cannot be opened"):
        age.unseal(age.seal(b"secret", [str(KEY.to_public())])[:cut], str(KEY), "backup.age", "key")


def test_a_file_of_something_else_is_no_backup() -> None:
    with pytest.raises(MastodonError, match=r"File notes: is not encrypted by age\."):
        age.unseal(b"dear diary", str(KEY), "notes", "key")


@pytest.mark.parametrize(
    "text", [b"dear diary", b"[]", b"{}", b'{"format": "another", "made": "", "mount": "", "secrets": {}}']
)
def test_a_text_of_something_else_has_no_secrets_of_vault(text: bytes) -> None:
    with pytest.raises(MastodonError, match="File notes: has no secrets of Vault"):
        export.parse(text, "notes")
