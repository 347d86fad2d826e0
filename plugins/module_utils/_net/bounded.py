# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit to all that a server sends in answer to one question.

The timeouts of all libraries are those of one read each: a server that sends a byte now and then is waited for without end.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_here = threading.local()


class _Limit:
    """The connections of one block, and when they end."""

    def __init__(self, seconds: float) -> None:
        self.expires = time.monotonic() + seconds
        self.is_over = False
        self._links: list[socket.socket] = []

    def add(self, link: socket.socket) -> None:
        """Let the connection end with the limit."""
        # TLS takes the descriptor away from the socket it is put on; the connection ends by any of its descriptors.
        self._links.append(socket.socket(fileno=os.dup(link.fileno())))
        if self.is_over:
            # A client that tries once more.
            self.end()

    def end(self) -> None:
        """Let whoever reads find the end of what there is to read."""
        self.is_over = True
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connections."""
        for link in self._links:
            link.close()


class _Watcher:
    """One thread that ends what has expired. Ansible forks for every task, and a fork begins without one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: set[_Limit] = set()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf

    def add(self, limit: _Limit) -> None:
        with self._changed:
            self._limits.add(limit)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="limits", daemon=True)
                self._thread.start()
            if limit.expires < self._wakes:
                self._changed.notify()

    def remove(self, limit: _Limit) -> None:
        with self._changed:
            self._limits.discard(limit)
            limit.close()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for limit in [one for one in self._limits if one.expires <= now]:
                    limit.end()
                    self._limits.discard(limit)
                self._wakes = min((one.expires for one in self._limits), default=math.inf)
                self._changed.wait(None if self._wakes == math.inf else self._wakes - now)


_watcher = _Watcher()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End the connections that are `watched` in this block, and thread, when it takes longer. Raises TimeoutError then."""
    limit, outer = _Limit(seconds), getattr(_here, "limit", None)
    _here.limit = limit
    _watcher.add(limit)
    try:
        yield
    except Exception as error:
        if limit.is_over:
            raise TimeoutError(f"no whole answer came within {seconds:.0f} s") from error
        raise
    finally:
        _here.limit = outer
        _watcher.remove(limit)
    if limit.is_over:
        # What was read until then may look like all there is.
        raise TimeoutError(f"no whole answer came within {seconds:.0f} s")


def watched(link: socket.socket) -> socket.socket:
    """Return the connection, which ends with the innermost block `within` of this thread."""
    if limit := getattr(_here, "limit", None):
        limit.add(link)
    return link


def watch_pools(manager: Any) -> None:
    """Let all connections of urllib3's pool manager be `watched`, in the block of each request."""
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _watching(pool) for scheme, pool in pools.items()}


def _watching(pool: type[Any]) -> type[Any]:
    connection = pool.ConnectionCls

    def opened(self: Any) -> socket.socket:
        return watched(connection._new_conn(self))

    def request(self: Any, *given: Any, **options: Any) -> None:
        # One that was kept open.
        if self.sock is not None:
            watched(self.sock)
        connection.request(self, *given, **options)

    own = type("Connection", (connection,), {"_new_conn": opened, "request": request})
    return type("Pool", (pool,), {"ConnectionCls": own})
