# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed on the way, or closed too early, as a pod behind the same gateway tells it: that pod's own program, behind a proxy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate

import pytest
from ansible_collections.fediverse.mastodon.extensions.federation_check import serve
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import budget, streaming
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import direct

from .mastodon import HOST, Request, Response, page
from .world import World, assert_passes, faults, only

LOOKED_AT = ("webfinger", "actor", "inbox", "arrival")
URL = f"https://{HOST}/federation-check/echo?resource=acct%3Aa%40example.org&again=a+b%2Fc"
HELD = f"https://{HOST}/federation-check/held"
SIGNING = ("signature", "signature-input", "digest", "content-digest", "date")
Change = Callable[[Request], Request]


@pytest.fixture
def echo() -> Iterator[int]:
    server = serve.opened(0, echoes=True)
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def behind(world: World, echo: int) -> World:
    """A world in which the pod is there."""
    through(world, echo)
    world.target = replace(world.target, echo=True)
    return world


def through(world: World, port: int, change: Change = lambda request: request) -> None:
    """Let a proxy pass on to the pod what it asks it for, changed or not."""

    def passed(request: Request) -> Response:
        sent = change(request)
        lines = [f"{sent.method} {sent.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.headers.items())]
        with direct("127.0.0.1", port, 10)() as link, link.makefile("rb") as came:
            link.sendall("\r\n".join([*lines, "", ""]).encode() + sent.body)
            return Response(raw=came.read())

    for method in ("GET", "POST"):
        world.change("/federation-check/", passed, method=method)


def without(*names: str) -> Change:
    return lambda request: replace(
        request, headers={name: value for name, value in request.headers.items() if name not in names}
    )


def setting(name: str, value: str) -> Change:
    return lambda request: replace(
        request, headers={**request.headers, name: value} if request.body else request.headers
    )


def sentence(world: World) -> str:
    finding = only(world.look())
    return f"{finding.verdict} {finding}"


def test_what_arrives_as_it_was_sent_is_fine(behind: World) -> None:
    report = behind.look()
    assert_passes(report)
    assert f"{URL}: arrives as it was sent." in map(str, report.findings)


def test_without_a_pod_nobody_is_asked(world: World) -> None:
    report = world.look()
    assert_passes(report)
    assert "arrival" not in {one.check for one in report.findings}
    assert [request for request in world.asked if "federation-check" in request.path] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (setting("host", "web.mastodon.svc"), f"host arrived as web.mastodon.svc, and was sent as {HOST}"),
        (
            setting("date", formatdate(0, usegmt=True)),
            "date arrived as Thu, 01 Jan 1970 00:00:00 GMT, and was sent as DATE",
        ),
        (without("digest"), "digest did not arrive"),
        (without("content-digest", "signature-input"), "content-digest did not arrive; signature-input did not arrive"),
        (without("signature"), "signature did not arrive"),
        (
            setting("content-type", "application/json"),
            "content-type arrived as application/json, and was sent as application/activity+json",
        ),
        (
            lambda request: replace(request, path=request.path.replace("%40", "@")),
            "path and query arrived as /federation-check/echo?resource=acct%3Aa@example.org&again=a+b%2Fc, and was sent as "
            "/federation-check/echo?resource=acct%3Aa%40example.org&again=a+b%2Fc",
        ),
        (
            lambda request: replace(request, path="/federation-check/echo"),
            "path and query arrived as /federation-check/echo, and was sent as "
            "/federation-check/echo?resource=acct%3Aa%40example.org&again=a+b%2Fc",
        ),
        (
            lambda request: replace(request, body=request.body.replace(b"  ", b" \t")),
            "digest of the body arrived as DIGEST, and was sent as DIGEST",
        ),
    ],
)
def test_what_a_proxy_rewrites_is_named(behind: World, echo: int, change: Change, told: str) -> None:
    through(behind, echo, change)
    found = re.sub(r"(?<=sent as )[A-Z][a-z]{2}, [0-9]{2} \w+ 20[0-9: ]+GMT", "DATE", sentence(behind))
    found = re.sub(r"[A-Za-z0-9+/]{43}=", "DIGEST", found)
    assert found == f"CUT {URL}: arrives otherwise than it was sent: {told}."


