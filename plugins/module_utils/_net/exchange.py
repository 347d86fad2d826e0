# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer over a connection that is open, bounded whatever the other side sends.

Standard clients end a read in time, but not an answer that comes a byte at a time, and take 100 headers of 64 KiB each.
"""

from __future__ import annotations

import re
import socket
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

_LATE = "no whole answer came in time"
_HEAD = 64 * 1024
_BLOCK = 64 * 1024
# In characters of a number in base 16, so that 1 MiB can be said and nothing that takes long to read.
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: (.*))?")


class NotHttpError(OSError):
    """What came is no answer in HTTP; `start` is how it begins."""

    def __init__(self, why: str, start: bytes = b"") -> None:
        super().__init__(why)
        self.start = start


@dataclass(frozen=True)
class Reply:
    """An answer. Names of headers are in lower case; `cut` is whether there was more of the body than was read."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool = False

    def header(self, name: str) -> str:
        """Return what all headers of a name say, empty where there is none."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def media_type(self) -> str:
        """What the body is said to be, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"{self.status} {self.reason}".rstrip()


class Incoming:
    """What comes over a connection: until a moment of the monotonic clock, and no more than so many bytes."""

    def __init__(self, link: socket.socket, until: float, most: int) -> None:
        self._link, self._until, self._left = link, until, most
        # Of this kind, as what is taken from its front is not copied.
        self._held = bytearray()

    def more(self) -> bool:
        """Read once; False at the end. Raises OSError."""
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError(_LATE)
        self._link.settimeout(seconds)
        try:
            block = self._link.recv(_BLOCK)
        except TimeoutError as error:
            raise TimeoutError(_LATE) from error
        self._left -= len(block)
        if self._left < 0:
            raise NotHttpError("it has more wrapping than content", bytes(self._held))
        self._held += block
        return bool(block)

    def line(self, most: int = _HEAD) -> bytes:
        """Return what comes before the next line break."""
        while b"\n" not in self._held:
            if len(self._held) > most:
                raise NotHttpError("one of its lines does not end", bytes(self._held))
            if not self.more():
                raise NotHttpError("it ends too early" if self._held else "there is none", bytes(self._held))
        return self._cut(self._held.index(b"\n") + 1).rstrip(b"\r\n")

    def take(self, size: int) -> bytes:
        """Return so many bytes, or all there are when it ends before."""
        while len(self._held) < size and self.more():
            pass
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def exchange(link: socket.socket, head: str, headers: Mapping[str, str], body: bytes, until: float, most: int) -> Reply:
    """Send a request that begins with `head`, such as `GET / HTTP/1.1`, and read its answer. Raises OSError."""
    lines = [head, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with suppress(OSError):
        # The end of a handshake is still on its way, and not waited for; a pair of sockets has no such option.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.settimeout(max(until - time.monotonic(), 0.001))
    # Whoever refuses a large body may answer before it has come, and close.
    with suppress(BrokenPipeError, ConnectionResetError):
        link.sendall("\r\n".join(lines).encode("ascii") + body)
    return _read(Incoming(link, until, 2 * (most + _HEAD)), head.partition(" ")[0], most)


def _read(incoming: Incoming, method: str, most: int) -> Reply:
    while True:
        status, reason = _status(incoming)
        headers = _headers(incoming)
        # An answer to come is announced by these: https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        if not 100 <= status <= 199 or status == 101:
            break
    reply = Reply(status, reason, headers, b"")
    if method == "HEAD" or status in (101, 204, 304):
        return reply
    raw, cut = _body(incoming, reply, most)
    body, more = _unpacked(raw, reply.header("content-encoding"), most)
    return Reply(status, reason, headers, body, cut or more)


def _status(incoming: Incoming) -> tuple[int, str]:
    line = incoming.line()
    found = _STATUS.fullmatch(line)
    if found is None:
        raise NotHttpError("it is not HTTP", line)
    return int(found[1]), (found[2] or b"").decode("latin-1").strip()


def _headers(incoming: Incoming) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    left = _HEAD
    while line := incoming.line():
        left -= len(line) + 2
        if left < 0:
            raise NotHttpError(f"its headers are longer than {_HEAD} bytes")
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name.strip():
            raise NotHttpError("one of its headers is none", line)
        headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def _body(incoming: Incoming, reply: Reply, most: int) -> tuple[bytes, bool]:
    if "chunked" in reply.header("transfer-encoding").lower():
        return _chunks(incoming, most)
    length = reply.header("content-length")
    if not length:
        body = incoming.take(most + 1)
        return body[:most], len(body) > most
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise NotHttpError("its length is not a number", length.encode())
    body = incoming.take(min(int(length), most))
    if len(body) < min(int(length), most):
        raise NotHttpError("it ends too early", body)
    return body, int(length) > most


def _chunks(incoming: Incoming, most: int) -> tuple[bytes, bool]:
    body = bytearray()
    while True:
        line = incoming.line()
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise NotHttpError("its length is not a number", line)
        size = int(found[1], 16)
        if size == 0:
            return bytes(body), False
        part = incoming.take(min(size, most - len(body)))
        body += part
        if len(body) >= most:
            return bytes(body), True
        if len(part) < size:
            raise NotHttpError("it ends too early", bytes(body))
        incoming.line()


def _unpacked(raw: bytes, encoding: str, most: int) -> tuple[bytes, bool]:
    """Return the body as it was before it was packed by gzip, the one thing that is asked for."""
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        return raw, False
    unpack = zlib.decompressobj(31)
    try:
        body = unpack.decompress(raw, most)
    except zlib.error as error:
        raise NotHttpError("it is not packed by gzip as it says", raw) from error
    return body, bool(unpack.unconsumed_tail)
