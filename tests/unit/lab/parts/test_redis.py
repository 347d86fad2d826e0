# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from socket import create_server, socket
from threading import Thread

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.parts import redis


class Server:
    """Understands AUTH and PING, one connection after the other."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.listener = create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            with link:
                self._talk(link)

    def _talk(self, link: socket) -> None:
        known = not self.password
        with link.makefile("rw", newline="\r\n") as lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                known = known or (word == "AUTH" and rest == self.password)
                answer = "-NOAUTH" if not known else "+PONG" if word == "PING" else "+OK"
                print(answer, file=lines, flush=True)


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server("secret")
    monkeypatch.setattr(redis, "PORT", server.port)
    yield server
    server.listener.close()


@pytest.mark.usefixtures("secured")
def test_who_knows_the_password_is_answered() -> None:
    redis.prove("127.0.0.1", "secret")


@pytest.mark.usefixtures("secured")
def test_a_refused_password_is_said_but_not_shown() -> None:
    with pytest.raises(LabError, match="refuses the password") as refused:
        redis.prove("127.0.0.1", "other")
    assert "other" not in str(refused.value)


def test_an_open_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("")
    monkeypatch.setattr(redis, "PORT", server.port)
    with pytest.raises(LabError, match="it answers without a password"):
        redis.prove("127.0.0.1", "secret")
    server.listener.close()


def test_no_server_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(redis, "PORT", listener.getsockname()[1])
    with pytest.raises(LabError, match=r"^Redis: it does not answer: "):
        redis.prove("127.0.0.1", "secret")
