# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may lie between us and an API server, or be taken for one: a proxy, and a server elsewhere."""

from __future__ import annotations

import base64
import json
import select
import socket
import ssl
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

LOGIN = "me:a secret"


class Tunnel:
    """A proxy that tunnels for whoever asks, or only for whoever has `login`. `opened` counts."""

    def __init__(self, login: str = "") -> None:
        self.opened = 0
        self._login = f"basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                link, _unused = self._listening.accept()
                Thread(target=self._tunnel, args=(link,), daemon=True).start()

    def _tunnel(self, link: socket.socket) -> None:
        with suppress(OSError), link:
            asked = link.recv(65536).decode()
            reported = [
                line.partition(": ")[2] for line in asked.split("\r\n") if line.lower().startswith("proxy-auth")
            ]
            if self._login and [text.replace("Basic", "basic") for text in reported] != [self._login]:
                link.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            host, _unused, port = asked.split()[1].rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as server:
                self.opened += 1
                link.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _carry(link, server)


def _carry(one: socket.socket, other: socket.socket) -> None:
    while True:
        for link in select.select([one, other], [], [])[0]:
            data = link.recv(65536)
            if not data:
                return
            (other if link is one else one).sendall(data)


class Elsewhere:
    """An API server of others, which takes everybody for `somebody elsewhere`. `asked` counts."""

    def __init__(self, certificate: Path) -> None:
        self.asked = 0
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                elsewhere.asked += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}}
                body = json.dumps({**review, "status": {"userInfo": {"username": "somebody elsewhere"}}}).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_unused: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(certificate)
        self._server.socket = trust.wrap_socket(self._server.socket, server_side=True)
        self.address = f"https://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
