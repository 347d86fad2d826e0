# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace

import pytest
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys, WrongKeyError

from .conftest import vapid_pair

ENCRYPTION = "ACTIVE_RECORD_ENCRYPTION_"


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY_BASE",
        f"{ENCRYPTION}PRIMARY_KEY",
        f"{ENCRYPTION}DETERMINISTIC_KEY",
        f"{ENCRYPTION}KEY_DERIVATION_SALT",
        "VAPID_PRIVATE_KEY",
        "VAPID_PUBLIC_KEY",
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_each_key_is_needed(environment: dict[str, str], name: str, value: str | None) -> None:
    environment.pop(name) if value is None else environment.update({name: value})
    with pytest.raises(RefusalError, match=f"^{name}: it ") as refusal:
        Keys.from_environment(environment)
    assert not value or value not in str(refusal.value)


@pytest.mark.parametrize("name", ["VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY"])
@pytest.mark.parametrize("value", ["nonsense!", "trailing newline\n"])
def test_keys_for_web_push_are_needed_in_their_format(environment: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(RefusalError, match=f"^{name}: it ") as refusal:
        Keys.from_environment({**environment, name: value})
    assert value not in str(refusal.value)


@pytest.mark.parametrize("value", ["aB3dE6gH9j", "0A" * 64, "grüße & co", "x"])
def test_other_keys_are_taken_as_they_are_and_encrypt(environment: dict[str, str], value: str) -> None:
    names = [
        "SECRET_KEY_BASE",
        *(ENCRYPTION + half for half in ("PRIMARY_KEY", "DETERMINISTIC_KEY", "KEY_DERIVATION_SALT")),
    ]
    keys = Keys.from_environment({**environment, **dict.fromkeys(names, value)})
    assert keys.column.decrypt(keys.column.encrypt("text")) == "text"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({f"{ENCRYPTION}PRIMARY_KEY": "long_key_DO_NOT_USE_IN_PRODUCTION"}, "example from development"),
        ({"VAPID_PRIVATE_KEY": "AAAA"}, "not a key on the curve"),
        ({"VAPID_PRIVATE_KEY": "A"}, "URL-safe base64"),
        ({"VAPID_PUBLIC_KEY": vapid_pair(5)["VAPID_PUBLIC_KEY"]}, "does not belong to VAPID_PRIVATE_KEY"),
    ],
)
def test_malformed_keys_are_refused(environment: dict[str, str], changed: dict[str, str], message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        Keys.from_environment({**environment, **changed})


def test_vapid_keys_are_taken_without_padding_and_with_a_leading_zero_byte(environment: dict[str, str]) -> None:
    pair = {name: value.rstrip("=") for name, value in vapid_pair(3).items()}
    assert Keys.from_environment({**environment, **pair}).vapid_public_key == pair["VAPID_PUBLIC_KEY"]


def test_what_was_encrypted_is_decrypted(keys: Keys) -> None:
    for cipher in (keys.column, keys.lookup):
        stored = cipher.encrypt("grüße")
        assert cipher.decrypt(stored) == "grüße"
        assert set(json.loads(stored)) == {"p", "h"}


def test_only_what_is_looked_up_is_encrypted_alike(keys: Keys) -> None:
    assert keys.column.encrypt("text") != keys.column.encrypt("text")
    assert keys.lookup.encrypt("text") == keys.lookup.encrypt("text")
    assert keys.lookup.encrypt("text") != keys.lookup.encrypt("another")


@pytest.mark.parametrize(
    ("changed", "cipher", "is_seen"),
    [
        ("primary_key", "column", True),
        ("primary_key", "lookup", False),
        ("deterministic_key", "column", False),
        ("deterministic_key", "lookup", True),
        ("key_derivation_salt", "column", True),
        ("key_derivation_salt", "lookup", True),
    ],
)
def test_another_key_is_seen_by_what_it_encrypted(keys: Keys, changed: str, cipher: str, is_seen: bool) -> None:
    stored = getattr(keys, cipher).encrypt("text")
    other = getattr(replace(keys, **{changed: "X" * 32}), cipher)
    if is_seen:
        with pytest.raises(WrongKeyError):
            other.decrypt(stored)
    else:
        assert other.decrypt(stored) == "text"


def test_another_secret_key_base_signs_everyone_out(keys: Keys) -> None:
    assert keys.digest("token") == keys.digest("token")
    assert keys.digest("token") != replace(keys, secret_key_base="0b" * 64).digest("token")


def test_keys_show_no_secret(environment: dict[str, str], keys: Keys) -> None:
    shown = repr(keys)
    assert all(environment[name] not in shown for name in environment if "KEY" in name and "PUBLIC" not in name)
