# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task may take."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Seconds from now on. Time and sleep are passed in by tests.

    When it `is_strict`, an answer that is on its way at its end is not waited for.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        is_strict: bool = False,
    ) -> None:
        self.seconds = seconds
        self.is_strict = is_strict
        self.clock = clock
        self._sleep = sleep
        self._start = clock()

    @property
    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return self.clock() - self._start

    @property
    def remaining(self) -> float:
        """Return the seconds left, zero when it has passed."""
        return max(0.0, self.seconds - self.elapsed)

    def pause(self, seconds: float) -> bool:
        """Sleep, but not beyond the deadline. Return whether there is time left."""
        self._sleep(min(seconds, self.remaining))
        return self.remaining > 0


class Reminder:
    """Says when it is time to report again what is waited for: first after `after` seconds, then every ten."""

    _EVERY = 10.0

    def __init__(self, deadline: Deadline, after: float = 0.0) -> None:
        self._deadline = deadline
        self._next = deadline.elapsed + after

    def is_due(self) -> bool:
        """Return True once each time."""
        if self._deadline.elapsed < self._next:
            return False
        self._next = self._deadline.elapsed + self._EVERY
        return True
