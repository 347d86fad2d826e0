# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`federation-check.pyz --serve`: what is served is what was seen last, and whoever asks cannot stop it."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.extensions.federation_check import main, serve
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.looks import OPTIONS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._federation_program import build, program
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import DOMAIN, page
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import World

from .test_federation_check import DRIVER, declared

REPORT = {
    "instances": [
        {
            "domain": "example.org",
            "vantage": "inside",
            "passed": True,
            "findings": [],
            "links": [{"name": name, "state": "fine"} for name in ("DNS", "TLS", "HTTP", "ActivityPub")],
            "at": "2026-11-29T03:00:00Z",
        }
    ]
}


class EndedError(Exception):
    """Enough was looked at."""


def get(port: int, path: str = "/metrics", host: str = "127.0.0.1") -> tuple[int, str]:
    """Return what is answered."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def first(port: int) -> str:
    """Return what is served after the first look."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(urllib.error.URLError):
            status, text = get(port)
            if status == 200:
                return text
        time.sleep(0.05)
    raise TimeoutError


@pytest.fixture
def echo() -> Iterator[serve.Server]:
    """One that says what arrives."""
    opened = serve.opened(0, echoes=True)
    yield opened
    opened.shutdown()
    opened.server_close()


@pytest.fixture
def server() -> Iterator[serve.Server]:
    opened = serve.opened(0)
    yield opened
    opened.shutdown()
    opened.server_close()


def test_nothing_is_served_before_the_first_look_and_afterwards_the_last(
    server: serve.Server, capsys: pytest.CaptureFixture[str]
) -> None:
    port = server.server_address[1]
    seen, paused = [], []
    looks: Iterator[Any] = iter([REPORT, MastodonError("Name server", "is silent", "", "Wait."), OSError(5, "I/O")])

    def look() -> Mapping[str, Any]:
        seen.append(get(port))
        if isinstance(said := next(looks), Exception):
            raise said
        assert isinstance(said, dict)
        return said

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            raise EndedError

    with pytest.raises(EndedError):
        serve.watch(look, server, 900, pause)
    assert seen[0] == (503, "The first look has not ended.\n")
    assert 'federation_check_passed{domain="example.org",vantage="inside"} 1\n' in seen[1][1]
    # A look that cannot be had takes nothing away: its time says how old the last one is.
    assert seen[2] == seen[1] == get(port)
    assert [890 < one <= 900 for one in paused] == [True] * 3
    assert capsys.readouterr().err.splitlines()[0] == "Name server: is silent. Wait."
    assert get(port, "/") == (404, "There is /metrics only.\n")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_it_is_served_over_ipv6_too(server: serve.Server) -> None:
    server.text = "a 1\n"
    assert get(server.server_address[1], host="[::1]") == (200, "a 1\n")


def test_whoever_says_nothing_keeps_nobody_waiting(server: serve.Server) -> None:
    server.text = "a 1\n"
    with socket.create_connection(("127.0.0.1", server.server_address[1])):
        assert get(server.server_address[1]) == (200, "a 1\n")


def test_a_port_that_is_taken_is_one_sentence(server: serve.Server) -> None:
    port = server.server_address[1]
    with pytest.raises(
        MastodonError, match=f"^Port {port}: cannot be served at: Address already in use. Name another one.$"
    ):
        serve.opened(port)


