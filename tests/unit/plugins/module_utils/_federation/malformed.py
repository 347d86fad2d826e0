# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as no server should send them, drawn from a seed: of HTTP and what is in it, of TLS and certificates, of DNS, of WebSockets."""

from __future__ import annotations

import gzip
import json
import random
import socket
import ssl
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from .mastodon import Response
from .test_hostile import EVIL, twisted

Draw = random.Random
# Of an elliptic curve: https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1
_KEY = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
_BREAK = b"\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\n"
_BOMB = gzip.compress(b"[" * (8 << 20), 9)
_ODD_HEADERS = (
    b":",
    b"X",
    b"\0: \0",
    b"X: " + b"\xff" * 300,
    b" folded",
    b"X\x1b[2J: \x1b[2J",
    b"Content-Length",
    b"\r",
    b"::::",
)
_LENGTHS = (b"-1", b"1e9", b"9" * 5000, b"0x10", b"1, 2", b"+5", b"\xb2", b" ", b"99999999999")
_SIZES = (b"-1", b"zz", b"7fffffffffffffff", b"", b"1" * 4000, b"5 5", b"\0", b"FFFFFFFF")
_PLACES = (
    "https://[",
    "https://[::1",
    "https://example.org:99999999/",
    "https://example.org:x/",
    "//",
    "javascript:alert(1)",
    "\0",
    "https://",
)
_PLACES += (
    "https://" + "a" * 300,
    "https://\u00e4.example.org/",
    "?",
    "#",
    "/" * 30000,
    "https:///x",
    "http://social.example.org:80:80/",
    "%00%1b",
)
_STATUSES = ("000", "99", "600", "999", "20", "2000", "-200", "2 0 0", "\u0662\u0660\u0660", "", "9" * 3000, "NaN")
_PACKINGS = (b"gzip", b"br", b"zstd", b"deflate", b"gzip, gzip", b"\x1b[2J", b"x" * 3000)
_TEXTS = (
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'"\\ud800"',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b"[" * 50_000,
    b"{" * 50_000,
    b"9" * 5000,
    b"",
)
_TEXTS += (
    b'{"a":1,"a":{}}',
    b"nul",
    b"true",
    b"null",
    b'""',
    b"[]",
    b"0",
    b"{}",
    b"\0",
    b'{"links": null}',
    b"<!doctype html>",
    b"\x1b]0;x\x07",
)
_LAUGHS = (
    b"<!DOCTYPE a [<!ENTITY b 'b'>"
    + b"".join(b"<!ENTITY b%d '&b;&b;&b;&b;&b;'>" % n for n in range(50))
    + b"]><a>&b9;</a>"
)
_XML = (
    _LAUGHS,
    b"<XRD",
    b"<XRD xmlns='\0'/>",
    b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    b"<a>" * 20_000,
    b"\xff\xfe<\0a\0",
)


def status_line(draw: Draw, _right: Response) -> bytes:
    """Begin with what is no status."""
    noise = bytes(draw.randrange(256) for _each in range(draw.randrange(1, 200)))
    lines = (
        f"HTTP/1.1 {draw.choice(_STATUSES)} {EVIL}".replace("\r\n", "").encode(),
        b"HTTP/2 200",
        b"HTTP/0.9 200",
        b"ICY 200 OK",
        noise,
    )
    lines += (
        b"HTTP/1.1\x00200",
        b"\r\n" * 50 + b"x",
        b"HTTP/1.1 200" * 9000,
        b"http/1.1 200 OK",
        b"\x16\x03\x01\x02",
        b"",
    )
    # Announced for ever, and never there.
    lines += (b"HTTP/1.1 100 Continue\r\n\r\n" * draw.randrange(1, 3000) + b"x",)
    return draw.choice(lines) + _BREAK * 2


def headers(draw: Draw, right: Response) -> bytes:
    """Have headers that are none, or too many, or too long."""
    bad = [draw.choice(_ODD_HEADERS) for _each in range(draw.randrange(1, 4))]
    many = [b"X-%d: \x1b[2J" % number for number in range(300)] + [b"no header"]
    long = [b"X: " + b"a" * draw.choice((70_000, 1 << 20))]
    return _HEAD + _BREAK.join(draw.choice((bad, many, long))) + _BREAK + b"broken" + _BREAK * 2 + right.body


def framing(draw: Draw, right: Response) -> bytes:
    """Say wrongly how long the body is, or how it is packed."""
    chunk = b"Transfer-Encoding: chunked\r\n\r\n" + draw.choice(_SIZES) + _BREAK + right.body
    length = b"Content-Length: " + draw.choice(_LENGTHS) + _BREAK * 2 + right.body
    packed = zlib.compress(right.body) if draw.random() < 0.5 else gzip.compress(right.body)[: draw.randrange(3, 9)]
    packing = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + b"\0" + packed[1:]
    return _HEAD + draw.choice((chunk, length, packing))


