# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's init process seen from the host: start it, find it again, tell it something, end it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mastodon_lab
from mastodon_lab.cluster.namespaces import BOOT_ID, start_time
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

START_SECONDS = 15.0
END_SECONDS = 20.0
NAMESPACES = ("--net", "--mount", "--pid", "--ipc", "--uts")


@dataclass(frozen=True)
class Init:
    """A running init; `pid` is the host's number for it, `started` its time of start in clock ticks since boot."""

    pid: int
    started: str


def find(lab: Lab) -> Init | None:
    """The lab's init if it runs. A process that merely has its number now is never taken for it."""
    try:
        noted = json.loads((lab.run / "init.json").read_text())
        init = Init(int(noted["pid"]), str(noted["started"]))
        same_boot = noted["boot"] == BOOT_ID.read_text().strip()
        return init if same_boot and start_time(init.pid) == init.started else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def start(lab: Lab) -> Init:
    """Start init in namespaces of its own and in a session of its own; return once it has furnished them."""
    log = lab.log / "init.log"
    report = lab.run / "components.json"
    report.unlink(missing_ok=True)
    unshare = _unshare(lab, log)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and unshare.poll() is None:
        if report.exists() and (init := find(lab)):
            return init
        time.sleep(0.02)
    reason = (log.read_text().strip().splitlines() or ["it said nothing"])[-1]
    raise LabError(f"Lab {lab.name}: its first process did not start: {reason}. See {log}.")


def _unshare(lab: Lab, log: Path) -> subprocess.Popen[bytes]:
    package = Path(mastodon_lab.__file__).parent.parent
    # -B: the checkout is somebody's, and this process is root's.
    init = (sys.executable, "-B", "-m", "mastodon_lab.cluster.init", *lab.words)
    with log.open("w") as output:
        return subprocess.Popen(
            ("unshare", *NAMESPACES, "--fork", "--kill-child", *init),
            env={"PATH": os.defpath + ":/usr/sbin:/sbin", "PYTHONPATH": str(package)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def reload(init: Init) -> None:
    """Make init read the list of components again."""
    with _opened(init) as process:
        if process is not None:
            signal.pidfd_send_signal(process, signal.SIGHUP)


def stop(init: Init) -> None:
    """End init and with it every process of the lab; return when the last is gone."""
    with _opened(init) as process:
        for what in (signal.SIGTERM, signal.SIGKILL):
            if process is None or _ended(process, 0):
                return
            signal.pidfd_send_signal(process, what)
            if _ended(process, END_SECONDS):
                return
    raise LabError(f"Process {init.pid}: does not end although it was killed. Look at its state in `ps`.")


@contextmanager
def _opened(init: Init) -> Iterator[int | None]:
    """A handle on the process that can't come to mean another one; None when it is gone."""
    try:
        process = os.pidfd_open(init.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield process if start_time(init.pid) == init.started else None
    finally:
        os.close(process)


def _ended(process: int, seconds: float) -> bool:
    """The kernel reports a namespace's first process ended only after all others in it are."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
