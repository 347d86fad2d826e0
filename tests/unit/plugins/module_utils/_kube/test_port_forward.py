# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of a pod over a web socket whose other end is in the test's hands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
import websocket
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.port_forward import port_of

PORT = (8080).to_bytes(2, "little")
DATA, ERROR = b"\x00", b"\x01"


@dataclass(frozen=True)
class Forwarded:
    """`port` is what the collection uses, `server` the API server's end of the web socket."""

    port: socket.socket
    server: websocket.WebSocket


def end_of(link: socket.socket) -> websocket.WebSocket:
    made = websocket.WebSocket(enable_multithread=True)
    link.settimeout(10)
    made.sock, made.connected = link, True
    return made


@pytest.fixture
def forwarded() -> Iterator[Forwarded]:
    theirs, ours = (end_of(link) for link in socket.socketpair())
    for channel in (DATA, ERROR):
        theirs.send_binary(channel + PORT)
    port = port_of(ours)
    port.settimeout(10)
    yield Forwarded(port, theirs)
    port.close()
    theirs.sock.close()


def test_what_one_side_writes_the_other_reads(forwarded: Forwarded) -> None:
    forwarded.port.sendall(b"EHLO\r\n")
    assert forwarded.server.recv() == DATA + b"EHLO\r\n"
    forwarded.server.send_binary(DATA + b"250 ok\r\n")
    assert forwarded.port.recv(100) == b"250 ok\r\n"


def test_much_goes_through_both_ways_at_once(forwarded: Forwarded) -> None:
    much = bytes(range(256)) * 4096
    received = bytearray()

    def answer() -> None:
        for start in range(0, len(much), 30000):
            forwarded.server.send_binary(DATA + much[start : start + 30000])
        while len(received) < len(much):
            received.extend(forwarded.server.recv()[1:])

    def ask() -> None:
        forwarded.port.sendall(much)

    threads = [Thread(target=answer), Thread(target=ask)]
    for thread in threads:
        thread.start()
    read = bytearray()
    while len(read) < len(much):
        read += forwarded.port.recv(65536)
    for thread in threads:
        thread.join(10)
    assert read == received == much


def test_a_ping_is_answered_and_disturbs_nothing(forwarded: Forwarded) -> None:
    forwarded.server.ping(b"there?")
    forwarded.port.sendall(b"x")
    said = [forwarded.server.recv_data(control_frame=True) for _unused in range(2)]
    assert sorted(said) == [(websocket.ABNF.OPCODE_BINARY, b"\x00x"), (websocket.ABNF.OPCODE_PONG, b"there?")]
    forwarded.server.send_binary(DATA + b"y")
    assert forwarded.port.recv(10) == b"y"


def test_an_error_of_the_forwarding_ends_the_socket(forwarded: Forwarded) -> None:
    forwarded.server.send_binary(DATA + b"last words")
    forwarded.server.send_binary(ERROR + b"connection refused")
    assert forwarded.port.recv(100) == b"last words"
    assert forwarded.port.recv(100) == b""


def test_the_end_of_either_side_is_the_others(forwarded: Forwarded) -> None:
    forwarded.port.close()
    operation, _unused = forwarded.server.recv_data(control_frame=True)
    assert operation == websocket.ABNF.OPCODE_CLOSE


def test_a_lost_connection_ends_the_socket(forwarded: Forwarded) -> None:
    forwarded.server.sock.shutdown(socket.SHUT_RDWR)
    assert forwarded.port.recv(100) == b""
