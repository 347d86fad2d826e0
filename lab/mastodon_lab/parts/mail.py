# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the mail server take mail from who knows the password, over TLS, and show it afterwards?"""

from __future__ import annotations

import json
import secrets
import smtplib
import ssl
from email.message import EmailMessage
from http.client import HTTPConnection
from typing import Any

from mastodon_lab.errors import LabError

HOST = "mailpit.mail.svc.cluster.local"
SMTP_PORT = 1025
API_PORT = 8025
SECONDS = 5.0
ADVICE = "See `kubectl -n mail logs mailpit-0`."


def prove(address: str, username: str, password: str, trust: ssl.SSLContext) -> None:
    """Raise LabError or OSError unless a mail sent with the password is there, and one without it is refused."""
    subject = f"lab-proof-{secrets.token_hex(4)}"
    try:
        with smtplib.SMTP(address, SMTP_PORT, timeout=SECONDS) as link:
            link.starttls(context=trust)
            _refused_without_password(link, subject)
            link.login(username, password)
            link.send_message(_mail(subject))
    except smtplib.SMTPException as error:
        raise LabError(f"Mail server: it does not take a mail: {error}. {ADVICE}") from error
    _shown_and_deleted(address, subject)


def api_url(address: str) -> str:
    return f"http://{address}:{API_PORT}"


def _refused_without_password(link: smtplib.SMTP, subject: str) -> None:
    try:
        link.send_message(_mail(subject))
    except smtplib.SMTPException:
        link.rset()
        return
    raise LabError(f"Mail server: it takes mail from who has no password. {ADVICE}")


def _mail(subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "lab@lab.test", "proof@lab.test", subject
    mail.set_content("Sent by the lab to see whether mail works.\n")
    return mail


def _shown_and_deleted(address: str, subject: str) -> None:
    """Over its API: https://mailpit.axllent.org/docs/api-v1/"""
    query = f"/api/v1/search?query=subject:{subject}"
    found = _call(address, "GET", query)["messages"]
    if [mail["Subject"] for mail in found] != [subject]:
        raise LabError(f"Mail server: a mail that it took is not there. {ADVICE}")
    _call(address, "DELETE", query)


def _call(address: str, method: str, path: str) -> Any:
    connection = HTTPConnection(address, API_PORT, timeout=SECONDS)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise LabError(f"Mail server: {method} {path} fails: it answers {answer.status}. {ADVICE}")
    return json.loads(content) if answer.getheader("Content-Type", "").startswith("application/json") else None
