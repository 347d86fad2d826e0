# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much one look at an instance may take, whatever the other side does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

# A question to a name server that has begun is waited for, so that all ends within 20 seconds.
SECONDS = 15.0
REQUESTS = 40
BYTES = 1 << 20
HOPS = 5
# Of one connection that nothing is said on: longer than all else, and within the 20 seconds of a look.
HOLDING = 16.5
# Of one connection, so that one host that is silent leaves time for the others, and of one answer: Mastodon waits as long for both.
# https://github.com/mastodon/mastodon/blob/main/app/lib/request.rb
PATIENCE = 5.0
READING = 10.0
# Of a body in a second, as by a slow line.
_SPEED = 256 * 1024


class SpentError(Exception):
    """No more may be asked; the text says why."""


@dataclass
class Budget:
    """Of one instance; threads share it."""

    seconds: float = SECONDS
    requests: int = REQUESTS
    patience: float = PATIENCE
    reading: float = READING
    _started: float = field(default_factory=time.monotonic)
    _asked: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, host: str) -> None:
        """Take one request to a host. Raises SpentError."""
        self.take_time()
        with self._lock:
            if self._asked[host] >= self.requests:
                raise SpentError(f"{host} was asked {self.requests} times already, and more is asked of nobody")
            self._asked[host] += 1

    def until(self) -> float:
        """Return until when one thing may take, by the monotonic clock. Raises SpentError."""
        return self._at_most(self.patience)

    def until_answered(self, size: int) -> float:
        """Return until when a request with a body of this size and its answer may take. Raises SpentError."""
        return self._at_most(self.reading + size / _SPEED)

    def until_held(self) -> float:
        """Return until when a connection is held."""
        return self._started + self.seconds + HOLDING - SECONDS

    def _at_most(self, seconds: float) -> float:
        self.take_time()
        return min(time.monotonic() + seconds, self._started + self.seconds)

    @property
    def is_spent(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._started + self.seconds

    def take_time(self) -> None:
        """Go on only while there is time. Raises SpentError."""
        if self.is_spent:
            raise SpentError(f"the {self.seconds:.0f} s that one look may take are over")
