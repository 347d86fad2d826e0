# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep components running: start them when what they need answers, restart them when they end."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from mastodon_lab.cluster.components import Component

TICK = 0.1
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 10.0
SETTLED = 30.0
PATIENCE = 10.0


class System(Protocol):
    """What the supervisor needs of the machine."""

    def now(self) -> float: ...

    def spawn(self, component: Component) -> int:
        """Start it and return its process id."""
        ...

    def send(self, pid: int, what: signal.Signals) -> None: ...

    def answers(self, address: str) -> bool:
        """Whether something accepts connections at a component's need."""
        ...


@dataclass(frozen=True)
class Slot:
    """One component and how it is doing. Times are the system's; `pid` 0 means that it doesn't run."""

    component: Component
    pid: int = 0
    since: float = 0.0
    due: float = 0.0
    starts: int = 0
    backoff: float = FIRST_BACKOFF
    last_exit: int | None = None
    successor: Component | None = None
    kill_at: float = 0.0
    retired: bool = False


class Supervisor:
    """Decides what to start, stop and restart; call `tick` often and `reaped` for each process that ended."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._slots: dict[str, Slot] = {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(self._slots.values())

    def load(self, wanted: Iterable[Component]) -> None:
        """Run exactly `wanted`: what is new is started, what changed is restarted, what is gone is stopped."""
        by_name = {component.name: component for component in wanted}
        for name, slot in list(self._slots.items()):
            component = by_name.pop(name, None)
            if component is None:
                self._slots[name] = self._stopping(replace(slot, retired=True))
            elif component != (slot.successor or slot.component):
                self._slots[name] = self._stopping(replace(slot, successor=component))
        for name, component in by_name.items():
            self._slots[name] = Slot(component)

    def reaped(self, pid: int, exit_code: int) -> None:
        """Take note that a process ended; orphans of components are reaped here too and forgotten."""
        for name, slot in self._slots.items():
            if slot.pid == pid:
                self._slots[name] = self._ended(slot, exit_code)
                return

    def tick(self) -> None:
        """Do everything that is due."""
        for name, slot in list(self._slots.items()):
            if slot.pid == 0 and slot.retired:
                del self._slots[name]
            elif slot.pid == 0 and slot.due <= self._system.now() and self._may_start(slot):
                self._slots[name] = self._started(slot)
            elif slot.kill_at and slot.kill_at <= self._system.now():
                self._system.send(slot.pid, signal.SIGKILL)

    def _may_start(self, slot: Slot) -> bool:
        return all(self._system.answers(need) for need in slot.component.needs)

    def _started(self, slot: Slot) -> Slot:
        pid = self._system.spawn(slot.component)
        return replace(slot, pid=pid, since=self._system.now(), starts=slot.starts + 1)

    def _ended(self, slot: Slot, exit_code: int) -> Slot:
        now = self._system.now()
        if slot.successor:
            return Slot(slot.successor, due=now, starts=slot.starts)
        backoff = FIRST_BACKOFF if now - slot.since >= SETTLED else slot.backoff
        longer = min(backoff * 2, LONGEST_BACKOFF)
        return replace(slot, pid=0, since=0.0, due=now + backoff, backoff=longer, last_exit=exit_code, kill_at=0.0)

    def _stopping(self, slot: Slot) -> Slot:
        if not slot.pid:
            return Slot(slot.successor, starts=slot.starts) if slot.successor else slot
        self._system.send(slot.pid, signal.SIGTERM)
        return replace(slot, kill_at=self._system.now() + PATIENCE)
