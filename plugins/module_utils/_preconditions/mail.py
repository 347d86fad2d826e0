# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the mail server lets Mastodon in. No mail is sent. This module util is PRIVATE to the collection."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass, field

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import Dial

_SECONDS = 15
_SMTPS = 465


@dataclass(frozen=True)
class Login:
    """A mail server and who logs in: nobody without a `username`. `source` is where the password was read, for errors."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    source: str
    verify: bool = True


def handshake(login: Login, dial: Dial | None = None) -> str:
    """Tell that the server encrypts and takes the login. `dial` opens the socket where there is no route. Raises MastodonError."""
    subject = f"Mail server {login.host}:{login.port}"
    try:
        with _connected(login, dial or (lambda: _direct(login))) as link:
            encrypted = login.port == _SMTPS or link.has_extn("starttls")
            if login.port != _SMTPS and encrypted:
                link.starttls(context=_context(login))
            if login.username:
                link.login(login.username, login.password)
            else:
                _begin_mail(link, subject)
    except ssl.SSLError as error:
        remedy = "Give the server a certificate for this name, or correct mastodon_smtp_server."
        raise MastodonError(subject, "TLS failed", str(error.reason or error), remedy) from error
    except smtplib.SMTPAuthenticationError as error:
        remedy = f"Correct username and password in {login.source}."
        raise MastodonError(subject, "does not take the login", f"it answers {error.smtp_code}", remedy) from error
    except (smtplib.SMTPException, OSError) as error:
        remedy = "Check mastodon_smtp_server and mastodon_smtp_port, and whether a firewall keeps mail in."
        raise MastodonError(subject, "does not speak with us", str(error), remedy) from error
    taken = "takes the login" if login.username else "takes mail without a login"
    return f"{subject}: {taken}, {'encrypted' if encrypted else 'NOT encrypted'}"


def _begin_mail(link: smtplib.SMTP, subject: str) -> None:
    # Who wants a login says so to the first command of a mail: https://www.rfc-editor.org/rfc/rfc4954#section-6
    code, _unused = link.mail("")
    link.rset()
    if code != 250:
        remedy = (
            "Set mastodon_smtp_login to true and put the login into Vault, or let the server take mail from the pods."
        )
        raise MastodonError(subject, "takes no mail without a login", f"it answers {code}", remedy)


def _connected(login: Login, dial: Dial) -> smtplib.SMTP:
    link = _Dialled(login, dial)
    link.connect(login.host, login.port)
    link.ehlo()
    return link


def _direct(login: Login) -> socket.socket:
    return socket.create_connection((login.host, login.port), _SECONDS)


def _context(login: Login) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not login.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Dialled(smtplib.SMTP):
    """Talks over the socket that `dial` opens."""

    def __init__(self, login: Login, dial: Dial) -> None:
        super().__init__(timeout=_SECONDS)
        self._login = login
        self._dial = dial
        # What TLS checks the certificate for, as `connect` alone does not note it.
        self._host = login.host

    def _get_socket(self, *_unused: object) -> socket.socket:
        opened = self._dial()
        if self._login.port != _SMTPS:
            return opened
        return _context(self._login).wrap_socket(opened, server_hostname=self._login.host)
