# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail is taken over TLS from who has the password that OpenBao gives Mastodon, and from nobody else."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from ...conftest import Lab


@pytest.fixture
def link(lab: Lab) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server whose certificate is trusted."""
    address = str(urlsplit(lab.facts["mail_api"]).hostname)
    with smtplib.SMTP(address, 1025, timeout=30) as link:
        link.starttls(context=ssl.create_default_context(cafile=lab.facts["acme_ca_file"]))
        yield link


def mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "smoke@lab.test", "somebody@lab.test", subject
    message.set_content("Hello.")
    return message


def test_a_mail_sent_with_the_password_is_received(lab: Lab, link: smtplib.SMTP) -> None:
    stored = lab.stored("smtp")
    subject = f"smoke-{uuid4().hex}"
    link.login(stored["username"], stored["password"])
    link.send_message(mail(subject))
    search = f"{lab.facts['mail_api']}/api/v1/search?query=subject:{subject}"
    with urlopen(search, timeout=30) as answer:
        (received,) = json.load(answer)["messages"]
    with urlopen(Request(search, method="DELETE"), timeout=30):
        pass
    assert (received["From"]["Address"], received["To"][0]["Address"]) == ("smoke@lab.test", "somebody@lab.test")


def test_nobody_else_may_send(link: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
        link.send_message(mail("smoke"))
