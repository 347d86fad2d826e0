# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web sockets through the API server to a pod. This module util is PRIVATE to the collection."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import websocket


def open_stream(connection: Connection, path: str, seconds: int) -> websocket.WebSocket:
    """Return a socket to `path` of the API server.

    Raises OSError or WebSocketException when there is no way, MastodonError when this Python cannot open one.
    """
    needs("websocket")
    options = connection.pool.connection_pool_kw
    trust = {"context": options.get("ssl_context"), "server_hostname": options.get("server_hostname")}
    return websocket.create_connection(
        re.sub("^http", "ws", f"{connection.host}{path}"),
        timeout=seconds,
        subprotocols=["v4.channel.k8s.io"],
        header={"User-Agent": "fediverse.mastodon", **connection.headers()},
        sslopt={key: value for key, value in trust.items() if value},
        **_proxy(connection),
    )


def _proxy(connection: Connection) -> dict[str, Any]:
    proxy = connection.pool.proxy
    if proxy:
        return {"http_proxy_host": proxy.host, "http_proxy_port": proxy.port, "proxy_type": "http"}
    # Or it would look for one in the environment on its own, where the connection has looked already.
    return {"http_no_proxy": ["*"]}
