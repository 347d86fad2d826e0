# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One port of a pod as a socket, over a web socket to its `portforward`.

Each message begins with its channel: 0 carries data, 1 the error that ended it. The first of each names the port only.
https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import closing, suppress
from threading import Thread

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

_DATA = 0
# What a socket that can be written to takes at once.
_CHUNK = 16384


def port_of(stream: websocket.WebSocket) -> socket.socket:
    """Return a socket to the port that `stream` was opened for. It ends when either side closes it."""
    ours, theirs = socket.socketpair()
    Thread(target=_carry, args=(stream, ours), name="port-forward", daemon=True).start()
    return theirs


def _carry(stream: websocket.WebSocket, ours: socket.socket) -> None:
    """Carry both ways, and read from neither side what the other has not yet taken."""
    greeted: set[int] = set()
    arrived = leaving = b""
    ours.setblocking(False)
    # Whoever closes first leaves nobody to read the rest, which is no error.
    with closing(stream), ours, suppress(OSError, websocket.WebSocketException):
        while stream.connected:
            reads = [*([] if arrived else [stream.sock]), *([] if leaving else [ours])]
            writes = [*([ours] if arrived else []), *([stream.sock] if leaving else [])]
            readable, writable = _ready(reads, writes)
            if stream.sock in readable:
                arrived = _data(stream, greeted)
            if ours in readable:
                leaving = ours.recv(_CHUNK)
                if not leaving:
                    return
            if ours in writable:
                arrived = arrived[ours.send(arrived) :]
            if stream.sock in writable:
                stream.send_binary(bytes([_DATA]) + leaving)
                leaving = b""


def _ready(reads: list[socket.socket], writes: list[socket.socket]) -> tuple[list[socket.socket], list[socket.socket]]:
    # What TLS has decrypted already, such as what came in one piece with the handshake's answer, `select` does not see: a
    # server that speaks first would never be heard.
    decrypted = [link for link in reads if isinstance(link, ssl.SSLSocket) and link.pending()]
    readable, writable, _unused = select.select(reads, writes, [], 0 if decrypted else None)
    return decrypted + readable, writable


def _data(stream: websocket.WebSocket, greeted: set[int]) -> bytes:
    """Return what the next message brings for the socket: nothing for the first of a channel and for pings."""
    operation, frame = stream.recv_data_frame(control_frame=True)
    if operation != websocket.ABNF.OPCODE_BINARY or not frame.data:
        return b""
    channel = frame.data[0]
    if channel not in greeted:
        greeted.add(channel)
        return b""
    if channel != _DATA:
        raise websocket.WebSocketConnectionClosedException(frame.data[1:].decode(errors="replace"))
    return bytes(frame.data[1:])
