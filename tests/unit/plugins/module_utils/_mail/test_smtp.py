# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login at a real mail server of this process, which speaks as little SMTP as that takes."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail.smtp import Login, handshake
from ansible_collections.fediverse.mastodon.tests.unit.mail_server import LOGIN, PASSWORD, Server, Sink

SECRET = "canary-password"


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process trust the servers of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


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


def login(port: int, starttls: str = "auto") -> str:
    return handshake(Login("127.0.0.1", port, "user", SECRET, "Vault path secret/m/smtp", starttls=starttls))


def refused(port: int) -> str:
    with pytest.raises(MastodonError) as caught:
        login(port)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_server_that_takes_the_login_says_whether_it_encrypts() -> None:
    with server() as port:
        assert login(port) == f"Mail server 127.0.0.1:{port}: accepts the login, NOT encrypted"


def test_a_wrong_password_names_where_it_came_from() -> None:
    with server(AUTH="535 no") as port:
        assert refused(port) == (
            f"Mail server 127.0.0.1:{port}: does not accept the login: it answers 535. "
            "Correct username and password in Vault path secret/m/smtp."
        )


@pytest.mark.parametrize("method", ["plain", "login", "cram_md5"])
def test_no_letter_is_shown_of_a_password_that_cannot_be_sent(method: str) -> None:
    with server(AUTH="334 PDEyMz4=") as port, pytest.raises(MastodonError) as caught:
        handshake(Login("127.0.0.1", port, "user", "canary-ø", "Vault path m", starttls="never", method=method))
    assert str(caught.value) == (
        f"Mail server 127.0.0.1:{port}: cannot be asked: there is a character in username or password that is not ASCII. "
        "Write another into Vault path m, which the server knows."
    )


def without_login(port: int) -> str:
    return handshake(Login("127.0.0.1", port, "", "", "", starttls="auto"))


def test_a_relay_that_wants_no_login_says_so() -> None:
    with server(MAIL="250 go on", RSET="250 done") as port:
        assert without_login(port) == f"Mail server 127.0.0.1:{port}: accepts mail without a login, NOT encrypted"


def test_a_server_that_wants_a_login_after_all_is_named_with_the_setting() -> None:
    with server(MAIL="530 authentication required", RSET="250 done") as port, pytest.raises(MastodonError) as caught:
        without_login(port)
    assert str(caught.value).startswith(
        f"Mail server 127.0.0.1:{port}: accepts no mail without a login: it answers 530. Set mastodon_smtp_login to true"
    )


def test_a_server_that_offers_no_login_is_reported() -> None:
    with server(EHLO="250 mail.test", AUTH="502 no") as port:
        assert refused(port) == (
            f"Mail server 127.0.0.1:{port}: does not accept the login: it answers 502. "
            "It may not know plain: set mastodon.smtp.authMethod in mastodon_values to a way to log in that it has."
        )


def test_encryption_that_is_offered_and_fails_is_not_done_without() -> None:
    with server(EHLO="250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN", STARTTLS="220 go on") as port:
        assert refused(port).startswith(f"Mail server 127.0.0.1:{port}: TLS failed: ")


def test_nobody_there_is_reported() -> None:
    with server() as port:
        pass
    assert refused(port).startswith(f"Mail server 127.0.0.1:{port}: cannot be used: ")


def speak(sink: Sink, **how: Any) -> str:
    return handshake(Login("localhost", sink.port, LOGIN, PASSWORD, "Vault path secret/m/smtp", **how))


@pytest.mark.parametrize(
    ("served", "how", "methods"),
    [
        ({"tls": True, "starttls": False}, {"tls": True, "starttls": "never"}, ["PLAIN"]),
        ({}, {}, ["PLAIN"]),
        ({}, {"starttls": "auto"}, ["PLAIN"]),
        ({}, {"method": "login"}, ["LOGIN"]),
        ({"refuses": ("PLAIN",)}, {"method": "login"}, ["LOGIN"]),
    ],
    ids=["port 465", "port 587", "whatever is offered", "another way to log in", "the one way that is left"],
)
def test_the_password_is_sent_encrypted_and_as_mastodon_does(
    mail_server: Server, trusted: None, served: dict[str, Any], how: dict[str, Any], methods: list[str]
) -> None:
    with mail_server(**served) as sink:
        assert speak(sink, **how) == f"Mail server localhost:{sink.port}: accepts the login, encrypted"
    assert (sink.methods, sink.sent_in_clear) == (methods, [False])


def test_no_password_is_sent_where_encryption_is_not_offered(mail_server: Server) -> None:
    with mail_server(starttls=False) as sink, pytest.raises(MastodonError) as caught:
        speak(sink)
    assert sink.methods == []
    assert str(caught.value) == (
        f"Mail server localhost:{sink.port}: does not encrypt: it offers no STARTTLS, so that anybody on the way could read mail "
        "and password. Use a port that does (587, or 465), or set mastodon.smtp.enableStartTls in mastodon_values to auto."
    )


@pytest.mark.parametrize("starttls", ["auto", "never"])
def test_it_is_sent_in_the_clear_where_that_was_asked_for(mail_server: Server, starttls: str) -> None:
    with mail_server(starttls=False) as sink:
        assert speak(sink, starttls=starttls).endswith("accepts the login, NOT encrypted")
    assert sink.sent_in_clear == [True]


def test_a_way_to_log_in_that_the_server_has_not_is_reported_though_it_has_others(
    mail_server: Server, trusted: None
) -> None:
    with mail_server(refuses=("PLAIN",)) as sink, pytest.raises(MastodonError) as caught:
        speak(sink)
    assert "does not accept the login: it answers 504. It may not know plain: set mastodon.smtp.authMethod" in str(
        caught.value
    )


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_password(mail_server: Server) -> None:
    with mail_server(tls=True) as sink, pytest.raises(MastodonError, match="TLS failed: CERTIFICATE_VERIFY_FAILED"):
        speak(sink, tls=True)
    assert sink.methods == []


def test_a_server_that_encrypts_later_is_reported_with_both_ways_out(mail_server: Server, trusted: None) -> None:
    with mail_server() as sink, pytest.raises(MastodonError) as caught:
        speak(sink, tls=True)
    assert "TLS failed: WRONG_VERSION_NUMBER. Correct mastodon_smtp_port (587 for STARTTLS), or set" in str(
        caught.value
    )
