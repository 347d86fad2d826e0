# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of answers as no server should send them: no error that nobody foresaw, no pass that is not proved, and no bound broken."""

from __future__ import annotations

import os
import random
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import BYTES, HOPS, REQUESTS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils.odd_answers.servers import SEED

from . import malformed
from .malformed import BROKEN, ODD, Kind
from .mastodon import DOMAIN, HOST, Answer, Mastodon, Request, Response, moved
from .test_hostile import is_harmless as shows_nothing_odd
from .test_outputs import is_harmless
from .world import ADDRESS, World

# Of all kinds together; `lab/test --long` draws 10,000.
ANSWERS = int(os.environ.get("TEST_MALFORMED", "300"))
SECONDS = 20
EVERYWHERE: tuple[tuple[Sequence[Kind], float], ...] = (
    (BROKEN, 1.0),
    ((*ODD, *BROKEN), 1.0),
    ((*ODD, *BROKEN), 0.4),
    (BROKEN, 0.3),
)
# Without an inbox and one of these nothing may have passed.
ACTORS = (f"GET /.well-known/webfinger?resource=acct:alice@{DOMAIN}", "GET /actor")


@dataclass
class Spoiled:
    """An instance some of whose answers are spoiled; `right` are those that came as they are, or may have."""

    site: Answer
    seed: str
    kinds: Sequence[Kind]
    share: float
    spoiled: int = 0
    right: set[str] = field(default_factory=set)

    def __call__(self, request: Request) -> Response:
        what = f"{request.method} {request.path}"
        draw = random.Random(f"{self.seed} {request.host} {what} {request.headers.get('accept')} {len(request.body)}")
        # Who asks for another protocol gets more often what is of none.
        spoken = [malformed.websocket] * len(self.kinds) if "upgrade" in request.headers else []
        answer, kind = self.site(request), draw.choice([*self.kinds, *spoken])
        is_right = draw.random() >= self.share
        if is_right or kind not in BROKEN:
            self.right.add(what)
        if is_right:
            return answer
        self.spoiled += 1
        return Response(raw=kind(draw, answer) or b"\0")


def looked(world: World) -> Report:
    """Look once, within all bounds, and find nothing that does something where it is shown."""
    world.asked.clear()
    started = time.monotonic()
    report = world.look()
    assert time.monotonic() - started < SECONDS
    asked = Counter(request.host for request in world.asked)
    assert max(asked.values(), default=0) <= REQUESTS
    assert shows_nothing_odd(report)
    assert is_harmless(report)
    return report


def test_no_malformed_answer_over_http_passes_or_breaks_a_bound(world: World) -> None:
    spoiled, world.limits = 0, {}
    for number, (kinds, share) in zip(count(), cycle(EVERYWHERE)):
        instance = Spoiled(Mastodon(), f"{SEED} {number}", kinds, share)
        world.answer = instance
        report = looked(world)
        spoiled += instance.spoiled
        assert not (report.passed and (kinds, share) == (BROKEN, 1.0))
        assert not report.passed or [what for what in instance.right if re.fullmatch("POST .*/inbox", what)], number
        assert not report.passed or instance.right & set(ACTORS), number
        if spoiled >= ANSWERS * 0.78:
            return


def loadable(draw: random.Random, world: World, folder: Path) -> Path:
    """Return a certificate with changed bytes that a server can show all the same."""
    pem, key = world.authority.issue(DOMAIN, HOST)
    while True:
        path = folder / "changed.pem"
        path.write_text(malformed.certificate(draw, pem) + key)
        with suppress(ssl.SSLError):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
            return path


def test_no_malformed_certificate_passes(world: World, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    for number in range(max(4, ANSWERS // 50)):
        changed = loadable(draw, world, tmp_path).rename(tmp_path / f"{number}.pem")
        world.certificates[ADDRESS].by_name = {DOMAIN: changed, HOST: changed}
        assert not looked(world).passed


def test_no_malformed_handshake_passes_unless_it_came_to_an_end(world: World) -> None:
    draw, context = random.Random(SEED), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = world.folder / "handshake.pem"
    path.write_text("".join(world.authority.issue(DOMAIN, HOST)))
    context.load_cert_chain(path)
    world.limits = {"patience": 1.0, "seconds": 10.0}
    shaken = 0

    def shake(link: socket.socket) -> bool:
        nonlocal shaken
        shaken += 1
        link.settimeout(0.2)
        with suppress(OSError):
            malformed.handshake(draw, link, context)
        return True

    world.shake = shake
    for version in cycle((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
        context.maximum_version = version
        assert not looked(world).passed
        if shaken >= ANSWERS * 0.1:
            return


def test_no_malformed_answer_of_a_name_server_passes_or_breaks_a_bound(world: World) -> None:
    draw, said = random.Random(SEED), Counter[str]()

    def spoil(answer: bytes) -> bytes:
        said["spoiled"] += 1
        return malformed.name_server(draw, answer)

    # Who is not told where a name leads asks again until the end.
    world.limits = {"patience": 0.2, "seconds": 0.4}
    servers = (world.zones.resolver, world.zones.first, world.zones.second, world.zones.above)
    for chosen in cycle((servers, servers[1:], servers[:1])):
        for server in servers:
            server.spoil = spoil if server in chosen else bytes
        assert not looked(world).passed or world.zones.resolver not in chosen
        if said["spoiled"] >= ANSWERS * 0.1:
            return


def endless(world: World, head: bytes) -> Callable[[], int]:
    """Let each answer have no end; return what tells how much of the longest one was taken."""
    sent: list[int] = []

    def talk(link: socket.socket) -> bool:
        secured, _unused = world.certificates[ADDRESS].secure(link)
        with secured:
            secured.recv(65536)
            sent.append(0)
            with suppress(OSError):
                secured.sendall(head)
                while sent[-1] < 64 << 20:
                    secured.sendall(b" " * 65536)
                    sent[-1] += 65536
        return True

    world.shake = talk
    return lambda: max(sent)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ],
)
def test_of_an_answer_without_an_end_no_more_is_read_than_others_read(world: World, head: bytes) -> None:
    most = endless(world, head)
    assert not looked(world).passed
    # What is on its way, in buffers of both sides, is not read.
    assert most() < 16 * BYTES


def test_nobody_is_led_further_than_the_hops(world: World) -> None:
    steps = Counter[str]()

    def further(request: Request) -> Response:
        steps[request.path.split("?")[0].rsplit("/", 1)[0]] += 1
        return moved(f"https://{HOST}{request.path.split('?')[0]}/x?resource=a")

    world.change("/", further, host=HOST)
    assert not looked(world).passed
    longest = max(request.path.count("/x") for request in world.asked)
    assert longest == HOPS
