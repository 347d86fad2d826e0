# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what is being done, how long so far, and what is left, estimated from the last run on this machine."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

TERMINAL_TICK = 1.0
PLAIN_TICK = 30.0
WORTH_SAYING = 0.5


def words(seconds: float) -> str:
    """A duration as people say it: `4 s`, `5 min 42 s`, `1 h 3 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress:
    """Prints a line a step, save those that had nothing to do; a terminal sees the running step's time go by, a log
    gets a line every half minute.

    Threads may run steps side by side.
    """

    def __init__(self, durations: Path, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`durations` is a JSON file, title → seconds, read now and written after each step if there is its folder."""
        self._file = durations
        self._out = out or sys.stdout
        self._clock = clock
        self._begin = clock()
        self._known = _read(durations)
        self._left: dict[str, float] = {}
        self._running: dict[str, float] = {}
        self._lock = threading.RLock()

    def expect(self, steps: Mapping[str, float]) -> None:
        """Announce steps to come: title → seconds assumed until a run on this machine has measured them."""
        with self._lock:
            self._left.update({title: self._known.get(title, assumed) for title, assumed in steps.items()})

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show `title` while the block runs. Steps don't nest: give each leaf of the work its own."""
        begun = self._clock()
        with self._lock:
            self._running[title] = begun
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(title, done), daemon=True)
        ticker.start()
        try:
            yield
        except BaseException:
            self._end(title, done, f"{title}: failed after {words(self._clock() - begun)}")
            raise
        took = self._clock() - begun
        self._end(title, done, f"{title}: {words(took)}" if took >= WORTH_SAYING else "")
        self._record(title, took)

    def note(self, text: str) -> None:
        """A line of its own, for what the user should know in between."""
        with self._lock:
            self._clear()
            print(text, file=self._out, flush=True)

    def left(self) -> float:
        """Seconds until all announced steps are done, as far as known; a step that runs late counts nothing."""
        with self._lock:
            now = self._clock()
            return sum(
                max(0.0, seconds - (now - self._running[title]) if title in self._running else seconds)
                for title, seconds in self._left.items()
            )

    def late(self) -> float:
        """Seconds that running steps have taken beyond what was known of them: nobody knows how long they still take."""
        with self._lock:
            now = self._clock()
            return sum(
                max(0.0, now - begun - self._left[title])
                for title, begun in self._running.items()
                if title in self._left
            )

    def _tick(self, title: str, done: threading.Event) -> None:
        terminal = self._out.isatty()
        while not done.wait(TERMINAL_TICK if terminal else PLAIN_TICK):
            with self._lock:
                if done.is_set():
                    return
                line = f"{self._stamp()} {title}: {words(self._clock() - self._running[title])} so far"
                self._clear()
                print(line, end="" if terminal else "\n", file=self._out, flush=True)

    def _end(self, title: str, done: threading.Event, line: str) -> None:
        with self._lock:
            done.set()
            self._running.pop(title, None)
            self._left.pop(title, None)
            self._clear()
            if line:
                self.note(f"{self._stamp()} {line}")

    def _stamp(self) -> str:
        so_far, late, left = words(self._clock() - self._begin), self.late(), self.left()
        if late >= 1:
            rest = f", then about {words(left)}" if left >= 1 else ""
            return f"[{so_far}, {words(late)} longer than estimated{rest}]"
        return f"[{so_far}, about {words(left)} left]" if left >= 1 else f"[{so_far}]"

    def _clear(self) -> None:
        if self._out.isatty():
            print("\r\033[K", end="", file=self._out)

    def _record(self, title: str, took: float) -> None:
        # Whoever takes down the last lab of a cache that was purged wants none again.
        if took < WORTH_SAYING or not self._file.parent.exists():
            return
        with self._lock:
            self._known[title] = round(took, 1)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self._known, indent=1, sort_keys=True))
            fresh.replace(self._file)


def _read(durations: Path) -> dict[str, float]:
    try:
        known = json.loads(durations.read_text())
        return {str(title): float(seconds) for title, seconds in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
