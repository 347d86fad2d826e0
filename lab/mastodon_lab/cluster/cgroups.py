# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's folders in the machine's cgroup hierarchies (version 1, version 2 or both)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

MOUNTS = Path("/proc/self/mountinfo")
GONE_SECONDS = 5.0
# What the kubelet wants of version 2; version 1 has a hierarchy for each.
CONTROLLERS = ("cpu", "cpuset", "io", "memory", "pids")
# Eight times the processor time of one process when there is not enough, in version 1 and 2.
SHARES = {"cpu.shares": "8192", "cpu.weight": "800"}


@dataclass(frozen=True)
class Hierarchy:
    mount: Path
    version: int


def hierarchies(mountinfo: str) -> tuple[Hierarchy, ...]:
    """All cgroup hierarchies in the text of a mountinfo file (proc(5))."""
    found = []
    for line in mountinfo.splitlines():
        words = line.split()
        kind = words[words.index("-") + 1]
        if kind in ("cgroup", "cgroup2"):
            found.append(Hierarchy(Path(words[4]), 2 if kind == "cgroup2" else 1))
    return tuple(found)


def make(lab: Lab) -> None:
    """Make the folder that the kubelet puts its pods' groups in; a leftover one is emptied first."""
    remove(lab)
    for hierarchy in hierarchies(MOUNTS.read_text()):
        if hierarchy.version == 2:
            _enable(hierarchy.mount)
        folder = hierarchy.mount / lab.cgroup.lstrip("/")
        folder.mkdir(exist_ok=True)
        # Dozens of programs, which would else share what one process of this machine gets.
        for file, share in SHARES.items():
            if (folder / file).exists():
                (folder / file).write_text(share)
        # A new version 1 group has no processors and no memory nodes, and then can't hold a process.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.version == 1 and (hierarchy.mount / file).exists():
                (folder / file).write_text((hierarchy.mount / file).read_text())


def remove(lab: Lab) -> None:
    """Remove the lab's folders, deepest first. The kernel lets go of ended processes a moment late."""
    deadline = time.monotonic() + GONE_SECONDS
    left = [folder for folder in _folders(lab) if not _removed(folder)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [folder for folder in left if not _removed(folder)]
    if left:
        raise LabError(
            f"Cgroup {left[0]}: still in use after {GONE_SECONDS:.0f} s. See which process its cgroup.procs names."
        )


def busy(lab: Lab) -> bool:
    """Whether processes are in the lab's folders, which only a running lab of this name puts there."""
    return any((folder / "cgroup.procs").read_text() for folder in _folders(lab))


def _folders(lab: Lab) -> list[Path]:
    tops = [hierarchy.mount / lab.cgroup.lstrip("/") for hierarchy in hierarchies(MOUNTS.read_text())]
    return [Path(folder) for top in tops for folder, _, _ in os.walk(top, topdown=False)]


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _enable(root: Path) -> None:
    """Hand the controllers that exist down to the lab's folder."""
    present = (root / "cgroup.controllers").read_text().split()
    for controller in set(CONTROLLERS) & set(present):
        (root / "cgroup.subtree_control").write_text(f"+{controller}")