@pytest.mark.parametrize("seconds", ["59", "86401", "-1", "1e3", ""])
def test_nobody_is_asked_more_than_once_a_minute(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--serve", "9808", "--every", seconds])
    assert ended.value.code == main.NOT_RUN
    assert "is no number of seconds from 60 to 86400" in capsys.readouterr().err


def test_options_that_cannot_be_looked_at_end_it_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    path.write_text("{}")
    assert main.main([str(path), "--serve", "0"]) == main.NOT_RUN
    assert capsys.readouterr().err == "Option domain: is missing. Name a domain, or instances with a domain each.\n"


def test_the_program_is_the_same_each_time_and_fits_into_a_config_map(tmp_path: Path) -> None:
    build(tmp_path / "a.pyz")
    assert (tmp_path / "a.pyz").read_bytes() == program()
    # As base64, beside its options: https://kubernetes.io/docs/concepts/configuration/configmap/#motivation
    assert len(program()) * 4 / 3 < 900_000


@pytest.mark.parametrize("passed", [True, False])
def test_it_looks_serves_what_it_saw_from_inside_and_ends_when_it_is_told_to(tmp_path: Path, passed: bool) -> None:
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world")
    if not passed:
        world.change("/inbox", page(403), method="POST")
    (tmp_path / "a.pyz").write_bytes(program())
    (tmp_path / "options.json").write_text(json.dumps(declared(world)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ports = json.dumps([[list(place), one] for place, one in world.ports.items()])
    given = [str(tmp_path / "options.json"), "--serve", str(port)]
    command = [sys.executable, "-I", "-c", DRIVER, tmp_path / "a.pyz", ports, str(world.zones.port), *given]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    try:
        text = first(port)
        place = f'{{domain="{DOMAIN}",vantage="inside"}}'
        assert f"federation_check_passed{place} {int(passed)}\n" in text
        assert ('fault="dropped"' in text) is not passed
    finally:
        running.send_signal(signal.SIGTERM)
        said, _unused = running.communicate(timeout=20)
        world.stop()
    assert running.returncode == 0
    assert said.startswith(f"{DOMAIN} as seen from inside: ")
    assert ("LOST " in said) is not passed
    assert "fine  " not in said


def asked(port: int, request: bytes, *, whole: bool = True) -> bytes:
    """Return what comes back for what is sent as it is: all of it, or its first line."""
    with socket.create_connection(("127.0.0.1", port), 10) as link, link.makefile("rb") as came:
        link.sendall(request)
        return came.read() if whole else came.readline()


UPGRADE = (
    b"GET /federation-check/held HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def test_what_arrives_is_said_and_nothing_else_of_it(echo: serve.Server) -> None:
    request = b"POST /federation-check/echo?a=%40 HTTP/1.1\r\nHost: a\r\nDATE: b\r\nDate: c\r\nCookie: x\r\nContent-Length: 2\r\n\r\nab"
    head, _blank, body = asked(echo.server_address[1], request).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Cache-Control: no-store" in head
    digest = base64.b64encode(hashlib.sha256(b"ab").digest()).decode()
    assert json.loads(body) == {
        "arrived": {
            "method": "POST",
            "path and query": "/federation-check/echo?a=%40",
            "digest of the body": digest,
            "host": "a",
            "date": "b, c",
        }
    }


@pytest.mark.parametrize("length", [b"", b"Content-Length: 65537\r\n", b"Content-Length: x\r\n"])
def test_what_is_long_or_of_no_length_is_not_read(echo: serve.Server, length: bytes) -> None:
    request = b"POST /federation-check/echo HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n"
    assert asked(echo.server_address[1], request).startswith(b"HTTP/1.1 413 ")


def test_nothing_is_said_of_it_where_nobody_asked_for_that(server: serve.Server) -> None:
    port = server.server_address[1]
    assert get(port, "/federation-check/echo") == (404, "There is /metrics only.\n")
    assert asked(port, UPGRADE).startswith(b"HTTP/1.1 404 ")
    assert asked(port, b"POST /federation-check/echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n").startswith(
        b"HTTP/1.1 404 "
    )


def test_a_connection_is_held_until_somebody_ends_it(echo: serve.Server) -> None:
    with socket.create_connection(("127.0.0.1", echo.server_address[1]), 10) as link:
        link.sendall(UPGRADE)
        head = link.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ")
        # Of the example in RFC 6455.
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        link.settimeout(0.3)
        with pytest.raises(TimeoutError):
            link.recv(1)
    assert asked(echo.server_address[1], UPGRADE.replace(b"Sec-WebSocket-Key", b"X")).startswith(b"HTTP/1.1 400 ")


def test_no_more_are_held_than_a_few_and_it_is_over_after_a_while(
    echo: serve.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = echo.server_address[1]
    with ExitStack() as stack:
        for _number in range(serve._HELD):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            link.sendall(UPGRADE)
            assert link.recv(12) == b"HTTP/1.1 101"
        assert asked(port, UPGRADE).startswith(b"HTTP/1.1 503 ")
    monkeypatch.setattr(serve, "_HOLDS", 0.2)
    until = time.monotonic() + 30
    while not (said := asked(port, UPGRADE)).startswith(b"HTTP/1.1 101 "):
        assert time.monotonic() < until, said
        time.sleep(0.05)


@pytest.mark.parametrize(("given", "status"), [({}, 404), ({"echo": True}, 200), ({"hold": True}, 200)])
def test_the_program_says_what_arrives_where_its_options_say_so(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, bool], status: int
) -> None:
    seen: list[int] = []

    def watch(_look: Any, server: serve.Server, _seconds: int) -> None:
        seen.append(get(server.server_address[1], "/federation-check/echo")[0])
        raise EndedError

    monkeypatch.setattr(serve, "watch", watch)
    # Of a container's first process, and not of the tests'.
    monkeypatch.setattr(signal, "signal", lambda *_unused: None)
    with pytest.raises(EndedError):
        main._watch(main.options({"domain": "example.org", **given}, OPTIONS), 0, 900)
    assert seen == [status]
