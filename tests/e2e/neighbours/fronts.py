# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody in front of the Gateway, at an address of this machine: what is asked there is passed on, and may be spoilt."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6
from tempfile import TemporaryDirectory

from ...conftest import Lab
from ..support import connected, external_dns_standing_still
from ..zone import DOMAIN, Zone
from .breaking import AUTHORITY, Break

# How the look says that somebody is in front.
FRONT = (
    "is no address of Gateway gateway-system/shared-gateway-external: somebody else answers there, or what is in front"
)
# Of one hop, and what is written anew.
_HOP = {"content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Asked:
    """A request; names of headers are in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def without(self, *names: str) -> Asked:
        """Return it without some headers."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in names})


@dataclass(frozen=True)
class Answer:
    """What comes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Pass = Callable[[Asked], Answer]
Spoil = Callable[[Asked, Pass], Answer]


def page(status: int, text: str = "<!doctype html><html><title>No</title></html>") -> Answer:
    """Return a web page of whoever is in front."""
    return Answer(status, {"content-type": "text/html; charset=utf-8"}, text.encode())


def honest(asked: Asked, ask: Pass) -> Answer:
    """Pass it on as it came."""
    return ask(asked)


@contextmanager
def front(lab: Lab, address: str, certificate: Path, spoil: Spoil = honest) -> Iterator[None]:
    """Let somebody answer at an address, with a certificate and its key."""

    def ask(asked: Asked) -> Answer:
        with connected(lab, asked.headers.get("host", DOMAIN)) as gateway:
            gateway.request(asked.method, asked.path, asked.body or None, dict(asked.headers))
            answer = gateway.getresponse()
            headers = {
                name.lower(): value for name, value in answer.getheaders() if name.lower() not in {*_HOP, "connection"}
            }
            return Answer(answer.status, headers, answer.read())

    server = _server(address)((address, 443), _handler(lambda asked: spoil(asked, ask)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _server(address: str) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        if ":" in address:
            address_family = AF_INET6

        def handle_error(self, request: object, client_address: object) -> None:
            """Those who only shake hands end without a request."""

    return Server


def _handler(answer: Pass) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP}
            try:
                found = answer(Asked(self.command, self.path, headers, body))
            except (OSError, http.client.HTTPException):
                found = page(502)
            self.send_response_only(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(found.body)))
            self.send_header("connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.body)
            self.close_connection = True

        do_GET = do_HEAD = do_POST = reply  # noqa: N815 as they are called above

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as it is called above
            """Say nothing."""

    return Handler


@contextmanager
def second_address(lab: Lab) -> Iterator[str]:
    """Give this machine an IPv6 address of its own on its link with the lab, which has none, for a while."""
    own = lab.facts["machine_address"]
    found = json.loads(_ip("-json", "address", "show"))
    link = next(one["ifname"] for one in found if own in [it["local"] for it in one["addr_info"]])
    # Of a network for whoever needs one: https://www.rfc-editor.org/rfc/rfc4193
    address = f"fd6c:6162::{link.removeprefix('mastodon-lab')}"
    _ip("address", "add", f"{address}/128", "dev", link, "nodad")
    try:
        yield address
    finally:
        _ip("address", "delete", f"{address}/128", "dev", link)


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


@contextmanager
def answered(lab: Lab, address: str, pem: str, spoil: Spoil = honest) -> Iterator[None]:
    """Let somebody answer at an address of this machine."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "front.pem"
        path.write_text(pem)
        with front(lab, address, path, spoil):
            yield


def beside(stack: ExitStack, lab: Lab, kind: str, address: str) -> None:
    """Let the domain lead to one more address."""
    stack.enter_context(external_dns_standing_still(lab))
    stack.enter_context(Zone(lab).added(DOMAIN, kind, address))


def in_front(spoil: Spoil) -> Break:
    """Return what lets the domain lead to somebody in front of the Gateway."""

    def broken(stack: ExitStack, lab: Lab) -> None:
        address, zone = lab.facts["machine_address"], Zone(lab)
        stack.enter_context(answered(lab, address, "".join(AUTHORITY.issue(DOMAIN)), spoil))
        stack.enter_context(external_dns_standing_still(lab))
        stack.callback(zone.replace, DOMAIN, lab.facts["gateway_address"])
        zone.replace(DOMAIN, address)

    return broken
