# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of the loopback that answer as no server should, and what clients may make of it: one sentence, in time."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# All that is drawn is drawn from it, so that a failure comes again.
SEED = 20261128
# How many answers each client is given; `lab/test --long` draws more.
ANSWERS = int(os.environ.get("TEST_ANSWERS", "310"))
_DRIP_SECONDS = 0.02
# How many times longer all may take on a machine that has other things to do than the limits say. What never ends lasts longer.
PATIENCE = 6
_ENDLESS = 120.0

Talk = Callable[[socket.socket], None]


@contextmanager
def server(talk: Talk) -> Iterator[int]:
    """Serve on a port of the loopback: `talk` is what happens on each connection, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()
        thread = threading.Thread(target=_accept, args=(listening, talk, ended), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _accept(listening: socket.socket, talk: Talk, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            link, _unused = listening.accept()
        except OSError:
            return
        threading.Thread(target=_talk, args=(link, talk), daemon=True).start()


def _talk(link: socket.socket, talk: Talk) -> None:
    with link, suppress(OSError):
        link.settimeout(_ENDLESS)
        talk(link)


def drip(link: socket.socket, content: bytes, seconds: float = _ENDLESS) -> None:
    """Send a byte now and then, the last of them again and again, for longer than any limit of these tests."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for number in range(len(content)):
            link.sendall(content[number : number + 1])
            time.sleep(_DRIP_SECONDS)
        content = content[-1:]


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP, as it goes over the line."""

    name: str
    content: bytes

    def __str__(self) -> str:
        """Return how pytest calls it."""
        return self.name


def http(status: int | str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """Return an answer over HTTP, the last of its connection: whoever asks again must not find that out by itself."""
    held = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {held}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def talk_http(answer: Callable[[bytes], bytes]) -> Talk:
    """Answer each request of a connection with what `answer` makes of its head, and end the connection."""

    def talk(link: socket.socket) -> None:
        with link.makefile("rb") as lines:
            head = _head(lines)
            length = next(
                (int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")), 0
            )
            lines.read(length)
        link.sendall(answer(head))
        link.shutdown(socket.SHUT_WR)

    return talk


def _head(lines: Any) -> bytes:
    head = b""
    while (line := lines.readline()) not in (b"\r\n", b""):
        head += line
    return head


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "number": b"7",
    "true": b"true",
    "html": b"<!doctype html><html><title>Log in</title></html>",
    "xml": b"<?xml version='1.0'?><Error><Code>a b</Code></Error>",
    "cut": b'{"data": {"data": {"a": "b"}, "metadata": {"vers',
    "no text": bytes(range(128, 256)),
    "zeros": b"\0" * 500,
    "deep": b"[" * 100_000,
    "huge": b'["' + b"x" * 1_000_000 + b'"]',
    "nan": b"NaN",
    "digits": b"1" * 5_000,
}
STATUSES = (
    200,
    201,
    202,
    206,
    299,
    300,
    304,
    400,
    401,
    403,
    404,
    405,
    409,
    418,
    451,
    500,
    501,
    502,
    503,
    520,
    530,
    599,
    999,
)
HEADERS = (
    "Content-Type: text/html",
    "Content-Type: application/json",
    "Content-Type: application/json; charset=no-such-charset",
    "Content-Type: ;;;",
    "Content-Encoding: gzip",
    "Content-Encoding: br, nonsense",
    "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
    "Retry-After: 999999999999",
    "Date: yesterday",
    'Warning: 299 - "\\',
    "Set-Cookie: \x00=\x01",
    "Transfer-Encoding: chunked",
    "X-Vault-Index: " + "x" * 60_000,
    "Location: gopher://nowhere",
    "\xe4\xf6: \xfc",
    "no colon",
)
RAW: dict[str, bytes] = {
    "hangs up": b"",
    "half a status": b"HTTP/1.",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status of letters": b"HTTP/1.1 two OK\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "mail": b"220 mail ESMTP\r\n",
    "zeros": b"\0" * 1000,
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n{}",
    "a length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "a length below zero": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "less than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}",
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "a bad packing": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "moved to itself": b"HTTP/1.1 307 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "moved to nowhere": b"HTTP/1.1 301 Moved\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    "only informs": b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    "switches": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}


def answers(kind: str) -> list[Answer]:
    """Return answers over HTTP that no server of this kind gives: all bodies, all raw ones, and a draw of all together."""
    draw = random.Random(f"{SEED} {kind}")
    found = [Answer(f"200 {name}", http(200, body)) for name, body in BODIES.items()]
    found += [Answer(name, content) for name, content in RAW.items()]
    found += [Answer(f"{status} html", http(status, BODIES["html"], HEADERS[0])) for status in STATUSES]
    while len(found) < ANSWERS:
        status, body = draw.choice(STATUSES), draw.choice(sorted(BODIES))
        headers = draw.sample(HEADERS, draw.randrange(1, 4))
        whole = http(status, BODIES[body], *headers)
        cut = draw.choice((len(whole), len(whole), draw.randrange(1, 200)))
        found.append(Answer(f"{len(found)}: {status} {body} {headers} {cut}", whole[:cut]))
    return found


def one_sentence(ask: Callable[[], object], seconds: float) -> MastodonError:
    """Ask, and return the error that it must end in. A traceback, a hang and a pass all fail."""
    began = time.monotonic()
    with pytest.raises(MastodonError) as reported:
        ask()
    assert time.monotonic() - began < PATIENCE * seconds, str(reported.value)
    sentence = str(reported.value)
    assert "\n" not in sentence
    assert len(sentence) < 1000, sentence
    assert sentence.isprintable(), repr(sentence)
    assert "Traceback" not in sentence
    assert "<html" not in sentence, sentence
    return reported.value


def replaced(value: Any, odd: list[Any]) -> list[Any]:
    """Return a JSON value with each of its parts replaced by each odd one, and without it."""
    found = list(odd)
    if isinstance(value, dict):
        for key in value:
            found += [{**value, key: other} for other in replaced(value[key], odd)]
            found.append({name: part for name, part in value.items() if name != key})
    if isinstance(value, list):
        found += [[other, *value[1:]] for other in replaced(value[0], odd)]
    return found
