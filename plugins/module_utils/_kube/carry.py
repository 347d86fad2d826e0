# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A socket whose other end is a web socket to the API server, of which each message begins with its channel.

What is sent goes by channel 0, to a port of a pod as well as to the standard input of a command.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Thread

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

_SENT = b"\x00"
# What a socket that can be written to takes at once.
_CHUNK = 16384
# Returns what a message brings for the socket, and raises WebSocketConnectionClosedException at the end.
Heard = Callable[[bytes], bytes]


def carried(stream: websocket.WebSocket, heard: Heard, first: bytes = b"") -> socket.socket:
    """Return a socket to where `stream` leads, from where `first` has come already. It ends when either side closes it."""
    ours, theirs = socket.socketpair()
    Thread(target=_carry, args=(stream, ours, heard, first), name="carry", daemon=True).start()
    return theirs


def _carry(stream: websocket.WebSocket, ours: socket.socket, heard: Heard, arrived: bytes) -> None:
    """Carry both ways, and read from neither side what the other has not yet taken."""
    leaving = b""
    ours.setblocking(False)
    # Whoever closes first leaves nobody to read the rest, which is no error.
    with closing(stream), ours, suppress(OSError, websocket.WebSocketException):
        while stream.connected:
            reads = [*([] if arrived else [stream.sock]), *([] if leaving else [ours])]
            writes = [*([ours] if arrived else []), *([stream.sock] if leaving else [])]
            readable, writable = _ready(reads, writes)
            if stream.sock in readable:
                arrived = heard(_message(stream))
            if ours in readable:
                leaving = ours.recv(_CHUNK)
                if not leaving:
                    return
            if ours in writable:
                arrived = arrived[ours.send(arrived) :]
            if stream.sock in writable:
                stream.send_binary(_SENT + leaving)
                leaving = b""


def _ready(reads: list[socket.socket], writes: list[socket.socket]) -> tuple[list[socket.socket], list[socket.socket]]:
    # What TLS has decrypted already, such as what came in one piece with the handshake's answer, `select` does not see: a
    # server that speaks first would never be heard.
    decrypted = [link for link in reads if isinstance(link, ssl.SSLSocket) and link.pending()]
    readable, writable, _unused = select.select(reads, writes, [], 0 if decrypted else None)
    return decrypted + readable, writable


def _message(stream: websocket.WebSocket) -> bytes:
    """Return the next message, empty for pings and the like."""
    operation, frame = stream.recv_data_frame(control_frame=True)
    return bytes(frame.data) if operation == websocket.ABNF.OPCODE_BINARY else b""
