# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.mail_server import LOGIN, PASSWORD, Server, Sink
from mastodon_stand_in import mail
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.mail import MailSettings
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import Site

from .browser import EMAIL, add_alice, work


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


def send(given: dict[str, str | None], site: Site, sink: Sink) -> None:
    environment = {name: value for name, value in given.items() if value is not None}
    settings = MailSettings.from_environment({**environment, "SMTP_PORT": str(sink.port)}, site)
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
        ({"SMTP_TLS": "true", "SMTP_ENABLE_STARTTLS": "never"}, {"starttls": False, "tls": True}, "PLAIN", True),
        ({"SMTP_CA_FILE": "", "SMTP_OPENSSL_VERIFY_MODE": "none"}, {}, "PLAIN", True),
        ({"SMTP_ENABLE_STARTTLS": "false"}, {}, "PLAIN", False),
        # A name is reason enough to log in.
        ({"SMTP_AUTH_METHOD": "none"}, {}, "PLAIN", True),
        ({"SMTP_AUTH_METHOD": "none", "SMTP_LOGIN": None}, {"asks": False}, None, True),
    ],
)
def test_mail_is_sent_as_configured(
    mail_server: Server,
    given: dict[str, str],
    site: Site,
    changed: dict[str, str | None],
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
        ({"SMTP_AUTH_METHOD": "none", "SMTP_LOGIN": None}, {}, "530"),
        ({"SMTP_AUTH_METHOD": "none", "SMTP_LOGIN": "", "SMTP_PASSWORD": ""}, {"asks": False}, "535"),
        ({"SMTP_TLS": "true"}, {"tls": True}, "are mutually exclusive"),
        ({"SMTP_TLS": "true", "SMTP_ENABLE_STARTTLS": "auto"}, {"tls": True}, "are mutually exclusive"),
        ({"SMTP_SSL": "true", "SMTP_ENABLE_STARTTLS": "always"}, {"tls": True}, "are mutually exclusive"),
    ],
)
def test_mail_that_is_not_taken_is_one_sentence_without_the_password(
    mail_server: Server,
    given: dict[str, str],
    site: Site,
    changed: dict[str, str | None],
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
