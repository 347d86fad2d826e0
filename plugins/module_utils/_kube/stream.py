# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web sockets through the API server to a pod."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import refused
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    import websocket


def open_stream(connection: Connection, path: str, seconds: int) -> websocket.WebSocket:
    """Return a socket to `path` of the API server.

    Raises OSError or WebSocketException when there is no way, MastodonError when this Python cannot open one.
    """
    needs("websocket")
    sent = {"User-Agent": "fediverse.mastodon"}
    try:
        return websocket.create_connection(
            re.sub("^http", "ws", f"{connection.host}{path}"),
            timeout=seconds,
            subprotocols=["v4.channel.k8s.io"],
            # One name may come several times.
            header=[f"{name}: {value}" for name, value in (*sent.items(), *connection.headers().items())],
            socket=_socket(connection, seconds),
        )
    except websocket.WebSocketBadStatusException as error:
        # Its text has all headers and all of a page in it.
        raise OSError(refused("", error.status_code, error.resp_body or b"").why) from error


def _socket(connection: Connection, seconds: int) -> socket.socket:
    """Return a socket to the API server, opened as for any request: the same proxy, with the same login, and the same TLS."""
    pool = connection.pool.connection_from_url(connection.host)
    link: Any = pool._new_conn()
    link.timeout = seconds
    if pool.proxy and pool.scheme == "http":
        link.set_tunnel(pool.host, pool.port or 80, pool.proxy_headers)
    try:
        if pool.proxy and pool.scheme == "https":
            pool._prepare_proxy(link)
        else:
            link.connect()
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(getattr(error, "original_error", None) or error)) from error
    opened: socket.socket = link.sock
    return opened
