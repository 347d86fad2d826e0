# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics for Prometheus: `bin/prometheus_exporter` beside the web process, and the same inside of Sidekiq.

Names are those of https://github.com/discourse/prometheus_exporter; there are just enough to see that they can be asked for.
"""

from __future__ import annotations

import argparse
import logging
import resource
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mastodon_stand_in.settings import is_true, number

PREFIX = "MASTODON_PROMETHEUS_EXPORTER_"


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Serve metrics until told to stop."""
    parser = argparse.ArgumentParser("prometheus_exporter")
    parser.add_argument("--bind", default="localhost")
    parser.add_argument("--port", type=int, default=9394)
    options = parser.parse_args(arguments)
    logging.info("metrics at %s:%s", options.bind, options.port)
    server(options.bind, options.port).serve_forever()


def beside(environment: Mapping[str, str]) -> None:
    """Serve metrics in a thread of this process, if the chart asks for that."""
    if not all(is_true(environment, PREFIX + name) for name in ("ENABLED", "LOCAL")):
        return
    made = server(environment.get(f"{PREFIX}HOST", "localhost"), number(environment, f"{PREFIX}PORT", 9394))
    threading.Thread(target=made.serve_forever, daemon=True).start()


def server(host: str, port: int) -> ThreadingHTTPServer:
    """Return a server of metrics, at both families for ANY or ALL as upstream's lib/prometheus_exporter/server/web_server.rb."""
    return (
        _BothFamilies(("::", port), _Metrics) if host in ("ANY", "ALL") else ThreadingHTTPServer((host, port), _Metrics)
    )


def metrics() -> str:
    """Return the metrics of this process."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = ("# TYPE ruby_collector_working gauge", "ruby_collector_working 1", f"ruby_collector_rss {memory}")
    return "".join(f"{line}\n" for line in lines)


class _BothFamilies(ThreadingHTTPServer):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = metrics() if self.path == "/metrics" else "PONG" if self.path == "/ping" else ""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(found.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library calls it so
        """Say nothing of who asks every few seconds."""