@pytest.mark.parametrize(
    "answer", [page(404), Response(503, b"no"), Response(200, b'{"arrived": []}'), Response(raw=b"\n")]
)
def test_who_is_not_the_pod_is_sent_nothing_that_looks_signed(behind: World, answer: Response) -> None:
    for method in ("GET", "POST"):
        behind.change("/federation-check/", answer, method=method)
    report = behind.look()
    told = only(report)
    assert (told.verdict, told.message) == ("cannot tell", "is not answered by the pod that says what arrives")
    assert report.passed
    asked = [request for request in behind.asked if request.path.startswith("/federation-check/")]
    assert [request.method for request in asked] == ["GET"]
    assert [name for request in behind.asked for name in SIGNING if name in request.headers] == []


def test_nothing_that_looks_signed_comes_to_mastodon(behind: World) -> None:
    behind.look()
    to = {request.path.partition("?")[0] for request in behind.asked if set(SIGNING) & set(request.headers)}
    assert to == {"/federation-check/echo"}


def test_what_an_echo_says_is_shown_escaped(behind: World) -> None:
    behind.change("/federation-check/", Response(200, b'{"arrived": {"host": "\\u001b[31m</script>"}}'), method="POST")
    assert "host arrived as \\x1b[31m</script>, and was sent as" in str(only(behind.look()))


def held(world: World, stays: float) -> None:
    """Let the pod's upgrade be taken, by a proxy that closes what nothing is said on after so many seconds."""
    taken = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    world.change("/federation-check/held", Response(raw=taken, stays=stays))
    world.target = replace(world.target, hold=True)
    world.checks = ("streaming",)


@pytest.mark.parametrize(
    ("least", "told"),
    [
        (0, f"{HELD}: is left open for the [0-2] s that nothing was said on it."),
        (10, f"{HELD}: was not looked at: the time that one look may take left [0-2] s for it."),
    ],
)
def test_connections_that_nothing_is_said_on_and_stay_open_are_fine(
    behind: World, monkeypatch: pytest.MonkeyPatch, least: float, told: str
) -> None:
    held(behind, 60)
    # In place of the fifteen of a look: two after it has begun.
    monkeypatch.setattr(budget, "HOLDING", budget.SECONDS - float(behind.limits["seconds"]) + 2)
    monkeypatch.setattr(streaming, "_LEAST", least)
    report = behind.look()
    assert faults(report) == []
    pattern = re.escape(told).replace(re.escape("[0-2]"), "[0-2]")
    assert [one for one in map(str, report.findings) if re.fullmatch(pattern, one)]


@pytest.mark.parametrize("stays", [0.001, 1.2])
def test_a_proxy_that_closes_what_nothing_is_said_on_is_named(behind: World, stays: float) -> None:
    held(behind, stays)
    told = rf"SOME {re.escape(HELD)}: closes connections that nothing is said on: it was closed after [0-9]+ s\."
    assert re.fullmatch(told, sentence(behind))


@pytest.mark.parametrize("answer", [page(404), Response(503, b"no"), Response(raw=b"\n")])
def test_where_nothing_can_be_held_it_is_not_known_how_long_it_stays(behind: World, answer: Response) -> None:
    held(behind, 60)
    behind.change("/federation-check/held", answer)
    told = only(behind.look())
    assert (told.verdict, told.link) == ("cannot tell", "streaming.md#no-echo")


def test_nothing_is_held_where_that_is_not_asked_for(behind: World) -> None:
    behind.checks = ("streaming",)
    assert faults(behind.look()) == []
    assert [request for request in behind.asked if "federation-check" in request.path] == []
