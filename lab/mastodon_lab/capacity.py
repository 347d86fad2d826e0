# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the machine large enough for the lab?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab.errors import LabError
from mastodon_lab.lab import CEPH, Lab

GIB = 1 << 30
MEMORY = 6 * GIB
DISK_COLD = 24 * GIB
DISK_WARM = 6 * GIB
# Its monitor ends when less is free, https://docs.ceph.com/en/reef/rados/configuration/mon-config-ref/#confval-mon_data_avail_crit
CEPH_SHARE = 0.05


@dataclass(frozen=True)
class Capacity:
    """Memory that is available, disk that is free for the lab's state and for what it builds, and all of the former's disk. In bytes."""

    memory: int
    state_disk: int
    cache_disk: int
    state_size: int


def measure(lab: Lab) -> Capacity:
    """Look at this machine."""
    state = _usage(lab.state)
    memory = _available_memory(Path("/proc/meminfo").read_text())
    return Capacity(memory, state.free, _usage(lab.cache).free, state.total)


def refuse_small(machine: Capacity, lab: Lab, *, cold: bool) -> None:
    """Raise LabError with what is too little; `cold`: much is to be built."""
    if machine.memory < MEMORY:
        raise LabError(f"Only {_gib(machine.memory)} of memory are available: the lab needs {_gib(MEMORY)}.")
    needed = DISK_COLD if cold else DISK_WARM
    for folder, free in ((lab.cache, machine.cache_disk), (lab.state, machine.state_disk)):
        if free < needed:
            raise LabError(f"Only {_gib(free)} are free where {folder} is: the lab needs {_gib(needed)} there.")
    least = DISK_WARM + int(machine.state_size * CEPH_SHARE)
    if lab.has(CEPH) and machine.state_disk < least:
        why = f"Only {_gib(machine.state_disk)} of {_gib(machine.state_size)} are free where {lab.state} is"
        raise LabError(f"{why}: Ceph needs {_gib(least)} there. Free some, or start the lab with --without ceph.")


def _available_memory(meminfo: str) -> int:
    line = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) << 10


def _usage(folder: Path) -> shutil._ntuple_diskusage:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
