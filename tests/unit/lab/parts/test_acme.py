# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import acme, certificates

DIRECTORY = {"newNonce": "n", "newAccount": "a", "newOrder": "o", "revokeCert": "r"}


class Server(ThreadingHTTPServer):
    """Answers by path, as Pebble only to who says who it is; what is not there is 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = {"/dir": json.dumps(DIRECTORY), "/nonce-plz": "", "/roots/0": "-----BEGIN CERTIFICATE-----"}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.pages.get(self.path)
        self.send_response(404 if content is None else 200 if "User-Agent" in self.headers else 400)
        self.send_header("Content-Length", str(len(content or "")))
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the handler's interface
        pass


@pytest.fixture
def server(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    lab.pki.mkdir()
    certificates.ensure(lab, {"pebble": (acme.HOST, "127.0.0.1")})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.pki / "pebble.crt", lab.pki / "pebble.key")
    with Server() as made:
        made.socket = context.wrap_socket(made.socket, server_side=True)
        Thread(target=made.serve_forever, daemon=True).start()
        for name in ("PORT", "MANAGEMENT_PORT"):
            monkeypatch.setattr(acme, name, made.server_port)
        yield made
        made.shutdown()


@pytest.mark.usefixtures("server")
def test_one_that_is_ready_is_believed(lab: Lab) -> None:
    acme.prove("127.0.0.1", certificates.trust(lab))


@pytest.mark.usefixtures("server")
def test_one_that_somebody_else_certified_is_not() -> None:
    with pytest.raises(ssl.SSLError):
        acme.prove("127.0.0.1", ssl.create_default_context())


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("/dir", '{"newNonce": "n"}', "its directory lacks newAccount, newOrder, revokeCert"),
        ("/roots/0", "{}", "it has no root certificate"),
        ("/nonce-plz", None, "GET /nonce-plz fails: it answers 404"),
    ],
)
def test_what_is_wrong_is_said(lab: Lab, server: Server, path: str, content: str | None, said: str) -> None:
    del server.pages[path]
    if content is not None:
        server.pages[path] = content
    with pytest.raises(LabError, match=rf"^ACME server: {said}\. See "):
        acme.prove("127.0.0.1", certificates.trust(lab))


def test_the_roots_of_all_its_starts_are_kept(lab: Lab, server: Server) -> None:
    for start in ("first", "first", "second"):
        server.pages["/roots/0"] = f"-----BEGIN CERTIFICATE-----\n{start}\n"
        acme.note_root(lab, "127.0.0.1", certificates.trust(lab))
    assert acme.roots_file(lab).read_text().splitlines()[1::2] == ["first", "second"]
    assert acme.roots_file(lab).stat().st_mode & 0o077 == 0
