# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL with TLS required, offered and absent, and a Redis behind TLS, asked as Mastodon speaks with them."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import RefusedLoginError, Server
from ansible_collections.fediverse.mastodon.tests.unit.postgresql import DATABASE, PASSWORD, USERNAME, behind_tls, serve
from fakeredis import TcpFakeServer


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server without TLS."""
    with serve(tmp_path_factory.mktemp("postgresql")) as port:
        yield port


@pytest.fixture(scope="module")
def offered(plain: int, certificate: Path) -> Iterator[int]:
    """One that takes both."""
    with behind_tls(plain, certificate, insists=False) as port:
        yield port


@pytest.fixture(scope="module")
def required(plain: int, certificate: Path) -> Iterator[int]:
    """One that insists on TLS."""
    with behind_tls(plain, certificate, insists=True) as port:
        yield port


def ask(port: int, sslmode: str, *, host: str = "localhost", password: str = PASSWORD) -> str:
    server = Server("PostgreSQL", host, port, "Secret a/b", sslmode=sslmode)
    return postgresql_server.ask(server, USERNAME, password, DATABASE).encoding


def refused(port: int, sslmode: str) -> str:
    with pytest.raises(MastodonError) as caught:
        ask(port, sslmode)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("server", "sslmode"),
    [
        ("required", "require"),
        ("required", "prefer"),
        ("offered", "require"),
        ("offered", "prefer"),
        ("offered", "disable"),
        ("plain", "prefer"),
        ("plain", "disable"),
    ],
)
def test_a_server_is_used_as_it_was_asked_for(request: pytest.FixtureRequest, server: str, sslmode: str) -> None:
    assert ask(request.getfixturevalue(server), sslmode) == "UTF8"


def test_a_server_that_insists_on_tls_is_not_used_without(required: int) -> None:
    reported = refused(required, "disable")
    assert reported.startswith(
        f"PostgreSQL localhost:{required}: {USERNAME} cannot use {DATABASE}: no pg_hba.conf entry for"
    )
    assert reported.endswith("Set cnpg_external_sslmode to require, or let it in by pg_hba.conf there.")


@pytest.mark.parametrize("sslmode", ["require", "verify-full"])
def test_a_server_without_tls_is_used_only_when_that_was_asked_for(plain: int, sslmode: str) -> None:
    assert refused(plain, sslmode) == (
        f"PostgreSQL localhost:{plain}: does not encrypt: it offers no TLS, so that anybody on the way could read along. "
        "Turn TLS on there (ssl = on), or set cnpg_external_sslmode to disable."
    )


def test_a_certificate_of_a_public_authority_is_wanted_where_that_was_asked_for(
    offered: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(offered, "verify-full") == (
        f"PostgreSQL localhost:{offered}: TLS failed: self-signed certificate. "
        "Give the server a certificate of a public authority for this name, or set cnpg_external_sslmode to require."
    )
    monkeypatch.setattr(postgresql_server, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    assert ask(offered, "verify-full") == "UTF8"
    with pytest.raises(MastodonError, match="TLS failed: IP address mismatch"):
        ask(offered, "verify-full", host="127.0.0.1")


def test_a_wrong_password_is_reported_as_such_over_tls_too(offered: int) -> None:
    with pytest.raises(RefusedLoginError, match="password authentication failed"):
        ask(offered, "require", password="wrong")


class Greedy(socketserver.StreamRequestHandler):
    """A server without TLS that asks for the password itself, as `password` in pg_hba.conf makes it."""

    heard: ClassVar[bytes] = b""

    def handle(self) -> None:
        while part := self.request.recv(4096):
            type(self).heard += part
            is_ssl_request = part == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
            # N refuses TLS; R with 3 asks for the password: https://www.postgresql.org/docs/current/protocol-message-formats.html
            self.wfile.write(b"N" if is_ssl_request else b"R\x00\x00\x00\x08\x00\x00\x00\x03")
            if PASSWORD.encode() in self.heard:
                return


@pytest.fixture
def without_tls() -> Iterator[tuple[int, type[Greedy]]]:
    handler = type("Greedy", (Greedy,), {"heard": b""})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_address[1], handler
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize("sslmode", ["require", "verify-full"])
def test_no_password_is_sent_to_a_database_without_tls(without_tls: tuple[int, type[Greedy]], sslmode: str) -> None:
    port, server = without_tls
    assert "does not encrypt" in refused(port, sslmode)
    assert PASSWORD.encode() not in server.heard


def test_it_is_reported_where_that_was_asked_for(without_tls: tuple[int, type[Greedy]]) -> None:
    port, server = without_tls
    with pytest.raises((MastodonError, OSError)):
        ask(port, "disable")
    assert PASSWORD.encode() in server.heard


class Secure(socketserver.StreamRequestHandler):
    """A Redis that speaks TLS only, up to where it would be asked something."""

    context: ClassVar[ssl.SSLContext]
    heard: ClassVar[bytes] = b""

    def handle(self) -> None:
        type(self).heard += self.request.recv(4096, socket.MSG_PEEK)
        try:
            self.context.wrap_socket(self.request, server_side=True).close()
        except OSError:
            return


def test_a_redis_that_speaks_tls_only_is_refused_before_it_is_sent_the_password(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    handler = type("Secure", (Secure,), {"context": context, "heard": b""})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        server = Server("Redis", "localhost", listening.server_address[1], "Secret a/b")
        with pytest.raises(MastodonError) as caught:
            redis_server.refuse_tls(server)
        listening.shutdown()
        thread.join()
    assert str(caught.value).startswith(f"{server}: cannot be used by Mastodon: it accepts connections with TLS only")
    assert b"AUTH" not in handler.heard


def test_a_redis_without_tls_is_asked(closed_port: int) -> None:
    plain = TcpFakeServer(("127.0.0.1", 0), server_version=(7, 2))
    thread = threading.Thread(target=plain.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    redis_server.refuse_tls(Server("Redis", "127.0.0.1", int(plain.server_address[1]), "Secret a/b"))
    plain.shutdown()
    plain.server_close()
    with pytest.raises(OSError, match="refused"):
        redis_server.refuse_tls(Server("Redis", "127.0.0.1", closed_port, "Secret a/b"))
