# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import AF_INET, SOCK_DGRAM, inet_aton, socket
from threading import Thread

import pytest
from mastodon_lab.parts import dns

NAME = "web.default.svc.cluster.local"
POINTER = b"\xc0\x0c"
WRITTEN_OUT = b"\x03web\x07default\x03svc\x07cluster\x05local\0"


def record(name: bytes, kind: int, data: bytes) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 5, len(data)) + data


def answer(query: bytes, *records: bytes, code: int = 0, number: int = 0) -> bytes:
    asked = struct.unpack(">H", query[:2])[0]
    return (
        struct.pack(">6H", (asked + number) & 0xFFFF, 0x8180 | code, 1, len(records), 0, 0)
        + query[12:]
        + b"".join(records)
    )


@contextmanager
def server(monkeypatch: pytest.MonkeyPatch, respond: Callable[[bytes], bytes]) -> Iterator[str]:
    """A DNS server that answers one query."""
    with socket(AF_INET, SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))

        def serve() -> None:
            query, client = link.recvfrom(4096)
            link.sendto(respond(query), client)

        Thread(target=serve, daemon=True).start()
        monkeypatch.setattr(dns, "PORT", link.getsockname()[1])
        yield "127.0.0.1"


ADDRESS = inet_aton("10.200.0.7")
ALIAS = record(POINTER, 5, POINTER)


@pytest.mark.parametrize(
    "records",
    [
        (record(POINTER, 1, ADDRESS),),
        (record(WRITTEN_OUT, 1, ADDRESS),),
        (record(b"\x03web" + POINTER, 1, ADDRESS),),
        (ALIAS, record(POINTER, 1, ADDRESS)),
    ],
    ids=["pointer", "written out", "label and pointer", "behind an alias"],
)
def test_the_first_address_is_found(monkeypatch: pytest.MonkeyPatch, records: tuple[bytes, ...]) -> None:
    with server(monkeypatch, lambda query: answer(query, *records)) as address:
        assert dns.address_of(NAME, address) == "10.200.0.7"


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (lambda query: answer(query, code=3), "there is no web"),
        (answer, "has no IPv4 address"),
        (lambda query: answer(query, ALIAS), "has no IPv4 address"),
        (lambda query: answer(query, record(POINTER, 1, ADDRESS), number=1), "belongs to another question"),
        (lambda query: query[:10], "cut short"),
        (lambda query: answer(query, record(POINTER, 1, ADDRESS))[:-6], "cut short"),
    ],
    ids=["no such name", "no record", "no address", "other number", "no header", "no data"],
)
def test_no_address_is_said(monkeypatch: pytest.MonkeyPatch, respond: Callable[[bytes], bytes], said: str) -> None:
    with server(monkeypatch, respond) as address, pytest.raises(OSError, match=said):
        dns.address_of(NAME, address)


def test_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "SECONDS", 0.01)
    with socket(AF_INET, SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        monkeypatch.setattr(dns, "PORT", link.getsockname()[1])
        with pytest.raises(OSError):  # noqa: PT011 the system's own words
            dns.address_of(NAME, "127.0.0.1")
