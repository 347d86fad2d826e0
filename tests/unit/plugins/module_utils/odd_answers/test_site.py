# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever answers where Mastodon should: no way to it, or not Mastodon; in time, and never Mastodon."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.questions import (
    Site,
    WrongError,
    questions,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import https
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

from .servers import Answer, answers, drip, server, talk_http

HOST = "social.example.org"
# Of Mastodon's own answers; a store's may be nearly anything.
OWN = list(questions(Site(HOST, HOST)))[1:2]
# TLS is watched by the tests of _site.
TRUST: Any = SimpleNamespace(wrap_socket=lambda plain, server_hostname: plain)


def ask(port: int) -> Reply:
    return https.get(lambda: socket.create_connection(("127.0.0.1", port), 5), HOST, "/", TRUST)


@pytest.mark.parametrize("answer", answers("site"), ids=str)
def test_nothing_but_mastodon_passes_for_it(answer: Answer) -> None:
    with server(talk_http(lambda _unused: answer.content)) as port:
        try:
            found = ask(port)
        except OSError:
            return
    for question in OWN:
        with pytest.raises(WrongError):
            question.check(found)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_a_byte_now_and_then_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    monkeypatch.setattr(https, "_SECONDS", 0.5)

    def talk(link: socket.socket) -> None:
        link.recv(1000)
        link.sendall(begin)
        drip(link, b"HTTP/1.1 200 OK\r\nX: x")

    with server(talk) as port, pytest.raises(TimeoutError, match="no whole answer came in time"):
        ask(port)
