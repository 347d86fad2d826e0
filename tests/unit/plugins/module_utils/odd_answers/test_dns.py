# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a name server sends: one sentence, in time, and never an address that is none."""

from __future__ import annotations

import ipaddress
import random
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

from .servers import ANSWERS, SEED, drip, one_sentence

Change = Callable[[bytes], bytes]
_SECONDS = 0.2
QUESTIONS: tuple[Callable[[Resolver], object], ...] = (
    lambda asked: asked.addresses("one.test"),
    lambda asked: asked.zone_of("one.test"),
    lambda asked: asked.name_servers("test"),
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_SECONDS", _SECONDS)


@contextmanager
def name_server(change: Change) -> Iterator[int]:
    class Talk(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, link = self.request
            link.sendto(change(packet), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def good(packet: bytes) -> bytes:
    query = dns.message.from_wire(packet)
    name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA | dns.flags.RA
    reported = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "NS": "ns.test.", "SOA": "ns.test. admin.test. 1 1 1 1 1"}
    response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, reported[kind]))
    return response.to_wire()


def rcode(number: int) -> Change:
    def change(packet: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(packet))
        response.set_rcode(dns.rcode.Rcode(number))
        return response.to_wire()

    return change


WRONG: dict[str, Change] = {
    "nothing": lambda packet: b"",
    "html": lambda packet: b"<!doctype html><html></html>",
    "zeros": lambda packet: b"\0" * 200,
    "huge": lambda packet: packet[:2] + b"\xff" * 60_000,
    "the question": lambda packet: packet,
    "half a head": lambda packet: packet[:7],
    "another number": lambda packet: bytes([packet[0] ^ 1]) + good(packet)[1:],
    "another question": lambda packet: good(packet).replace(b"\x04test", b"\x04best"),
    "points to itself": lambda packet: packet[:2] + b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00" + b"\xc0\x0c" * 40,
    **{f"code {number}": rcode(number) for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)},
    **{f"cut at {size}": lambda packet, size=size: good(packet)[:size] for size in range(0, 38, 3)},
}


def refused(name: str) -> list[MastodonError]:
    with name_server(WRONG[name]) as port:
        assert Resolver("127.0.0.1", servers_port=port).knows("127.0.0.1", "test") in (None, False)
        return [one_sentence(lambda ask=ask: ask(Resolver("127.0.0.1", port)), 3) for ask in QUESTIONS]


def test_what_is_no_answer_ends_in_a_sentence() -> None:
    # Side by side, as a name server that makes no sense is waited for.
    with ThreadPoolExecutor(16) as askers:
        for errors in askers.map(refused, WRONG):
            assert all("Name server 127.0.0.1" in str(error) for error in errors)


def drawn(packet: bytes) -> bytes:
    """Return a good answer with some bytes changed, as the name asked for has it, but with its own number."""
    question = dns.message.from_wire(packet).question[0]
    draw = random.Random(f"{SEED} {question.name} {question.rdtype}")
    whole = bytearray(good(packet))
    for _unused in range(draw.randrange(1, 8)):
        whole[draw.randrange(2, len(whole))] = draw.randrange(256)
    return bytes(whole[: draw.choice((len(whole), len(whole), draw.randrange(12, len(whole))))])


def test_no_change_of_an_answer_ends_in_more_than_a_sentence() -> None:
    def ask(number: int) -> None:
        asked = Resolver("127.0.0.1", port, servers_port=port)
        # What is changed may be of no importance.
        with suppress(MastodonError):
            assert all(ipaddress.ip_address(found) for found in asked.addresses(f"a{number}.test"))
        with suppress(MastodonError):
            assert isinstance(asked.zone_of(f"b{number}.test"), str)
        assert asked.knows("127.0.0.1", f"c{number}.test") in (True, False, None)

    with name_server(drawn) as port, ThreadPoolExecutor(32) as askers:
        assert len(list(askers.map(ask, range(ANSWERS)))) == ANSWERS


def test_a_byte_now_and_then_is_not_waited_for_without_end() -> None:
    def cut(packet: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(packet))
        response.flags |= dns.flags.TC
        return response.to_wire()

    with name_server(cut) as port, socket.create_server(("127.0.0.1", port)) as listening:

        def accept() -> None:
            with suppress(OSError):
                link, _unused = listening.accept()
                drip(link, b"\xff\xff\0", seconds=3)

        threading.Thread(target=accept, daemon=True).start()
        one_sentence(lambda: Resolver("127.0.0.1", port).addresses("one.test"), 2)


@pytest.mark.parametrize("address", ["ns1.example.org", "localhost", "192.0.2", "192.0.2.1:53", "https://192.0.2.1"])
def test_a_name_server_that_is_given_by_name_is_named(address: str) -> None:
    reported = one_sentence(lambda: Resolver(address), 1)
    assert (
        str(reported)
        == f"Name server {address}:53: cannot be asked: it is a name, and not an address. Give its address."
    )


def test_a_machine_without_name_servers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_unused: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", refuse)
    assert "Name server of this machine: is not known" in str(one_sentence(Resolver, 1))
