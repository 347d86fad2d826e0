# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail: what is written to users, and how it is handed to the server (config/email.yml)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.settings import Environment, Site, is_true, number

_SECONDS = 20
# lib/mastodon/email_configuration_helper.rb
_STARTTLS = {"always": "always", "never": "never", "false": "never", "auto": "auto", "": "auto"}
_METHODS = ("plain", "login", "cram_md5", "none")


@dataclass(frozen=True)
class MailSettings:
    """How to reach the mail server, and who writes."""

    server: str
    port: int
    # Mastodon logs in as soon as there is one, also as nobody: https://github.com/mastodon/mastodon/issues/772
    login: str | None
    password: str = field(repr=False)
    domain: str
    from_address: str
    reply_to: str
    return_path: str
    method: str
    starttls: str
    tls: bool
    is_verified: bool
    authority: str

    @classmethod
    def from_environment(cls, environment: Environment, site: Site) -> MailSettings:
        """Read SMTP_*; raise RefusalError for what cannot be meant."""
        delivery = environment.get("SMTP_DELIVERY_METHOD") or "smtp"
        if delivery != "smtp":
            raise RefusalError(f"SMTP_DELIVERY_METHOD: the stand-in knows no {delivery!r}. Use smtp.")
        sender = environment.get("SMTP_FROM_ADDRESS") or f"notifications@{site.local_domain}"
        if "@" not in parseaddr(sender)[1]:
            raise RefusalError(f"SMTP_FROM_ADDRESS: {sender!r} is not an address. Correct mastodon.smtp.fromAddress.")
        return cls(
            server=environment.get("SMTP_SERVER") or "localhost",
            port=number(environment, "SMTP_PORT", 25),
            login=environment.get("SMTP_LOGIN"),
            password=environment.get("SMTP_PASSWORD", ""),
            domain=environment.get("SMTP_DOMAIN") or site.local_domain,
            from_address=sender,
            reply_to=environment.get("SMTP_REPLY_TO", ""),
            return_path=environment.get("SMTP_RETURN_PATH") or parseaddr(sender)[1],
            method=_one_of(environment, "SMTP_AUTH_METHOD", "plain", {name: name for name in _METHODS}),
            starttls=_one_of(environment, "SMTP_ENABLE_STARTTLS", "auto", _STARTTLS),
            tls=is_true(environment, "SMTP_TLS") or is_true(environment, "SMTP_SSL"),
            is_verified=environment.get("SMTP_OPENSSL_VERIFY_MODE") != "none",
            authority=environment.get("SMTP_CA_FILE", ""),
        )


def _one_of(environment: Environment, name: str, default: str, known: Mapping[str, str]) -> str:
    value = environment.get(name) or default
    if value not in known:
        raise RefusalError(f"{name}: {value!r} is not known. Use one of {', '.join(filter(None, known))}.")
    return known[value]


@dataclass(frozen=True)
class Letter:
    """What a user gets to read, and the page that it is about."""

    subject: str
    text: str


def letter(site: Site, kind: str, token: str = "") -> Letter:
    """Return upstream's UserMailer's letter of that kind, in few words."""
    domain = site.local_domain
    letters = {
        "confirmation_instructions": Letter(
            f"Mastodon: Confirmation instructions for {domain}",
            f"You have created an account on {domain} with this e-mail address. To confirm that it is yours, visit:\n"
            f"{site.url(f'/auth/confirmation?confirmation_token={token}')}",
        ),
        "reset_password_instructions": Letter(
            "Mastodon: Reset password instructions",
            f"You requested a new password for your account on {domain}. To choose one, visit:\n"
            f"{site.url(f'/auth/password/edit?reset_password_token={token}')}",
        ),
        "password_change": Letter(
            "Mastodon: Password changed", f"The password for your account on {domain} has been changed."
        ),
    }
    if kind not in letters:
        raise RefusalError(f"Letter {kind}: there is no such kind. Use one of {', '.join(letters)}.")
    return letters[kind]


def message(settings: MailSettings, site: Site, to: str, written: Letter) -> EmailMessage:
    """Return a letter as it is sent."""
    made = EmailMessage()
    made["From"] = settings.from_address
    made["To"] = to
    if settings.reply_to:
        made["Reply-To"] = settings.reply_to
    made["Subject"] = written.subject
    made["Date"] = formatdate()
    made["Message-ID"] = make_msgid(domain=site.local_domain)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(f"{written.text}\n")
    return made


def send(settings: MailSettings, mail: EmailMessage) -> None:
    """Hand a message to the server; raise UnavailableError when it does not take it."""
    with _connected(settings) as server:
        server.send_message(mail, from_addr=parseaddr(settings.return_path)[1])


@contextmanager
def _connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    try:
        with _dialled(settings) as server:
            server.ehlo()
            if not settings.tls and _wants_starttls(settings, server):
                server.starttls(context=_context(settings))
                server.ehlo()
            if settings.login is not None:
                _authenticate(settings, server)
            yield server
    except (smtplib.SMTPException, OSError) as error:
        raise UnavailableError(
            f"Mail server {settings.server}:{settings.port}: {error}. Check mastodon.smtp and its Secret."
        ) from error


def _dialled(settings: MailSettings) -> smtplib.SMTP:
    if settings.tls and settings.starttls != "never":
        # As the gem says at every mail: https://github.com/mikel/mail/blob/2.8.1/lib/mail/network/delivery_methods/smtp.rb
        raise OSError(":enable_starttls and :tls are mutually exclusive, set SMTP_ENABLE_STARTTLS to never")
    where = (settings.server, settings.port, settings.domain)
    if settings.tls:
        return smtplib.SMTP_SSL(*where, timeout=_SECONDS, context=_context(settings))
    return smtplib.SMTP(*where, timeout=_SECONDS)


def _wants_starttls(settings: MailSettings, server: smtplib.SMTP) -> bool:
    return settings.starttls == "always" or (settings.starttls == "auto" and server.has_extn("starttls"))


def _authenticate(settings: MailSettings, server: smtplib.SMTP) -> None:
    """Use the one method that is configured, or Ruby's default in place of none; smtplib's own `login` would choose."""
    server.user, server.password = settings.login or "", settings.password
    match settings.method:
        case "plain" | "none":
            server.auth("PLAIN", server.auth_plain)
        case "login":
            server.auth("LOGIN", server.auth_login)
        case "cram_md5":
            server.auth("CRAM-MD5", server.auth_cram_md5)


def _context(settings: MailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.authority or None)
    if not settings.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
