# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the mail server lets Mastodon in. No mail is sent."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, shortened
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watched, within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial, direct

_SECONDS = 15
_WHOLE_SECONDS = 60
_READY = 220
_LONGEST = 200
STARTTLS = ("always", "auto", "never")
METHODS = ("plain", "login", "cram_md5")


class RefusedError(MastodonError):
    """The server does not accept the login."""


@dataclass(frozen=True)
class Login:
    """A mail server, as Mastodon is configured to speak with it, and who logs in: nobody without a `username`.

    With `tls` it is encrypted from the start, otherwise by `starttls`. `source` is where the password was read, for errors.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    source: str
    tls: bool = False
    starttls: str = "always"
    method: str = "plain"
    verify: bool = True


def handshake(login: Login, dial: Dial | None = None) -> str:
    """Report that the server takes mail from Mastodon. `dial` opens the socket where there is no route. Raises MastodonError."""
    subject = f"Mail server {login.host}:{login.port}"
    try:
        with within(_WHOLE_SECONDS), _connected(login, dial or direct(login.host, login.port, _SECONDS)) as link:
            encrypted = _encrypt(link, login, subject)
            if login.username:
                _log_in(link, login, subject)
            else:
                _begin_mail(link, subject)
    except ssl.SSLError as error:
        raise MastodonError(subject, "TLS failed", str(error.reason or error), _tls_remedy(login, error)) from error
    except smtplib.SMTPAuthenticationError as error:
        raise RefusedError(
            subject, "does not accept the login", f"it answers {error.smtp_code}", _login_remedy(login, error)
        ) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        remedy = "Check mastodon_smtp_server and mastodon_smtp_port, and whether a firewall keeps mail in."
        raise MastodonError(subject, "cannot be used", _reason(error), remedy) from error
    taken = "accepts the login" if login.username else "accepts mail without a login"
    return f"{subject}: {taken}, {'encrypted' if encrypted else 'NOT encrypted'}"


def _reason(error: Exception) -> str:
    if not isinstance(error, smtplib.SMTPResponseException):
        return str(error)
    # What is no code at all smtplib calls -1.
    if error.smtp_code < 0:
        return "it does not answer as mail servers do"
    text = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
    return f"it answers {error.smtp_code}: {shortened(text, _LONGEST, 0)}"


def _encrypt(link: smtplib.SMTP, login: Login, subject: str) -> bool:
    """Return whether the connection is encrypted from now on. Before that no password is sent, unless that was asked for."""
    if login.tls or login.starttls == "never":
        return login.tls
    offered = link.has_extn("starttls")
    if offered:
        link.starttls(context=_context(login))
        link.ehlo()
    elif login.starttls == "always":
        why = "it offers no STARTTLS, so that anybody on the way could read mail and password"
        remedy = "Use a port that does (587, or 465), or set mastodon.smtp.enableStartTls in mastodon_values to auto."
        raise MastodonError(subject, "does not encrypt", why, remedy)
    return offered


def _log_in(link: smtplib.SMTP, login: Login, subject: str) -> None:
    """Log in by Mastodon's one method, offered or not, where smtplib's own `login` would choose among all."""
    if not (login.username.isascii() and login.password.isascii()):
        # smtplib's own error would show a letter of it, and where it is.
        why = "there is a character in username or password that is not ASCII"
        remedy = f"Write another into {login.source}, which the server knows."
        raise MastodonError(subject, "cannot be asked", why, remedy)
    link.user, link.password = login.username, login.password
    ways: dict[str, Any] = {"plain": link.auth_plain, "login": link.auth_login, "cram_md5": link.auth_cram_md5}
    name = login.method.upper().replace("_", "-")
    link.auth(name, ways[login.method], initial_response_ok=login.method == "plain")


def _login_remedy(login: Login, error: smtplib.SMTPAuthenticationError) -> str:
    # An unknown or unwanted command, or a way to log in that it does not have: https://www.rfc-editor.org/rfc/rfc4954#section-4
    if error.smtp_code in (500, 502, 503, 504, 538):
        return f"It may not know {login.method}: set mastodon.smtp.authMethod in mastodon_values to a way to log in that it has."
    return f"Correct username and password in {login.source}."


def _tls_remedy(login: Login, error: ssl.SSLError) -> str:
    # It speaks before it encrypts.
    if login.tls and error.reason == "WRONG_VERSION_NUMBER":
        return "Correct mastodon_smtp_port (587 for STARTTLS), or set mastodon.smtp.tls in mastodon_values to false."
    return "Give the server a certificate for this name, or correct mastodon_smtp_server."


def _begin_mail(link: smtplib.SMTP, subject: str) -> None:
    # Who wants a login says so to the first command of a mail: https://www.rfc-editor.org/rfc/rfc4954#section-6
    code, _unused = link.mail("")
    link.rset()
    if code != 250:
        remedy = (
            "Set mastodon_smtp_login to true and put the login into Vault, or let the server take mail from the pods."
        )
        raise MastodonError(subject, "accepts no mail without a login", f"it answers {code}", remedy)


def _connected(login: Login, dial: Dial) -> smtplib.SMTP:
    link = _Dialled(login, dial)
    code, text = link.connect(login.host, login.port)
    if code != _READY:
        raise smtplib.SMTPConnectError(code, text)
    link.ehlo_or_helo_if_needed()
    return link


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
        opened = watched(self._dial())
        if not self._login.tls:
            return opened
        return _context(self._login).wrap_socket(opened, server_hostname=self._login.host)
