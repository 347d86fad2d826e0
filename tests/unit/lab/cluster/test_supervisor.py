# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import signal
from collections.abc import Iterable

import pytest
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.supervisor import FIRST_BACKOFF, LONGEST_BACKOFF, PATIENCE, SETTLED, Supervisor

ETCD = Component("etcd", ("etcd",))
API = Component("api", ("api",), needs=("127.0.0.1:2379",))


class Machine:
    """A machine whose time stands still until asked to pass, and that remembers what was asked of it."""

    def __init__(self) -> None:
        self.time = 100.0
        self.answering: set[str] = set()
        self.spawned: list[str] = []
        self.sent: list[tuple[int, signal.Signals]] = []

    def now(self) -> float:
        return self.time

    def spawn(self, component: Component) -> int:
        self.spawned.append(" ".join(component.argv))
        return len(self.spawned)

    def send(self, pid: int, what: signal.Signals) -> None:
        self.sent.append((pid, what))

    def answers(self, address: str) -> bool:
        return address in self.answering


def supervised(*components: Component) -> tuple[Machine, Supervisor]:
    machine = Machine()
    supervisor = Supervisor(machine)
    reload(supervisor, components)
    return machine, supervisor


def reload(supervisor: Supervisor, components: Iterable[Component]) -> None:
    supervisor.load(components)
    supervisor.tick()


def later(machine: Machine, supervisor: Supervisor, seconds: float) -> None:
    machine.time += seconds
    supervisor.tick()


def test_a_component_starts_once_what_it_needs_answers() -> None:
    machine, supervisor = supervised(ETCD, API)
    assert machine.spawned == ["etcd"]
    machine.answering.add("127.0.0.1:2379")
    supervisor.tick()
    supervisor.tick()
    assert machine.spawned == ["etcd", "api"]


def test_what_ends_is_started_again_after_a_pause() -> None:
    machine, supervisor = supervised(ETCD)
    supervisor.reaped(1, -9)
    supervisor.tick()
    assert machine.spawned == ["etcd"]
    assert supervisor.slots[0].last_exit == -9
    later(machine, supervisor, FIRST_BACKOFF)
    assert machine.spawned == ["etcd", "etcd"]


def test_pauses_grow_to_a_limit_and_are_short_again_after_a_long_run() -> None:
    machine, supervisor = supervised(ETCD)
    pauses = []
    for start in range(1, 9):
        supervisor.reaped(start, 1)
        pauses.append(supervisor.slots[0].due - machine.time)
        later(machine, supervisor, pauses[-1])
    assert pauses[:3] == [FIRST_BACKOFF, FIRST_BACKOFF * 2, FIRST_BACKOFF * 4]
    assert pauses[-1] == LONGEST_BACKOFF
    later(machine, supervisor, SETTLED)
    supervisor.reaped(9, 1)
    assert supervisor.slots[0].due - machine.time == FIRST_BACKOFF


def test_orphans_of_components_are_nobodys_business() -> None:
    _unused, supervisor = supervised(ETCD)
    before = supervisor.slots
    supervisor.reaped(4711, 0)
    assert supervisor.slots == before


def test_loading_the_same_again_changes_nothing() -> None:
    machine, supervisor = supervised(ETCD)
    reload(supervisor, [ETCD])
    assert (machine.spawned, machine.sent) == (["etcd"], [])


def test_a_changed_component_is_ended_and_its_successor_started_at_once() -> None:
    machine, supervisor = supervised(ETCD)
    reload(supervisor, [Component("etcd", ("etcd", "--new"))])
    assert (machine.spawned, machine.sent) == (["etcd"], [(1, signal.SIGTERM)])
    supervisor.reaped(1, 0)
    supervisor.tick()
    assert machine.spawned == ["etcd", "etcd --new"]


def test_changing_it_back_while_it_ends_starts_it_as_it_was() -> None:
    machine, supervisor = supervised(ETCD)
    reload(supervisor, [Component("etcd", ("etcd", "--new"))])
    reload(supervisor, [ETCD])
    supervisor.reaped(1, 0)
    supervisor.tick()
    assert machine.spawned == ["etcd", "etcd"]


@pytest.mark.parametrize("wanted", [[], [Component("etcd", ("etcd", "--new"))]])
def test_what_does_not_end_is_killed(wanted: list[Component]) -> None:
    machine, supervisor = supervised(ETCD)
    reload(supervisor, wanted)
    later(machine, supervisor, PATIENCE)
    assert machine.sent == [(1, signal.SIGTERM), (1, signal.SIGKILL)]


def test_a_removed_component_is_ended_and_forgotten() -> None:
    machine, supervisor = supervised(ETCD)
    reload(supervisor, [])
    supervisor.reaped(1, 0)
    later(machine, supervisor, LONGEST_BACKOFF)
    assert (machine.spawned, supervisor.slots) == (["etcd"], ())


def test_a_component_that_waits_is_replaced_without_ado() -> None:
    machine, supervisor = supervised(API)
    reload(supervisor, [Component("api", ("api", "--new"))])
    assert (machine.spawned, machine.sent) == (["api --new"], [])
