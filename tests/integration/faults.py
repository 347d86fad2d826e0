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

# Those of a moment, of which a random one can be injected again and again.
FAULTS = ("429", "500", "503", "reset before", "reset after", "cut short", "slow")
# Those that last: an answer that never comes, or ends half-way without an end of the connection; a server that reads
# and says that it will write no more; one that writes a byte now and then; one that is away, and refuses all connections.
LASTING = ("silent", "silent half-way", "half closed", "dripping", "away")
# What a task asks for, one after the other.
STAGES = ("discovery", "list", "dry run", "apply", "watch")
_SLOW_SECONDS = 0.5
_DRIP_SECONDS = 0.01
# Of a watch; after so many bytes it ends in the middle of a line.
_WATCH_BYTES = 3000


@dataclass
class Faults:
    """What to inject: in `rate` of all requests, and at most `in_a_row` times for the same one.

    `always` is a fault that every request meets, or at a `stage` the first `times` requests. `injected` counts, by fault.
    `seconds` is how long one that is away stays so.
    """

    seed: int = 0
    rate: float = 0.0
    in_a_row: int = 2
    always: str = ""
    kinds: tuple[str, ...] = FAULTS
    stage: str = ""
    times: int = 1
    seconds: float = 0.0
    injected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._rows: Counter[str] = Counter()

    def choose(self, request: str) -> str:
        """Return the fault for a request, empty for none."""
        if self.stage and (_stage(request) != self.stage or self.injected.total() >= self.times):
            return ""
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
        self._clients: set[asyncio.StreamWriter] = set()
        self._listening: asyncio.Server | None = None

    async def listen(self, port: int = 0) -> int:
        """Serve from now on, and return the port."""
        self._listening = await asyncio.start_server(self.serve, "127.0.0.1", port)
        return int(self._listening.sockets[0].getsockname()[1])

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """Pass on one request."""
        self._clients.add(answer)
        try:
            head = await client.readuntil(b"\r\n\r\n")
            body = await client.readexactly(_length(head))
            await self._meet(self._faults.choose(head.split(b" HTTP/1.1", 1)[0].decode()), head, body, answer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._clients.discard(answer)
            answer.close()

    async def _meet(self, fault: str, head: bytes, body: bytes, answer: asyncio.StreamWriter) -> None:
        if fault == "away":
            await self._go_away()
        elif fault == "reset before":
            answer.transport.abort()
        elif fault == "silent":
            await asyncio.sleep(3600)
        elif fault == "half closed":
            answer.write_eof()
            await asyncio.sleep(3600)
        elif fault.isdigit():
            answer.write(_refusal(int(fault)))
            await answer.drain()
        else:
            await asyncio.sleep(_SLOW_SECONDS if fault == "slow" else 0)
            await self._pass_on(head, body, answer, fault)

    async def _go_away(self) -> None:
        if self._listening is None:
            return
        port = int(self._listening.sockets[0].getsockname()[1])
        self._listening.close()
        self._listening = None
        for client in list(self._clients):
            client.transport.abort()
        await asyncio.sleep(self._faults.seconds)
        await self.listen(port)

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
            if fault == "silent half-way":
                answer.write(chunk[: len(chunk) // 2])
                await asyncio.sleep(3600)
            await _write(chunk, answer, drips=fault == "dripping")
            sent += len(chunk)


async def _write(chunk: bytes, answer: asyncio.StreamWriter, *, drips: bool) -> None:
    size = 16 if drips else len(chunk)
    for start in range(0, len(chunk), size):
        answer.write(chunk[start : start + size])
        await answer.drain()
        await asyncio.sleep(_DRIP_SECONDS if drips else 0)


def _stage(request: str) -> str:
    """Return which of STAGES a request belongs to."""
    if request.startswith("PATCH"):
        return "dry run" if "dryRun=All" in request else "apply"
    if "watch=1" in request:
        return "watch"
    return "list" if "limit=" in request else "discovery"


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


def _refusal(status: int) -> bytes:
    reported = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": status,
        "message": "injected",
        "errors": [],
    }
    body = json.dumps(reported).encode()
    retry = "Retry-After: 1\r\n" if status == 429 else ""
    head = f"HTTP/1.1 {status} Injected\r\nContent-Type: application/json\r\n{retry}Content-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


@contextlib.contextmanager
def running(upstream: Upstream, faults: Faults) -> Iterator[str]:
    """Run a proxy on loopback and yield its address."""
    address: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended = threading.Event()

    async def serve() -> None:
        port = await Proxy(upstream, faults).listen()
        address.put(f"http://127.0.0.1:{port}")
        await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield address.get(timeout=60)
    finally:
        ended.set()
        thread.join(10)
