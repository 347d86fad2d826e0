# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server on loopback that encrypts from the start, by STARTTLS or not at all, and asks for a password."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

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
    # Whether each password came over a connection that anybody reads.
    sent_in_clear: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.senders.append(envelope.mail_from)
        self.recipients += envelope.rcpt_tos
        self.messages.append(message_from_bytes(envelope.content))
        self.was_encrypted.append(bool(server.transport.get_extra_info("sslcontext")))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.methods.append(mechanism)
        self.sent_in_clear.append(not server.transport.get_extra_info("sslcontext"))
        is_right = data == LoginPassword(LOGIN.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


@contextmanager
def serve(
    certificate: Path, *, starttls: bool = True, tls: bool = False, asks: bool = True, refuses: tuple[str, ...] = ()
) -> Iterator[Sink]:
    """Serve mail, to those with the password when it `asks`, by every way to log in but those it `refuses`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    sink = Sink()

    def protocol() -> SMTP:
        return SMTP(
            sink,
            authenticator=sink.authenticate,
            auth_required=asks,
            auth_require_tls=False,
            auth_exclude_mechanism=refuses,
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
