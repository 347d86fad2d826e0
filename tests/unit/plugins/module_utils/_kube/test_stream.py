# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web sockets take the way of all requests, as the same user: what comes out at an API server behind a proxy with a login."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.stream import open_stream
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._kube.test_forward import tls

USER = {"token": "t", "as": "reader", "as-groups": ["one", "two"]}


def kubeconfig(folder: Path, server: str, proxy: str) -> str:
    cluster = {"server": server, "insecure-skip-tls-verify": True, "proxy-url": proxy}
    content = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {key: value for key, value in cluster.items() if value}}],
        "users": [{"name": "u", "user": USER}],
    }
    (folder / "config").write_text(json.dumps(content))
    return str(folder / "config")


class Server:
    """Refuses the first request, after a proxy's tunnel to it if `tunnels`, and notes what was asked."""

    def __init__(self, trust: ssl.SSLContext, *, tunnels: bool, status: str = "403 Forbidden") -> None:
        self.asked: list[str] = []
        self._trust, self._tunnels, self._status = trust, tunnels, status
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        link, _unused = self._listening.accept()
        if self._tunnels:
            self.asked.append(link.recv(65536).decode())
            link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with self._trust.wrap_socket(link, server_side=True) as inner:
            self.asked.append(inner.recv(65536).decode())
            inner.sendall(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())


def headers(request: str) -> list[str]:
    return [line.lower() for line in request.split("\r\n")[1:] if line]


@pytest.mark.parametrize("tunnels", [False, True])
def test_a_socket_asks_as_the_same_user_through_the_same_proxy(tmp_path: Path, tunnels: bool) -> None:
    server = Server(tls(tmp_path), tunnels=tunnels)
    proxy = f"http://me:secret@127.0.0.1:{server.port}" if tunnels else ""
    address = "https://cluster.test:6443" if tunnels else f"https://127.0.0.1:{server.port}"
    connection = connect({"kubeconfig": kubeconfig(tmp_path, address, proxy)}, {})
    with pytest.raises(OSError, match=r"^HTTP 403$"):
        open_stream(connection, "/api/v1/namespaces/a/pods/b/exec", 10)
    if tunnels:
        assert server.asked[0].startswith("CONNECT cluster.test:6443 ")
        assert "proxy-authorization: basic bwu6c2vjcmv0" in headers(server.asked[0])
    reported = headers(server.asked[-1])
    assert server.asked[-1].startswith("GET /api/v1/namespaces/a/pods/b/exec ")
    assert {"authorization: bearer t", "impersonate-user: reader"} <= set(reported)
    assert [line for line in reported if line.startswith("impersonate-group")] == [
        "impersonate-group: one",
        "impersonate-group: two",
    ]
    assert not any("proxy-authorization" in line for line in reported)


def test_a_proxy_that_is_not_there_is_no_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    connection: Any = connect({"kubeconfig": kubeconfig(tmp_path, "https://cluster.test", proxy)}, {})
    with pytest.raises(OSError, match="Connection refused"):
        open_stream(connection, "/", 10)
