# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback that does to requests what networks, load balancers and overloaded servers do, by a seed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import random
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

FAULTS = ("429", "500", "503", "reset before", "reset after", "cut short", "slow")
_SLOW_SECONDS = 0.5
# Of a watch; after so many bytes it ends in the middle of a line.
_WATCH_BYTES = 3000


@dataclass
class Faults:
    """What to inject: in `rate` of all requests, and at most `in_a_row` times for the same one.

    `always` is a fault that every request meets. `injected` counts, by fault.
    """

    seed: int = 0
    rate: float = 0.0
    in_a_row: int = 2
    always: str = ""
    kinds: tuple[str, ...] = FAULTS
    injected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._rows: Counter[str] = Counter()

    def choose(self, request: str) -> str:
        """Return the fault for a request, empty for none."""
        fault = self.always or (self._random.choice(self.kinds) if self._random.random() < self.rate else "")
        if not self.always and self._rows[request] >= self.in_a_row:
            fault = ""
        self._rows[request] = self._rows[request] + 1 if fault else 0
        if fault:
            self.injected[fault] += 1
        return fault


@dataclass(frozen=True)
class Upstream:
    """The server behind the proxy, and how to reach it."""

    host: str
    port: int
    trust: ssl.SSLContext | None = None


class Proxy:
    """One connection a request in both directions, so that each request meets its own fate."""

    def __init__(self, upstream: Upstream, faults: Faults) -> None:
        self._upstream = upstream
        self._faults = faults

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """Pass on one request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await client.readuntil(b"\r\n\r\n")
            body = await client.readexactly(_length(head))
            fault = self._faults.choose(head.split(b" HTTP/1.1", 1)[0].decode())
            if fault == "reset before":
                answer.transport.abort()
            elif fault.isdigit():
                answer.write(_refusal(int(fault)))
                await answer.drain()
            else:
                await asyncio.sleep(_SLOW_SECONDS if fault == "slow" else 0)
                await self._pass_on(head, body, answer, fault)
        answer.close()

    async def _pass_on(self, head: bytes, body: bytes, answer: asyncio.StreamWriter, fault: str) -> None:
        name = self._upstream.host if self._upstream.trust else None
        reader, writer = await asyncio.open_connection(
            self._upstream.host, self._upstream.port, ssl=self._upstream.trust, server_hostname=name
        )
        try:
            first, rest = head.split(b"\r\n", 1)
            kept = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            writer.write(first + b"\r\nConnection: close\r\n" + b"\r\n".join(kept) + body)
            await self._answer(reader, answer, fault, is_watch=b"watch=1" in first)
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, answer: asyncio.StreamWriter, fault: str, *, is_watch: bool
    ) -> None:
        sent = 0
        while chunk := await reader.read(65536):
            if fault == "reset after":
                answer.transport.abort()
                return
            if fault == "cut short" and (not is_watch or sent + len(chunk) > _WATCH_BYTES):
                answer.write(chunk[: len(chunk) // 2])
                await answer.drain()
                answer.transport.abort()
                return
            answer.write(chunk)
            await answer.drain()
            sent += len(chunk)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


def _refusal(status: int) -> bytes:
    told = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": status,
        "message": "injected",
        "errors": [],
    }
    body = json.dumps(told).encode()
    retry = "Retry-After: 1\r\n" if status == 429 else ""
    head = f"HTTP/1.1 {status} Injected\r\nContent-Type: application/json\r\n{retry}Content-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


@contextlib.contextmanager
def running(upstream: Upstream, faults: Faults) -> Iterator[str]:
    """Run a proxy on loopback and yield its address."""
    address: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended = threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(Proxy(upstream, faults).serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        address.put(f"http://{host}:{port}")
        async with server:
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield address.get(timeout=10)
    finally:
        ended.set()
        thread.join(10)
