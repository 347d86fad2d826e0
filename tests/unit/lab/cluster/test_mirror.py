# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from mastodon_lab.cluster.mirror import Files


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "secret").write_text("outside")
    folder = tmp_path / "mirror"
    (folder / "charts").mkdir(parents=True)
    (folder / "charts" / "index.yaml").write_text("entries: {}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/charts/index.yaml", 200),
        ("HEAD", "/charts/index.yaml", 200),
        ("GET", "/charts/missing.tgz", 404),
        ("GET", "/charts/", 404),
        ("GET", "/../secret", 404),
        ("GET", "/charts/%2e%2e/%2e%2e/secret", 404),
        ("POST", "/charts/index.yaml", 501),
        ("PUT", "/charts/index.yaml", 501),
    ],
)
def test_only_files_below_the_mirror_are_given(port: int, method: str, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == status
    assert (body == b"entries: {}") == (status == 200 and method == "GET")
