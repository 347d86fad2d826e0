# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is where PostgreSQL or Redis should be: one sentence, or that there is no way to it; in time, and no pass."""

from __future__ import annotations

import random
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server

from .servers import ANSWERS, PATIENCE, SEED, Talk, drip, server

PASSWORD = "CANARY"
GARBAGE: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"\0" * 500,
    b"\xff" * 500,
    bytes(range(256)),
    b"<!doctype html><html><title>Log in</title></html>",
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    b"220 mail ESMTP\r\n",
    b"SSH-2.0-OpenSSH_9.2p1\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"x" * 50_000,
)


def reported(ask: Callable[[], object], seconds: float = 5) -> str:
    """Return what the error says that asking must end in; one of the network is for the caller to call a skip."""
    began = time.monotonic()
    with pytest.raises((MastodonError, OSError)) as caught:
        ask()
    assert time.monotonic() - began < PATIENCE * seconds, str(caught.value)
    said = str(caught.value)
    assert PASSWORD not in said
    assert len(said) < 1000
    assert "\n" not in said
    assert said.isprintable(), repr(said)
    return said


def message(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """Return a message of PostgreSQL's: https://www.postgresql.org/docs/current/protocol-message-formats.html"""
    return kind + struct.pack("!i", len(content) + 4 if length is None else length) + content


AUTHENTICATED = message(b"R", struct.pack("!i", 0))
READY = message(b"Z", b"I")
STARTED = AUTHENTICATED + message(b"S", b"server_version\x0017.6\0") + READY
ROW = message(b"T", struct.pack("!h", 1) + b"a\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
SHAPED: tuple[bytes, ...] = (
    message(b"E", b""),
    message(b"E", b"\0"),
    message(b"E", b"SFATAL\0C28P01\0Mno\0\0"),
    message(b"E", b"C57P03\0\0"),
    message(b"E", b"SFATAL"),
    message(b"E", b"M\xff\xfe\0\0"),
    message(b"R", b""),
    message(b"R", struct.pack("!i", 99)),
    message(b"R", struct.pack("!i", 5)),
    message(b"R", struct.pack("!i", 10) + b"NO-SUCH-WAY\0\0"),
    message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0") + message(b"R", struct.pack("!i", 11) + b"r=x"),
    message(b"R", struct.pack("!i", 12) + b"v=x"),
    message(b"S", b"client_encoding"),
    message(b"S", b"client_encoding\0NOSUCH\0") + READY,
    message(b"S", b"server_version\0x\0") + READY,
    message(b"K", b"1"),
    message(b"N", b"\xff"),
    message(b"Z", b""),
    message(b"T", b""),
    message(b"T", struct.pack("!h", 500)),
    message(b"D", struct.pack("!h", 9)),
    ROW + message(b"D", struct.pack("!hi", 1, 999)) + message(b"C", b"SELECT 1\0") + READY,
    ROW + message(b"D", struct.pack("!hi", 1, 2) + b"no") + message(b"C", b"SELECT 1\0") + READY,
    ROW + message(b"C", b"SELECT 0\0") + READY,
    message(b"C", b"\xff") + READY,
    message(b"X", b"", -5),
    message(b"Z", b"I", 2_000_000_000),
    message(b"!", b"??"),
    READY,
    b"N",
    b"S",
)


def postgresql(stage: str, wrong: bytes) -> Talk:
    """Start well, and answer wrongly from one stage on."""
    said = {"tls": b"N", "start": STARTED, "query": b"", stage: wrong}

    def talk(link: socket.socket) -> None:
        if link.recv(1000)[4:8] == b"\x04\xd2\x16\x2f":
            link.sendall(said["tls"])
            if stage == "tls":
                return
            link.recv(1000)
        link.sendall(said["start"])
        if stage == "query":
            link.recv(1000)
            link.sendall(said["query"])
        link.shutdown(socket.SHUT_WR)

    return talk


def postgresql_cases() -> Iterator[tuple[str, str, bytes]]:
    draw = random.Random(f"{SEED} postgresql")
    for stage in ("tls", "start", "query"):
        for sslmode in ("prefer", "disable", "require"):
            # Without TLS nothing is asked for it, and with it there is no second stage.
            if (sslmode == "require") is (stage == "tls") or (stage, sslmode) == ("tls", "prefer"):
                for wrong in (*GARBAGE, *SHAPED):
                    yield stage, sslmode, wrong
    for _unused in range(ANSWERS // 2):
        wrong = bytearray(draw.choice((STARTED, *SHAPED)) + draw.choice(SHAPED))
        for _each in range(draw.randrange(1, 6)):
            wrong[draw.randrange(len(wrong))] = draw.randrange(256)
        yield draw.choice(("start", "query")), "disable", bytes(wrong[: draw.randrange(1, len(wrong) + 1)])


@pytest.mark.parametrize(("number", "case"), [*enumerate(postgresql_cases())], ids=lambda case: str(case)[:50])
def test_nothing_but_postgresql_passes_for_it(
    monkeypatch: pytest.MonkeyPatch, number: int, case: tuple[str, str, bytes]
) -> None:
    monkeypatch.setattr(postgresql_server, "_SECONDS", 0.5)
    stage, sslmode, wrong = case
    with server(postgresql(stage, wrong)) as port:
        asked = Server("PostgreSQL", "127.0.0.1", port, "Secret a/b", sslmode=sslmode)
        reported(lambda: postgresql_server.ask(asked, "mastodon", PASSWORD, "mastodon"))


REDIS_SHAPED: tuple[bytes, ...] = (
    b"+OK\r\n",
    b"-ERR unknown command\r\n",
    b"-WRONGPASS no\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"-LOADING wait\r\n",
    b"-\xff\xfe\r\n",
    b"-\r\n",
    b":7\r\n",
    b":seven\r\n",
    b"$-1\r\n",
    b"$-7\r\n",
    b"$5\r\nab",
    b"$many\r\n",
    b"$2000000000\r\nx",
    b"$0\r\n\r\n",
    b"$4\r\n\xff\xfe\xfd\xfc\r\n",
    b"$20\r\nredis_version:7.2.5\n\r\n",
    b"$9\r\nno_colon:\r\n",
    b"$25\r\nredis_version:a=b,c=d,e=f\r\n",
    b"*0\r\n",
    b"*-1\r\n",
    b"*2\r\n$1\r\na\r\n",
    b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*2000000000\r\n",
    b"%1\r\n$1\r\na\r\n*1\r\n:7\r\n",
    b"%1\r\n*0\r\n:7\r\n",
    b"~1\r\n:1\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",1.5\r\n",
    b",one\r\n",
    b"(99999999999999999999999999\r\n",
    b"=7\r\ntxt:abc\r\n",
    b"!3\r\nERR\r\n",
    b">2\r\n+pubsub\r\n+x\r\n",
    b"|1\r\n+a\r\n+b\r\n",
    b"?\r\n",
    b"\r\n",
)
# What it answers where nothing is wrong; INFO is never good.
WELL = {b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", b"AUTH": b"+OK\r\n", b"CLIENT": b"+OK\r\n"}


def redis(stage: bytes, wrong: bytes) -> Talk:
    said = {**WELL, b"INFO": wrong, stage: wrong}

    def talk(link: socket.socket) -> None:
        while chunk := link.recv(10_000):
            for command in re.findall(rb"\r\n(HELLO|AUTH|CLIENT|INFO)\r\n", chunk):
                if not said[command]:
                    return
                link.sendall(said[command])
                if command == b"INFO":
                    link.shutdown(socket.SHUT_WR)

    return talk


def redis_cases() -> Iterator[tuple[bytes, bytes]]:
    draw = random.Random(f"{SEED} redis")
    # A version and nothing else is what old servers tell, and enough.
    lasting = [wrong for wrong in (*GARBAGE, *REDIS_SHAPED) if not wrong.startswith(b"$20")]
    for stage in (b"HELLO", b"AUTH", b"INFO"):
        for wrong in lasting:
            yield stage, wrong
    for _unused in range(ANSWERS // 2):
        drawn = bytearray(draw.choice(lasting) + draw.choice(REDIS_SHAPED))
        for _each in range(draw.randrange(1, 4)):
            drawn[draw.randrange(len(drawn))] = draw.randrange(256)
        yield draw.choice((b"HELLO", b"INFO")), bytes(drawn[: draw.randrange(1, len(drawn) + 1)])


@pytest.mark.parametrize(("number", "case"), [*enumerate(redis_cases())], ids=lambda case: str(case)[:50])
def test_nothing_but_redis_passes_for_it(
    monkeypatch: pytest.MonkeyPatch, number: int, case: tuple[bytes, bytes]
) -> None:
    monkeypatch.setattr(redis_server, "_SECONDS", 0.3)
    stage, wrong = case
    with server(redis(stage, wrong)) as port:
        reported(lambda: redis_server.ask(Server("Redis", "127.0.0.1", port, "Secret a/b"), PASSWORD))


@pytest.mark.parametrize("product", ["PostgreSQL", "Redis"])
def test_a_byte_now_and_then_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch, product: str) -> None:
    monkeypatch.setattr(redis_server, "_WHOLE_SECONDS", 0.5)
    monkeypatch.setattr(postgresql_server, "_WHOLE_SECONDS", 0.5)

    def talk(link: socket.socket) -> None:
        link.recv(1000)
        drip(link, b"$999\r\nx" if product == "Redis" else message(b"S", b"", 5_000) + b"x")

    with server(talk) as port:
        asked = Server(product, "127.0.0.1", port, "Secret a/b", sslmode="disable")
        ask = partial(redis_server.ask, asked, PASSWORD)
        if product == "PostgreSQL":
            ask = partial(postgresql_server.ask, asked, "mastodon", PASSWORD, "mastodon")
        assert "no whole answer came within" in reported(ask, 2)
