# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mastodon_stand_in import mail
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.mail import MailSettings
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import Site

from .browser import EMAIL, add_alice, work

LOGIN, PASSWORD = "mastodon", "mail-password"
Server = Callable[..., AbstractContextManager["Sink"]]


@dataclass
class Sink:
    """What a mail server received."""

    port: int = 0
    senders: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.senders.append(envelope.mail_from)
        self.recipients += envelope.rcpt_tos
        self.messages.append(message_from_bytes(envelope.content))
        self.was_encrypted.append(bool(server.transport.get_extra_info("sslcontext")))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.methods.append(mechanism)
        is_right = data == LoginPassword(LOGIN.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` that nobody but itself vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("mail") / "server.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def mail_server(certificate: Path) -> Server:
    """Runs a mail server on loopback that asks for the password."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    @contextmanager
    def run(starttls: bool = True, tls: bool = False, asks: bool = True) -> Iterator[Sink]:
        sink = Sink()

        def protocol() -> SMTP:
            return SMTP(
                sink,
                authenticator=sink.authenticate,
                auth_required=asks,
                auth_require_tls=False,
                tls_context=context if starttls else None,
                loop=loop,
            )

        loop = asyncio.new_event_loop()
        listening = loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls else None)
        sink.port = loop.run_until_complete(listening).sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield sink
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    return run


@pytest.fixture
def given(certificate: Path) -> dict[str, str]:
    """What the chart gives a Sidekiq pod."""
    return {
        "SMTP_SERVER": "localhost",
        "SMTP_LOGIN": LOGIN,
        "SMTP_PASSWORD": PASSWORD,
        "SMTP_FROM_ADDRESS": "Lab <notifications@lab.test>",
        "SMTP_CA_FILE": str(certificate),
    }


def send(given: dict[str, str], site: Site, sink: Sink) -> None:
    settings = MailSettings.from_environment({**given, "SMTP_PORT": str(sink.port)}, site)
    written = mail.letter(site, "confirmation_instructions", "T0KEN")
    mail.send(settings, mail.message(settings, site, EMAIL, written))


@pytest.mark.parametrize(
    ("changed", "options", "method", "encrypted"),
    [
        ({}, {}, "PLAIN", True),
        ({"SMTP_AUTH_METHOD": "login"}, {}, "LOGIN", True),
        ({"SMTP_ENABLE_STARTTLS": "always"}, {}, "PLAIN", True),
        ({"SMTP_ENABLE_STARTTLS": "never"}, {}, "PLAIN", False),
        ({"SMTP_ENABLE_STARTTLS": "auto"}, {"starttls": False}, "PLAIN", False),
        ({"SMTP_TLS": "true"}, {"starttls": False, "tls": True}, "PLAIN", True),
        ({"SMTP_CA_FILE": "", "SMTP_OPENSSL_VERIFY_MODE": "none"}, {}, "PLAIN", True),
        ({"SMTP_AUTH_METHOD": "none"}, {"asks": False}, None, True),
    ],
)
def test_mail_is_sent_as_configured(
    mail_server: Server,
    given: dict[str, str],
    site: Site,
    changed: dict[str, str],
    options: dict[str, bool],
    method: str | None,
    encrypted: bool,
) -> None:
    with mail_server(**options) as sink:
        send({**given, **changed}, site, sink)
    assert (sink.senders, sink.recipients) == (["notifications@lab.test"], [EMAIL])
    assert (sink.methods, sink.was_encrypted) == ([method] if method else [], [encrypted])


@pytest.mark.parametrize(
    ("changed", "options", "reason"),
    [
        ({"SMTP_PASSWORD": "wrong"}, {}, "535"),
        ({"SMTP_CA_FILE": ""}, {}, "certificate verify failed"),
        ({"SMTP_ENABLE_STARTTLS": "always"}, {"starttls": False}, "STARTTLS extension not supported"),
        ({"SMTP_AUTH_METHOD": "none"}, {}, "530"),
    ],
)
def test_mail_that_is_not_taken_is_one_sentence_without_the_password(
    mail_server: Server,
    given: dict[str, str],
    site: Site,
    changed: dict[str, str],
    options: dict[str, bool],
    reason: str,
) -> None:
    with mail_server(**options) as sink, pytest.raises(UnavailableError) as refusal:
        send({**given, **changed}, site, sink)
    assert sink.messages == []
    said = str(refusal.value)
    assert said.startswith(f"Mail server localhost:{sink.port}: ")
    assert reason in said
    assert PASSWORD not in said


def test_a_letter_says_who_writes_and_links_to_the_web_domain(
    mail_server: Server, given: dict[str, str], site: Site
) -> None:
    with mail_server() as sink:
        send({**given, "SMTP_REPLY_TO": "admin@lab.test", "SMTP_RETURN_PATH": "bounces@lab.test"}, site, sink)
    (letter,) = sink.messages
    assert sink.senders == ["bounces@lab.test"]
    assert (letter["From"], letter["Reply-To"]) == ("Lab <notifications@lab.test>", "admin@lab.test")
    assert letter["Subject"] == "Mastodon: Confirmation instructions for lab.test"
    assert (
        "https://social.lab.test/auth/confirmation?confirmation_token=T0KEN"
        in bytes(letter.get_payload(decode=True)).decode()
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"SMTP_DELIVERY_METHOD": "sendmail"}, "^SMTP_DELIVERY_METHOD: the stand-in knows no 'sendmail'"),
        ({"SMTP_FROM_ADDRESS": "nobody"}, "^SMTP_FROM_ADDRESS: 'nobody' is not an address"),
        ({"SMTP_AUTH_METHOD": "digest"}, "^SMTP_AUTH_METHOD: 'digest' is not known"),
        ({"SMTP_ENABLE_STARTTLS": "maybe"}, "^SMTP_ENABLE_STARTTLS: 'maybe' is not known"),
        ({"SMTP_PORT": "smtp"}, "^SMTP_PORT: 'smtp' is not a whole number"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, str], site: Site, changed: dict[str, str], message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        MailSettings.from_environment({**given, **changed}, site)


def test_settings_show_no_password(given: dict[str, str], site: Site) -> None:
    assert PASSWORD not in repr(MailSettings.from_environment(given, site))


@pytest.mark.parametrize("kind", ["confirmation_instructions", "reset_password_instructions", "password_change"])
def test_each_kind_of_letter_is_a_job(
    mail_server: Server, given: dict[str, str], services: Services, worker: Worker, kind: str
) -> None:
    add_alice(services)
    with services.database.transaction() as cursor:
        cursor.execute("SELECT id FROM users")
        (user,) = cursor.fetchall()
    with mail_server() as sink:
        settings = MailSettings.from_environment({**given, "SMTP_PORT": str(sink.port)}, services.site)
        services.jobs.enqueue_mail(kind, user["id"], *(["T0KEN"] if "instructions" in kind else []))
        fields = {**vars(worker), "mail": settings}
        assert work(Worker(**fields)) == ["ActionMailer::MailDeliveryJob"]
    assert sink.recipients == [EMAIL]
