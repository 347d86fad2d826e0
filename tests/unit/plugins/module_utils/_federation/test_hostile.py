# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an instance sends: no traceback, no pass, nothing that does something where it is shown, and an end in time."""

from __future__ import annotations

import json
import random
import shlex
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import certificates
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import CHECKS, FAULTS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import COMMANDS, Verdict, shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import Visitor
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils.odd_answers.servers import ANSWERS, SEED

from .mastodon import DOMAIN, HOST, Mastodon, Request, Response, document
from .world import ADDRESS, World, faults

EVIL = "\0\x1b[31m\x1b]0;x\x07</script>\r\n\u202e\u2028'\"`{0}%s"
RAW = {
    "nothing": b"\n",
    "noise": bytes(range(256)) * 40,
    "300 headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: \x1b[2J\r\n" % n for n in range(300)) + b"\r\n{}",
    "a header of 1 MiB": b"HTTP/1.1 200 OK\r\nX: " + b"\x1b" * (1 << 20) + b"\r\n\r\n",
    "a reason that acts": b"HTTP/1.1 500 " + EVIL.replace("\r\n", "").encode() + b"\r\nContent-Length: 0\r\n\r\n",
    "a location that acts": b"HTTP/1.1 301 x\r\nLocation: https://["
    + b"\x1b[2J" * 9
    + b"\r\nContent-Length: 0\r\n\r\n",
    "a port that is none": b"HTTP/1.1 301 x\r\nLocation: https://example.org:99999999/\r\nContent-Length: 0\r\n\r\n",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"[" * 100_000,
    "a long number": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": ' + b"9" * 10_000 + b"}",
}


# Ends a quotation, a command and a word.
EVIL_WORD = "a'; $(reboot) `reboot` \"b"


def is_harmless(report: Report) -> bool:
    """Whether every line can be shown anywhere, and none is of an error that nobody foresaw."""
    lines = list(report.lines())
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if "ended without a verdict" in line] == []
    assert [one for one in report.findings if len(one.fact) > 400] == []
    return True


@pytest.mark.parametrize("name", sorted(RAW))
def test_no_answer_of_a_whole_host_ends_otherwise_than_in_findings(world: World, name: str) -> None:
    world.change("/", Response(raw=RAW[name]), host=HOST)
    world.change("/", Response(raw=RAW[name]), host=HOST, method="POST")
    report = world.look()
    assert is_harmless(report)
    assert not report.passed


def test_what_is_quoted_of_a_document_is_escaped(world: World) -> None:
    finger = {"subject": EVIL, "links": [{"rel": "self", "type": EVIL}]}
    world.change("/.well-known/webfinger", document(finger, "application/jrd+json"))
    report = world.look()
    assert is_harmless(report)
    quoted = shown(EVIL, 80)
    assert any(f"{quoted} and not acct:alice@{DOMAIN}" in line for line in faults(report))
    assert quoted.startswith("\\x00\\x1b[31m\\x1b]0;x\\x07</script>\\r\\n\\u202e\\u2028")


def test_no_address_ends_the_quotation_of_a_command(world: World) -> None:
    evil = f"https://{HOST}/'$(reboot)'"
    link = {"rel": "self", "type": "application/activity+json", "href": evil}
    finger = {"subject": f"acct:alice@{DOMAIN}", "links": [link]}
    world.change("/.well-known/webfinger?resource=acct:alice", document(finger, "application/jrd+json"))
    world.change("/'$(reboot)'", document({"id": "other"}, "application/activity+json"))
    report = world.look()
    commands = [one.cause.next for one in report.findings if one.cause and "$(reboot)" in one.cause.next]
    assert commands
    assert [command for command in commands if evil not in {word.rstrip(",") for word in shlex.split(command)}] == []


def test_what_others_name_is_one_word_of_a_command() -> None:
    for fault in (fault for check in CHECKS for fault in (*check.faults, *FAULTS)):
        named = ("subject", "host", "address", "agent", "server", "zone", "name", "to", "what")
        finding = fault.at(EVIL_WORD, "", **dict.fromkeys(named[1:], EVIL_WORD))
        assert finding.cause
        template, said = fault.cause.next, finding.cause.next
        if template.partition(" ")[0] in COMMANDS:
            words = shlex.split(said.partition(", and ")[0])
            assert [word for word in words if "$(reboot)" in word and EVIL_WORD not in word] == [], said
            assert not any(word == "reboot" for word in words), said


def twisted(draw: random.Random, content: Any) -> Any:
    """Return a document with some of it replaced by what does not belong there."""
    if draw.random() < 0.15:
        return draw.choice(
            (None, [], {}, 7, True, "", EVIL, "https://[", "https://example.org:x/", {"a": [None]}, 1e400)
        )
    if isinstance(content, dict):
        return {key: twisted(draw, value) for key, value in content.items()}
    return [twisted(draw, item) for item in content] if isinstance(content, list) else content


