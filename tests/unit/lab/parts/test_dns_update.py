# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct

import pytest
from mastodon_lab.parts import dns_update
from mastodon_lab.parts.dns_update import Key, Record

KEY = Key("lab", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I=")
RECORD = Record.address("web.lab.test", "10.200.0.7")
ZONE_WIRE = b"\x03lab\x04test\0"
SIGNED = (
    "126728000001000000000001036c616204746573740000060001"
    "036c61620000fa00ff00000000003d0b686d61632d73686132353600"
    "00006553f100012c0020d811cc7c823db74206f04fb42007183aa7da365e8405172e2d836eaee5939091126700000000"
)
NAME_WIRE = b"\x03web" + ZONE_WIRE


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The messages sent; each is answered with code 7."""
    messages: list[bytes] = []

    def exchange(message: bytes, server: str) -> bytes:
        messages.append(message)
        return message[:2] + b"\xa8\x07" + bytes(8)

    monkeypatch.setattr(dns_update, "exchange", exchange)
    return messages


def test_an_unsigned_addition_is_as_the_standard_has_it(sent: list[bytes]) -> None:
    assert dns_update.add("10.0.0.53", "lab.test", None, RECORD) == 7
    (message,) = sent
    assert message[2:] == (
        struct.pack(">5H", 0x2800, 1, 0, 1, 0)
        + (ZONE_WIRE + b"\0\6\0\1")
        + (NAME_WIRE + b"\0\1\0\1" + b"\0\0\0\5" + b"\0\4" + bytes([10, 200, 0, 7]))
    )


def test_a_deletion_is_of_all_records_of_a_name_and_kind(sent: list[bytes]) -> None:
    dns_update.delete("10.0.0.53", "lab.test", KEY, RECORD)
    (message,) = sent
    assert struct.unpack(">4H", message[4:12]) == (1, 0, 1, 1)
    # Of all data, by class ANY.
    assert NAME_WIRE + b"\0\1\0\xff" + bytes(6) in message


def test_texts_have_their_length() -> None:
    assert Record.text("web.lab.test", "hello").data == b"\x05hello"


def test_a_signature_is_what_others_make_of_it() -> None:
    """What dnspython 2.9.2 makes of this message, key and moment."""
    message = struct.pack(">6H", 4711, 0x2800, 1, 0, 0, 0) + ZONE_WIRE + b"\0\6\0\1"
    signed = dns_update.signed(message, KEY, 1_700_000_000)
    assert signed.hex() == SIGNED


@pytest.mark.parametrize("answer", [b"", b"\0\0", bytes(12)])
def test_another_message_s_answer_is_refused(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    monkeypatch.setattr(dns_update, "exchange", lambda *_: answer)
    monkeypatch.setattr(dns_update.secrets, "randbits", lambda _: 4711)
    with pytest.raises(OSError, match="belongs to another one"):
        dns_update.add("10.0.0.53", "lab.test", KEY, RECORD)
