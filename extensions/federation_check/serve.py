# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks again and again, and serves what came of the last look as metrics, at `/metrics`."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.prometheus import prometheus

# Who looks more often than that is no other server any more.
LEAST, MOST = 60, 86400
_PATH = "/metrics"
# https://prometheus.io/docs/instrumenting/exposition_formats/#basic-info
_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Look = Callable[[], Mapping[str, Any]]


class Server(ThreadingHTTPServer):
    """Serves a text that changes; until there is one, nothing. A silent caller keeps nobody else waiting."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        # IPv4 and IPv6 alike, as a cluster may have one or both.
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        self.address_family = family
        super().__init__(("", port), _Handler, bind_and_activate=False)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.server_bind()
        self.server_activate()
        self.text = ""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    server: Server

    def do_GET(self) -> None:
        """Answer with the metrics."""
        text = self.server.text
        if self.path != _PATH:
            self._say(404, f"There is {_PATH} only.\n")
        elif not text:
            self._say(503, "The first look has not ended.\n")
        else:
            self._say(200, text)

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", _TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_unused: object) -> None:
        """Say nothing: who asks does so each minute."""


def opened(port: int) -> Server:
    """Return what serves at a port. Raises MastodonError."""
    try:
        server = Server(port)
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
