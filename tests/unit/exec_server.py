# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server of one pod, which runs commands as a kubelet does: on this machine, with the programs of one folder."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import websocket

POD: Mapping[str, Any] = {
    "metadata": {
        "name": "web-0",
        "namespace": "mastodon",
        "labels": {"app": "web"},
        "annotations": {"kubectl.kubernetes.io/default-container": "web"},
    },
    "spec": {"containers": [{"name": "proxy"}, {"name": "web"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
RESOLV_CONF = "/etc/resolv.conf"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Kubelet:
    """`programs` is where the pod finds its own; `commands` are those that were run, and `refused` is what is said in place of that."""

    programs: Path
    port: int = 0
    commands: list[list[str]] = field(default_factory=list)
    containers: set[str] = field(default_factory=set)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    refused: str = ""
    # The only one that the pod asks; those of this machine when it is empty.
    nameserver: str = ""

    def run(self, link: websocket.WebSocket, command: list[str]) -> None:
        """Run a command, and carry what it reads and writes."""
        self.commands.append(command)
        if self.nameserver and any(RESOLV_CONF in part for part in command):
            _send(link, 1, f"search svc.cluster.local\nnameserver {self.nameserver}\n".encode())
            _send(link, 3, json.dumps(_status(0 if (self.programs / command[0]).exists() else 127)).encode())
            return
        program = self.programs / command[0]
        if not program.exists():
            message = f'exec: "{command[0]}": executable file not found in $PATH: unknown'
            _send(link, 3, json.dumps({"status": "Failure", "reason": "InternalError", "message": message}).encode())
            return
        process = subprocess.Popen(
            command, executable=program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.running.append(process)
        readers = [
            threading.Thread(target=_copy, args=(link, channel, stream))
            for channel, stream in ((1, process.stdout), (2, process.stderr))
        ]
        threading.Thread(target=_feed, args=(link, process), daemon=True).start()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        _send(link, 3, json.dumps(_status(process.wait())).encode())


def _status(code: int) -> dict[str, Any]:
    if not code:
        return {"status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


def _send(link: websocket.WebSocket, channel: int, data: bytes) -> None:
    with suppress(OSError, websocket.WebSocketException):
        link.send_binary(bytes([channel]) + data)


def _copy(link: websocket.WebSocket, channel: int, stream: Any) -> None:
    while data := os.read(stream.fileno(), 65536):
        _send(link, channel, data)


def _feed(link: websocket.WebSocket, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with suppress(OSError, websocket.WebSocketException), process.stdin:
        while message := link.recv():
            assert isinstance(message, bytes)
            assert message[0] == 0
            process.stdin.write(message[1:])
            process.stdin.flush()


@contextmanager
def kubelet(programs: Path, nameserver: str = "") -> Iterator[Kubelet]:
    """Serve one pod."""
    served = Kubelet(programs, nameserver=nameserver)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.endswith("/exec") and not served.refused:
                self._upgrade(parse_qs(parts.query))
            elif parts.path.endswith("/exec"):
                self._say(403, {"kind": "Status", "reason": "Forbidden", "message": served.refused})
            elif parts.path.endswith("/pods"):
                items = [] if "gone" in parts.query else [POD]
                self._say(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
            else:
                self._say(404, {"kind": "Status", "reason": "NotFound", "message": parts.path})

        def _say(self, code: int, answer: Mapping[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _upgrade(self, asked: Mapping[str, list[str]]) -> None:
            key = hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}{_MAGIC}".encode(), usedforsecurity=False)
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(key.digest()).decode())
            self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
            self.end_headers()
            link = websocket.WebSocket(enable_multithread=True)
            link.sock, link.connected = self.connection, True
            served.containers.update(asked["container"])
            served.run(link, asked["command"])
            link.close()
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()