def test_no_change_of_a_document_ends_otherwise_than_in_findings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what comes back is drawn, and no socket is opened for it, as none matters to what is made of it."""
    site, number = Mastodon(), [0]

    def ask(_self: Visitor, url: str, method: str = "GET", body: bytes = b"", /, **headers: str) -> Reply:
        # Of what is asked for, as nobody knows who is first to ask.
        draw = random.Random(f"{SEED} {number[0]} {method} {url} {sorted(headers.items())}")
        _scheme, _unused, host, path = url.split("/", 3)
        response = site(Request(method, host, f"/{path}", headers, body, ADDRESS, 443, host))
        content = response.body
        if draw.random() < 0.3:
            with suppress(ValueError):
                content = json.dumps(twisted(draw, json.loads(content))).encode()
            content = content[: draw.randrange(len(content) + 1)] if draw.random() < 0.1 else content
        status = draw.choice((200, 200, 204, 301, 401, 404, 410, 500, 999)) if draw.random() < 0.1 else response.status
        return Reply(status, EVIL, tuple((key.lower(), value) for key, value in response.headers.items()), content)

    monkeypatch.setattr(Visitor, "ask", ask)
    monkeypatch.setattr(Visitor, "speaks", lambda *_unused: True)
    for number[0] in range(ANSWERS // 20):
        assert is_harmless(world.look())


@pytest.mark.filterwarnings("ignore")
def test_no_change_of_a_certificate_ends_in_an_error(world: World) -> None:
    draw = random.Random(SEED)
    whole = ssl.PEM_cert_to_DER_cert(world.authority.issue(HOST, DOMAIN)[0])
    unread = 0
    for _unused in range(10_000):
        changed = bytearray(whole)
        for _each in range(draw.randrange(1, 6)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        found = certificates.read([bytes(changed[: draw.choice((len(changed), draw.randrange(len(changed))))])])
        unread += not found
        assert all(isinstance(one.is_for(HOST), bool) for one in found)
    assert 0 < unread < 10_000


class Silent:
    """Takes connections and never says a thing, or says one byte now and then."""

    def __init__(self, *, drips: bool) -> None:
        self._drips, self._ended = drips, threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        links = []
        while not self._ended.is_set():
            try:
                link, _unused = self._listening.accept()
            except OSError:
                return
            links.append(link)
            if self._drips:
                threading.Thread(target=self._drip, args=(link,), daemon=True).start()

    def _drip(self, link: socket.socket) -> None:
        with suppress(OSError):
            while not self._ended.wait(0.05):
                link.sendall(b"\x16")

    def stop(self) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "drips"])
def test_a_host_that_never_answers_costs_its_patience_once(world: World, drips: bool) -> None:
    silent = Silent(drips=drips)
    world.ports[ADDRESS, 443] = silent.port
    world.limits = {"patience": 0.5}
    started = time.monotonic()
    report = world.look()
    silent.stop()
    assert time.monotonic() - started < 10
    assert not report.passed
    assert faults(report)[0].startswith(f"CUT https://{DOMAIN} at {ADDRESS}: does not begin TLS: ")


def test_a_look_ends_when_its_seconds_are_over(world: World) -> None:
    def slow(_request: Request) -> Response:
        time.sleep(0.5)
        return Response(404)

    world.change("/", slow, host=HOST)
    world.limits = {"patience": 5.0, "seconds": 1.0}
    started = time.monotonic()
    report = world.look()
    assert time.monotonic() - started < 10
    over = [one for one in report.findings if one.verdict == "cannot tell" and not one.fault]
    assert over
    assert {one.fact for one in over} <= {"the 1 s that one look may take are over"}
    assert not report.passed


def test_an_answer_that_our_own_end_cuts_off_is_no_fault_of_the_server(world: World) -> None:
    def slow(_request: Request) -> Response:
        time.sleep(3)
        return Response(404)

    world.change("/", slow, host=HOST)
    world.change("/", slow, host=HOST, method="POST")
    world.limits = {"seconds": 1.0}
    report = world.look()
    assert not report.passed
    assert [str(one) for one in report.findings if one.verdict in (Verdict.LOST, Verdict.CUT)] == []


def test_an_address_that_there_is_no_time_for_is_not_dead(world: World) -> None:
    silent = Silent(drips=False)
    world.ports[ADDRESS, 443] = silent.port
    world.limits = {"seconds": 0.5}
    report = world.look()
    silent.stop()
    assert not report.passed
    said = f"{HOST} at {ADDRESS}: was not asked, as there was no time left"
    assert [one for one in report.findings if str(one).startswith(said) and one.verdict is Verdict.CANNOT_TELL]
    assert [str(one) for one in report.findings if one.verdict in (Verdict.LOST, Verdict.CUT)] == []


def test_a_server_may_take_longer_for_an_answer_than_for_a_connection(world: World) -> None:
    site = world.answer

    def slow(request: Request) -> Response:
        time.sleep(1)
        return site(request)

    world.change("/inbox", slow, method="POST")
    world.limits = {"patience": 0.7, "reading": 5.0, "seconds": 60.0}
    assert [one for one in faults(world.look()) if "inbox" in one] == []


def test_a_body_is_waited_for_by_its_size() -> None:
    budget = Budget()
    assert budget.until_answered(900 * 1024) - budget.until_answered(0) > 3
    assert budget.until_answered(0) - time.monotonic() > 9


def test_a_host_is_asked_no_more_than_its_share(world: World) -> None:
    world.limits = {"patience": 2.0, "requests": 5}
    report = world.look()
    hosts = [request.host for request in world.asked]
    assert max(hosts.count(host) for host in set(hosts)) <= 5
    said = f"{HOST} was asked 5 times already, and more is asked of nobody"
    assert said in {one.fact for one in report.findings if one.verdict == "cannot tell"}
