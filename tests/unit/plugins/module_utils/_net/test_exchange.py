# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer: what is read of it, and that nothing that is sent breaks the bounds or ends in more than an OSError."""

from __future__ import annotations

import gzip
import random
import socket
import threading
import time
from contextlib import suppress

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import NotHttpError, Reply, exchange
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils.odd_answers.servers import SEED

MOST = 1 << 20
# All are drawn in a few seconds, as no server is started for them.
DRAWN = 10_000
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;name=value\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def answered(content: bytes, *, method: str = "GET", seconds: float = 5, most: int = MOST) -> Reply:
    """Return what is made of bytes that come back, after which the connection ends."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with suppress(OSError), theirs:
            theirs.sendall(content)

    with ours:
        if len(content) < 100_000:
            send()
        else:
            threading.Thread(target=send, daemon=True).start()
        return exchange(ours, f"{method} / HTTP/1.1", {"Host": "example.org"}, b"", time.monotonic() + seconds, most)


def test_status_headers_and_body_are_read() -> None:
    reply = answered(GOOD)
    assert (str(reply), reply.body, reply.media_type, reply.cut) == ("200 OK", b"{}", "application/json", False)
    assert (reply.header("x-twice"), reply.header("absent")) == ("a, b", "")


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (CHUNKED, b"abcde"),
        (b"HTTP/1.0 200\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + GOOD, b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"packed"), b"packed"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", b""),
    ],
)
def test_bodies_of_all_kinds_are_read(content: bytes, body: bytes) -> None:
    assert answered(content).body == body


def test_the_answer_to_head_has_no_body() -> None:
    assert answered(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "there is none"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "one of its headers is none"),
        (b"HTTP/1.1 200 OK\r\nA: b", "it ends too early"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", "its length is not a number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its length is not a number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "it ends too early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "its length is not a number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "it ends too early"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nplain", "it is not packed by gzip as it says"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, "its headers are longer than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * MOST, "one of its lines does not end"),
        (b"x" * MOST, "one of its lines does not end"),
    ],
)
def test_what_is_no_answer_is_said_in_words(content: bytes, why: str) -> None:
    with pytest.raises(NotHttpError) as caught:
        answered(content)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST + 5),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n" + b"x" * (MOST + 5),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"x" * (MOST + 5),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * (64 << 20)),
    ],
    ids=["to the end", "by length", "chunked", "packed"],
)
def test_no_more_is_read_than_is_allowed(content: bytes) -> None:
    reply = answered(content)
    assert (len(reply.body), reply.cut) == (MOST, True)


def test_chunks_that_are_more_wrapping_than_content_end() -> None:
    chunk = b"1;" + b"x" * 2000 + b"\r\na\r\n"
    with pytest.raises(NotHttpError, match="more wrapping than content"):
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 2000)


def test_three_hundred_headers_are_no_more_than_others_take() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(300))
    assert len(answered(b"HTTP/1.1 200 OK\r\n" + many + b"\r\n").headers) == 300


def test_a_byte_now_and_then_is_waited_for_no_longer_than_the_whole_may_take() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def drip() -> None:
        with suppress(OSError), theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.02):
                theirs.sendall(b"A: b\r\n")

    threading.Thread(target=drip, daemon=True).start()
    started = time.monotonic()
    with ours, pytest.raises(TimeoutError):
        exchange(ours, "GET / HTTP/1.1", {}, b"", started + 0.3, MOST)
    ended.set()
    assert time.monotonic() - started < 3


def test_an_answer_before_all_was_sent_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            link, _unused = listening.accept()
            with link:
                link.recv(10)
                link.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
                link.shutdown(socket.SHUT_WR)
                with suppress(OSError):
                    while link.recv(1 << 16):
                        pass

        threading.Thread(target=refuse, daemon=True).start()
        with socket.create_connection(listening.getsockname()) as link:
            body = b"x" * (4 << 20)
            reply = exchange(
                link, "POST / HTTP/1.1", {"Content-Length": str(len(body))}, body, time.monotonic() + 5, MOST
            )
    assert str(reply) == "413 Too Large"


def changed(draw: random.Random, content: bytes) -> bytes:
    """Return an answer with some bytes changed, doubled or left out."""
    whole = bytearray(content)
    for _unused in range(draw.randrange(1, 6)):
        place = draw.randrange(len(whole))
        match draw.randrange(4):
            case 0:
                whole[place] = draw.randrange(256)
            case 1:
                whole[place:place] = draw.choice(
                    (b"\r\n", b"\0", b"\x1b[2J", b": ", b"9" * 40, b"\xff\xfe", b"</script>")
                )
            case 2:
                del whole[place : place + draw.randrange(1, 9)]
            case _:
                whole += whole[place:]
        whole = whole or bytearray(b"H")
    return bytes(whole)


def test_no_change_of_an_answer_ends_in_more_than_an_oserror() -> None:
    draw = random.Random(SEED)
    read = 0
    for _unused in range(DRAWN):
        with suppress(OSError):
            reply = answered(changed(draw, draw.choice((GOOD, CHUNKED))), seconds=1)
            assert 100 <= reply.status <= 999
            assert len(reply.body) <= MOST
            read += 1
    assert 0 < read < DRAWN
