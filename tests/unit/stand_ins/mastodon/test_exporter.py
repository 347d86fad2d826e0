# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import threading
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from mastodon_stand_in import exporter

LOCAL = {"MASTODON_PROMETHEUS_EXPORTER_ENABLED": "true", "MASTODON_PROMETHEUS_EXPORTER_LOCAL": "true"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_metrics_are_served_and_nothing_else() -> None:
    with exporter.server("127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert b"ruby_collector_working 1\n" in urlopen(f"{address}/metrics").read()
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{address}/other")
        server.shutdown()


@pytest.mark.parametrize("host", ["ANY", "ALL"])
def test_one_word_is_both_families(host: str) -> None:
    with exporter.server(host, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for address in ("127.0.0.1", "[::1]"):
            assert urlopen(f"http://{address}:{server.server_port}/ping").read() == b"PONG"
        server.shutdown()


@pytest.mark.parametrize("missing", [None, *LOCAL])
def test_sidekiq_serves_its_own_when_the_chart_says_so(missing: str | None) -> None:
    port = free_port()
    place = {"MASTODON_PROMETHEUS_EXPORTER_HOST": "127.0.0.1", "MASTODON_PROMETHEUS_EXPORTER_PORT": str(port)}
    exporter.beside({name: value for name, value in {**LOCAL, **place}.items() if name != missing})
    if missing:
        with pytest.raises(URLError):
            urlopen(f"http://127.0.0.1:{port}/ping")
    else:
        assert urlopen(f"http://127.0.0.1:{port}/ping").read() == b"PONG"
