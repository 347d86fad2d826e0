# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One port of a pod as a socket, over a web socket to its `portforward`.

Each message begins with its channel: 0 carries data, 1 the error that ended it. The first of each names the port only.
https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
"""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.carry import carried

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

_DATA = 0


def port_of(stream: websocket.WebSocket) -> socket.socket:
    """Return a socket to the port that `stream` was opened for. It ends when either side closes it."""
    greeted: set[int] = set()
    return carried(stream, partial(_data, greeted))


def _data(greeted: set[int], message: bytes) -> bytes:
    """Return what a message brings for the socket: nothing for the first of a channel and for pings."""
    if not message:
        return b""
    channel = message[0]
    if channel not in greeted:
        greeted.add(channel)
        return b""
    if channel != _DATA:
        raise websocket.WebSocketConnectionClosedException(message[1:].decode(errors="replace"))
    return message[1:]
