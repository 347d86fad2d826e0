# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login at a real mail server of this process, which speaks as little SMTP as that takes."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._preconditions.mail import Login, handshake

SECRET = "canary-password"


class Speaker(socketserver.StreamRequestHandler):
    """Takes a login, or whatever `answers` says to a verb."""

    answers: ClassVar[dict[str, str]] = {}

    def handle(self) -> None:
        self.wfile.write(b"220 mail.test\r\n")
        while line := self.rfile.readline().decode():
            verb = line.split()[0].upper()
            usual = {"EHLO": "250-mail.test\r\n250 AUTH PLAIN", "AUTH": "235 welcome", "QUIT": "221 bye"}
            answer = self.answers.get(verb) or usual.get(verb, "502 no")
            self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def server(**answers: str) -> Iterator[int]:
    speaker = type("Speaking", (Speaker,), {"answers": answers})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), speaker) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


def login(port: int, *, verify: bool = True) -> str:
    return handshake(Login("127.0.0.1", port, "user", SECRET, "Vault path secret/m/smtp", verify))


def refused(port: int) -> str:
    with pytest.raises(MastodonError) as caught:
        login(port)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_server_that_takes_the_login_says_whether_it_encrypts() -> None:
    with server() as port:
        assert login(port) == f"Mail server 127.0.0.1:{port}: takes the login, NOT encrypted"


def test_a_wrong_password_names_where_it_came_from() -> None:
    with server(AUTH="535 no") as port:
        assert refused(port) == (
            f"Mail server 127.0.0.1:{port}: does not take the login: it answers 535. "
            "Correct username and password in Vault path secret/m/smtp."
        )


def without_login(port: int) -> str:
    return handshake(Login("127.0.0.1", port, "", "", ""))


def test_a_relay_that_wants_no_login_says_so() -> None:
    with server(MAIL="250 go on", RSET="250 done") as port:
        assert without_login(port) == f"Mail server 127.0.0.1:{port}: takes mail without a login, NOT encrypted"


def test_a_server_that_wants_a_login_after_all_is_named_with_the_setting() -> None:
    with server(MAIL="530 authentication required", RSET="250 done") as port, pytest.raises(MastodonError) as caught:
        without_login(port)
    assert str(caught.value).startswith(
        f"Mail server 127.0.0.1:{port}: takes no mail without a login: it answers 530. Set mastodon_smtp_login to true"
    )


def test_a_server_that_offers_no_login_is_told() -> None:
    with server(EHLO="250 mail.test") as port:
        assert refused(port).startswith(f"Mail server 127.0.0.1:{port}: does not speak with us: ")


def test_encryption_that_is_offered_and_fails_is_not_done_without() -> None:
    with server(EHLO="250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN", STARTTLS="220 go on") as port:
        assert refused(port).startswith(f"Mail server 127.0.0.1:{port}: TLS failed: ")


def test_nobody_there_is_told() -> None:
    with server() as port:
        pass
    assert refused(port).startswith(f"Mail server 127.0.0.1:{port}: does not speak with us: ")
