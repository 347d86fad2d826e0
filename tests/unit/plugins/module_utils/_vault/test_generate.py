# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import generate
from cryptography.hazmat.primitives.asymmetric import ec

HEX: dict[str, Any] = {"format": "hex", "bytes": 64}
ALPHANUMERIC: dict[str, Any] = {"format": "alphanumeric", "length": 32}
PASSWORD: dict[str, Any] = {"format": "password", "length": 32}


@pytest.mark.parametrize(
    ("spec", "pattern"),
    [
        (HEX, r"[0-9a-f]{128}"),
        ({"format": "hex"}, r"[0-9a-f]{128}"),
        ({"format": "hex", "bytes": 32}, r"[0-9a-f]{64}"),
        (ALPHANUMERIC, r"[A-Za-z0-9]{32}"),
        ({"format": "alphanumeric"}, r"[A-Za-z0-9]{32}"),
        (PASSWORD, r"[A-Za-z0-9]{32}"),
        ({"format": "password", "length": 8}, r"[A-Za-z0-9]{8}"),
    ],
)
def test_each_format_is_upstreams(spec: dict[str, Any], pattern: str) -> None:
    made = {generate.generate(spec) for _unused in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(pattern, value) for value in made)
    assert all(generate.flaw(value) == "" for value in made)


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ("", "it is empty"),
        (" ", "white space"),
        ("a" * 128 + "\n", "white space"),
        ("\ta", "white space"),
        ("primary_key_DO_NOT_USE_IN_PRODUCTION", "example for development"),
    ],
)
def test_what_cannot_be_the_right_value_is_noticed(value: str, flaw: str) -> None:
    assert flaw in generate.flaw(value)


@pytest.mark.parametrize("value", ["aB3dE6gH9j", "A" * 128, "a" * 127, "with-dashes/and=signs", "päss word"])
def test_existing_keys_may_have_any_other_shape(value: str) -> None:
    assert generate.flaw(value) == ""


def test_the_vapid_pair_is_in_the_format_of_upstreams_generator() -> None:
    for _unused in range(50):
        private, public = generate.vapid_pair()
        assert (len(private), len(public)) == (44, 88)
        assert private.endswith("=")
        number = int.from_bytes(base64.urlsafe_b64decode(private), "big")
        point = base64.urlsafe_b64decode(public)
        numbers = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
        assert point == b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        assert generate.vapid_flaw(private, public) == ""


def test_a_pair_without_padding_or_with_a_short_number_as_upstream_writes_it_is_fine() -> None:
    number = 5
    private = base64.urlsafe_b64encode(number.to_bytes(1, "big")).decode()
    point = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
    public = base64.urlsafe_b64encode(b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")).decode()
    assert generate.vapid_flaw(private.rstrip("="), public.rstrip("=")) == ""


@pytest.mark.parametrize("private", ["", "!", "AA==", "not base64 at all"])
def test_a_private_key_that_is_none_is_noticed(private: str) -> None:
    assert generate.vapid_flaw(private, generate.vapid_pair()[1])


def test_halves_of_two_pairs_are_noticed() -> None:
    assert "does not belong" in generate.vapid_flaw(generate.vapid_pair()[0], generate.vapid_pair()[1])
