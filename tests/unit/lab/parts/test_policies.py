# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import create_server
from threading import Thread

import pytest
from mastodon_lab.parts import policies

PACKETS = 'kube_network_policies_packet_count{{family="IPv4",protocol="TCP",verdict="{verdict}"}} {count}'


class Metrics(BaseHTTPRequestHandler):
    """Answers with one more packet of each verdict in `more` than the last time."""

    more: tuple[str, ...] = ()
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        lines = (PACKETS.format(verdict=verdict, count=self.asked) for verdict in self.more)
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\n".join(lines).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Metrics]]:
    class Own(Metrics):
        pass

    with HTTPServer(("127.0.0.1", 0), Own) as server:
        monkeypatch.setattr(policies, "PORT", server.server_port)
        Thread(target=server.serve_forever, daemon=True).start()
        yield Own
        server.shutdown()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that takes a connection and says nothing, as one does whose packets are on their way."""
    with create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(policies, "CLOSED", listener.getsockname()[1])
        yield "127.0.0.1"


def test_a_dropped_packet_is_counted(metrics: type[Metrics], silent: str) -> None:
    metrics.more = ("accept", "drop")
    policies.prove(silent, "127.0.0.1")


def test_packets_that_were_let_through_prove_nothing(
    metrics: type[Metrics], silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics.more = ("accept",)
    monkeypatch.setattr(policies, "SECONDS", 0.1)
    with pytest.raises(OSError, match=r"no packet to 127\.0\.0\.1 is seen to be dropped"):
        policies.prove(silent, "127.0.0.1")


def test_a_pod_that_answers_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(policies, "CLOSED", listener.getsockname()[1])
    with pytest.raises(OSError, match="a pod that no NetworkPolicy lets anyone into is reached"):
        policies.prove("127.0.0.1", "127.0.0.1")
