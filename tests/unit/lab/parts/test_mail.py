# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.parts import mail

TRUST = ssl.create_default_context()


class Box(ThreadingHTTPServer):
    """The API over the mails that `Link` took."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.subjects: list[str] = []
        self.open = False
        self.loses = False
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Box

    def _answer(self, content: bytes) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json" if content else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _asked(self) -> str:
        return parse_qs(urlsplit(self.path).query)["query"][0].removeprefix("subject:")

    def do_GET(self) -> None:
        found = [{"Subject": subject} for subject in self.server.subjects if subject == self._asked()]
        self._answer(json.dumps({"messages": found}).encode())

    def do_DELETE(self) -> None:
        self.server.subjects.remove(self._asked())
        self._answer(b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the handler's interface
        pass


class Link:
    """As much of smtplib.SMTP as is used."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.secure = self.known = False

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def starttls(self, context: ssl.SSLContext) -> None:
        assert context is TRUST
        self.secure = True

    def login(self, username: str, password: str) -> None:
        assert self.secure
        if (username, password) != ("mastodon", "right"):
            raise smtplib.SMTPAuthenticationError(535, b"Authentication failed")
        self.known = True

    def send_message(self, message: EmailMessage) -> None:
        if not (self.known or self.box.open):
            raise smtplib.SMTPSenderRefused(530, b"Authentication required", "lab@lab.test")
        if not self.box.loses:
            self.box.subjects.append(message["Subject"])

    def rset(self) -> None:
        pass


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    with Box() as made:
        Thread(target=made.serve_forever, daemon=True).start()
        monkeypatch.setattr(mail, "API_PORT", made.server_port)
        monkeypatch.setattr(smtplib, "SMTP", lambda *_, **__: Link(made))
        yield made
        made.shutdown()


def prove(word: str = "right") -> None:
    mail.prove("127.0.0.1", "mastodon", word, TRUST)


def test_a_proof_leaves_nothing(box: Box) -> None:
    box.subjects = ["somebody's"]
    prove()
    assert box.subjects == ["somebody's"]


def test_a_wrong_password_is_said(box: Box) -> None:
    with pytest.raises(LabError, match=r"^Mail server: it does not take a mail: .*Authentication failed.*\. See "):
        prove("wrong")
    assert box.subjects == []


def test_an_open_server_is_said(box: Box) -> None:
    box.open = True
    with pytest.raises(LabError, match=r"^Mail server: it takes mail from who has no password\. See "):
        prove()


def test_a_lost_mail_is_said(box: Box) -> None:
    box.loses = True
    with pytest.raises(LabError, match=r"^Mail server: a mail that it took is not there\. See "):
        prove()


def test_a_failing_api_is_said(box: Box) -> None:
    box.status = 500
    with pytest.raises(LabError, match=r"^Mail server: GET /api/v1/search.* fails: it answers 500\. See "):
        prove()