def body(draw: Draw, right: Response) -> bytes:
    """Send another content as what was asked for."""
    content = draw.choice(_TEXTS + _XML)
    lines = [f"{name}: {value}".encode() for name, value in right.headers.items()]
    if draw.random() < 0.2:
        lines, content = [b"Content-Encoding: " + draw.choice(_PACKINGS)], _BOMB
    return _HEAD + _BREAK.join([*lines, b"Content-Length: %d" % len(content)]) + _BREAK * 2 + content


def redirect(draw: Draw, _right: Response) -> bytes:
    """Lead to what is no address."""
    place = draw.choice(_PLACES).encode()
    return (
        f"HTTP/1.1 {draw.choice((301, 302, 303, 307, 308))} x\r\n".encode()
        + b"Location: "
        + place
        + b"\r\nContent-Length: 0\r\n\r\n"
    )


def shape(draw: Draw, right: Response) -> bytes:
    """Change what a document holds, or leave it."""
    content = right.body
    with suppress(ValueError):
        content = json.dumps(twisted(draw, json.loads(content))).encode()
    return Response(right.status, content, right.headers).wire()


def bytes_of(draw: Draw, right: Response) -> bytes:
    """Change some bytes of the right answer."""
    return mutated(draw, right.wire())


def websocket(draw: Draw, _right: Response) -> bytes:
    """Answer as one that speaks another protocol, or none."""
    frame = bytes((draw.choice((0x81, 0x88, 0xFF, 0x00)), draw.choice((0, 126, 127, 255)))) + draw.randbytes(
        draw.randrange(20)
    )
    accept = draw.choice((b"", b"Sec-WebSocket-Accept: \x1b[2J\r\n", b"Upgrade: h2c\r\n", b"no header\r\n"))
    return draw.choice((frame, b"HTTP/1.1 101 x\r\n" + accept + _BREAK + frame * 50, b"HTTP/1.1 426\0 x\r\n\r\n"))


Kind = Callable[[Draw, Response], bytes]
# What nobody can take for an answer, and what may be one.
BROKEN: Sequence[Kind] = (status_line, headers, framing)
ODD: Sequence[Kind] = (body, redirect, shape, bytes_of, websocket)


def mutated(draw: Draw, content: bytes) -> bytes:
    """Flip, insert, remove, repeat and cut."""
    changed = bytearray(content)
    for _each in range(draw.randrange(1, 8)):
        place = draw.randrange(len(changed)) if changed else 0
        how = draw.randrange(4)
        if how == 0 and changed:
            changed[place] = draw.randrange(256)
        elif how == 1:
            changed[place:place] = draw.randbytes(draw.randrange(1, 9))
        elif how == 2:
            del changed[place : place + draw.randrange(1, 9)]
        else:
            changed[place:place] = changed[place : place + draw.randrange(1, 99)]
    return bytes(changed[: draw.randrange(len(changed) + 1)] if draw.random() < 0.2 else changed)


def handshake(draw: Draw, link: socket.socket, context: ssl.SSLContext) -> None:
    """Begin TLS as the context does, with some bytes of it changed: of TLS 1.2 the certificates are among these."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    inside = context.wrap_bio(incoming, outgoing, server_side=True)
    for _each in range(4):
        incoming.write(link.recv(65536))
        with suppress(ssl.SSLError):
            inside.do_handshake()
        if said := outgoing.read():
            link.sendall(mutated(draw, said))


def name_server(draw: Draw, right: bytes) -> bytes:
    """Return what a name server says in place of an answer: never one with a header of its own."""
    if draw.random() < 0.4:
        return right[:2] + draw.choice(
            (b"", right[2:10], b"\xff" * 10, b"\x81\x80\x00\x01\xff\xff\xff\xff\xff\xff", draw.randbytes(300))
        )
    # A name that points to itself, and counts of records that are not there.
    loop = right[:12] + b"\xc0\x0c" * draw.randrange(1, 200)
    counts = right[:4] + draw.randbytes(8) + right[12:]
    return draw.choice(
        (loop, counts, right[:2] + mutated(draw, right[2:]), right + draw.randbytes(draw.randrange(1, 400)))
    )


def certificate(draw: Draw, pem: str) -> str:
    """Return a certificate with some bytes changed, but for its key, without which no server would start with it."""
    changed = bytearray(ssl.PEM_cert_to_DER_cert(pem))
    key = changed.find(_KEY)
    places = [place for place in range(len(changed)) if not key - 4 <= place <= key + 90]
    for place in draw.sample(places, draw.randrange(1, 4)):
        changed[place] ^= draw.randrange(1, 256)
    return ssl.DER_cert_to_PEM_cert(bytes(changed))
