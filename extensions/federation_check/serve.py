# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks again and again, and serves what came of the last look as metrics, at `/metrics`.

Where that is asked for, it also says what arrives, and holds connections: plugins/module_utils/_federation/arrival.py compares that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import arrival
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.prometheus import prometheus

# Who looks more often than that is no other server any more.
LEAST, MOST = 60, 86400
_PATH = "/metrics"
# https://prometheus.io/docs/instrumenting/exposition_formats/#basic-info
_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Of a body, and of a connection that nothing is said on, in seconds, and how many of these there may be: the whole world may come.
_MOST, _HOLDS, _HELD = 64 * 1024, 30, 8
# https://www.rfc-editor.org/rfc/rfc6455#section-1.3
_OF_WEBSOCKETS = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Look = Callable[[], Mapping[str, Any]]


class Server(ThreadingHTTPServer):
    """Serves a text that changes; until there is one, nothing. A silent caller keeps nobody else waiting."""

    daemon_threads = True

    def __init__(self, port: int, *, echoes: bool) -> None:
        # IPv4 and IPv6 alike, as a cluster may have one or both.
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        self.address_family = family
        super().__init__(("", port), _Handler, bind_and_activate=False)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.server_bind()
        self.server_activate()
        self.text = ""
        self.echoes = echoes
        self.held = threading.BoundedSemaphore(_HELD)


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    # Proxies take no upgrade of what is older.
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer with the metrics, or with what arrived."""
        text, path = self.server.text, self.path.partition("?")[0]
        if self.server.echoes and path == arrival.PATH:
            self._echo(b"")
        elif self.server.echoes and path == arrival.HELD:
            self._hold()
        elif self.path != _PATH:
            self._say(404, f"There is {_PATH} only.\n")
        elif not text:
            self._say(503, "The first look has not ended.\n")
        else:
            self._say(200, text)

    def do_POST(self) -> None:
        """Answer with what arrived."""
        length = self.headers.get("Content-Length", "")
        if not self.server.echoes or self.path.partition("?")[0] != arrival.PATH:
            self._say(404, "There is nothing to post to.\n")
        elif not length.isdecimal() or len(length) > 9 or int(length) > _MOST:
            self._say(413, f"It has no length, or one above {_MOST} bytes.\n")
        else:
            self._echo(self.rfile.read(int(length)))

    def _echo(self, body: bytes) -> None:
        said = arrival.said(self.command, self.path, self.headers.items(), body)
        self._say(200, json.dumps({"arrived": said}), "application/json")

    def _hold(self) -> None:
        """Open a WebSocket and say nothing on it until the other side ends it, or half a minute is over."""
        key = self.headers.get("Sec-WebSocket-Key", "")
        if not key or not self.server.held.acquire(blocking=False):
            self._say(400 if not key else 503, "It is no WebSocket, or there are too many.\n")
            return
        try:
            proof = hashlib.sha1(f"{key}{_OF_WEBSOCKETS}".encode(), usedforsecurity=False).digest()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(proof).decode())
            self.end_headers()
            self.connection.settimeout(_HOLDS)
            with suppress(OSError):
                self.rfile.read(1)
            self.close_connection = True
        finally:
            self.server.held.release()

    def _say(self, status: int, text: str, kind: str = _TYPE) -> None:
        body = text.encode()
        # What was sent is not read where it is refused.
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_unused: object) -> None:
        """Say nothing: who asks does so each minute."""


def opened(port: int, *, echoes: bool = False) -> Server:
    """Return what serves at a port, and may say what arrives. Raises MastodonError."""
    try:
        server = Server(port, echoes=echoes)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise MastodonError(f"Port {port}", "cannot be served at", why, "Name another one.") from error
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def watch(look: Look, server: Server, seconds: int, pause: Callable[[float], object] = time.sleep) -> NoReturn:
    """Look as often as that. What a look that could not be had leaves are the metrics of the one before, which say when that was."""
    while True:
        began = time.monotonic()
        try:
            server.text = prometheus(look())
        except Exception as error:
            print(
                error if isinstance(error, MastodonError) else unforeseen("The look", error),
                file=sys.stderr,
                flush=True,
            )
        pause(max(began + seconds - time.monotonic(), LEAST / 2))
