# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process 1 of the lab's namespaces: furnish them, then keep the components running until told to stop.

SIGHUP makes it read the list of components again, SIGTERM ends the lab. When it dies in any other way, the kernel ends
everything in its process namespace, and mounts and network go with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab.cluster import components, namespaces, node
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.supervisor import TICK, Supervisor
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

GRACE = 15.0
QUIET = 1.5
LARGE_LOG = 32 << 20
WATCHED = {signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM}
# Nothing of the caller's environment: a proxy set there would be asked for cluster addresses.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    # Go would collect garbage whenever a heap has doubled, on which an API server spends a quarter of its time.
    "GOGC": "300",
}


@dataclass(frozen=True)
class Machine:
    """The supervisor's view of the real machine."""

    lab: Lab

    def now(self) -> float:
        return time.monotonic()

    def spawn(self, component: Component) -> int:
        log = self.lab.log / f"{component.name}.log"
        if log.exists() and log.stat().st_size > LARGE_LOG:
            log.replace(log.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            component.argv[0],
            component.argv,
            ENVIRONMENT | {"PYTHONPATH": os.environ["PYTHONPATH"]},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=(),
        )

    def send(self, pid: int, what: signal.Signals) -> None:
        os.kill(pid, what)

    def answers(self, address: str) -> bool:
        host, _, port = address.rpartition(":")
        family, where = (socket.AF_INET, (host, int(port))) if host else (socket.AF_UNIX, address)
        with socket.socket(family) as probe:
            return probe.connect_ex(where) == 0


def main(words: list[str]) -> None:
    lab = Lab.from_words(words)
    with (lab.run / "init.lock").open("w") as lock:
        # Held until this process ends: two inits on one state would fight.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Still the host's /proc: it alone knows this process by the number that the host sees.
        write_private(lab.run / "init.json", json.dumps(namespaces.identity()))
        namespaces.furnish(lab, node.of(lab).network(lab))
        supervise(lab)


def supervise(lab: Lab) -> None:
    # Blocked signals queue up for sigtimedwait; a process 1 would otherwise never see those it has no handler for.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    supervisor = Supervisor(Machine(lab))
    supervisor.load(components.load(lab))
    reported = ""
    while True:
        _reap(supervisor)
        supervisor.tick()
        reported = _report(lab, supervisor, reported)
        got = signal.sigtimedwait(WATCHED, TICK)
        if got and got.si_signo == signal.SIGTERM:
            return _end_all()
        if got and got.si_signo == signal.SIGHUP:
            supervisor.load(components.load(lab))


def _reap(supervisor: Supervisor) -> None:
    while child := _ended_child():
        supervisor.reaped(child[0], os.waitstatus_to_exitcode(child[1]))


def _ended_child() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _report(lab: Lab, supervisor: Supervisor, before: str) -> str:
    """Tell `lab/status` and `lab/up` how the components do, when that changed; `since` is on the boot's clock."""
    doing = {
        slot.component.name: {
            "digest": slot.component.digest,
            "since": slot.since if slot.pid else None,
            "last_exit": slot.last_exit,
        }
        for slot in supervisor.slots
    }
    text = json.dumps(doing)
    if text != before:
        write_private(lab.run / "components.json", text)
    return text


def _end_all() -> None:
    """Ask everything in the namespace to end, databases in pods included.

    Some don't listen (containers whose program ignores the signal, and their shims), so wait only while anything
    happens; the kernel kills what is left when this process ends.
    """
    os.kill(-1, signal.SIGTERM)
    now = time.monotonic()
    deadline, changed, before = now + GRACE, now, _processes()
    while before > 1 and now < min(deadline, changed + QUIET):
        signal.sigtimedwait({signal.SIGCHLD}, TICK)
        while _ended_child():
            pass
        now, count = time.monotonic(), _processes()
        changed, before = (now, count) if count != before else (changed, before)


def _processes() -> int:
    return sum(entry.name.isdigit() for entry in Path("/proc").iterdir())


if __name__ == "__main__":
    main(sys.argv[1:])
