# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Ceph, as its administrator sees it: its programs, as this machine has them, its health, and its disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ..conftest import LAB_NAME, Lab
from .support import eventually

SPACE = "rook-ceph"
OPERATOR = (f"-n={SPACE}", "deployment/rook-ceph-operator")
CONFIG = f"--conf=/var/lib/rook/{SPACE}/{SPACE}.config"
SECONDS = 300
# What begins the command line of each.
PROGRAMS = {
    "operator": "/usr/local/bin/rook ceph operator",
    "monitor": "ceph-mon ",
    "manager": "ceph-mgr ",
    "disk": "ceph-osd ",
    "gateway": "radosgw ",
}


def processes(program: str) -> set[int]:
    """Return the numbers of a program's processes in the tests' lab."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            ours = f"/fediverse-mastodon-lab-{LAB_NAME}/" in (process / "cgroup").read_text()
        except OSError:
            continue
        if ours and words.startswith(program):
            found.add(int(process.name))
    return found


def admin(lab: Lab, program: str, *words: str) -> str:
    """Run `ceph` or `radosgw-admin` as Ceph's administrator."""
    return lab.kubectl("exec", *OPERATOR, "--", program, CONFIG, *words)


def health(lab: Lab) -> dict[str, Any]:
    """Return what Rook wrote down of Ceph's health."""
    found: dict[str, Any] = lab.get("cephcluster", f"-n={SPACE}", "rook-ceph")["status"]["ceph"]
    return found


@contextmanager
def full_disk(lab: Lab) -> Iterator[None]:
    """Let Ceph take its disk for full, as Rook then reports."""
    admin(lab, "ceph", "osd", "set-full-ratio", "0.0001")
    try:
        eventually(lambda: health(lab)["health"], lambda found: found == "HEALTH_ERR", SECONDS)
        yield
    finally:
        admin(lab, "ceph", "osd", "set-full-ratio", "0.95")


@contextmanager
def silent_device(lab: Lab) -> Iterator[None]:
    """Let the loop device answer none of its program's questions: by the kernel's bound, which is a byte a second."""
    number = Path(lab.facts["ceph_disk"]).stat().st_rdev
    device = f"{os.major(number)}:{os.minor(number)}"
    (process,) = processes(PROGRAMS["disk"])
    groups = [line.split(":", 2) for line in Path(f"/proc/{process}/cgroup").read_text().splitlines()]
    found = [Path(f"/sys/fs/cgroup/blkio{path}") for _number, kind, path in groups if kind == "blkio"]
    if not found:
        pytest.skip("this machine has no version 1 of the cgroup by which a device is bounded")
    bounds = [found[0] / f"blkio.throttle.{way}_bps_device" for way in ("read", "write")]
    for bound in bounds:
        bound.write_text(f"{device} 1")
    try:
        yield
    finally:
        for bound in bounds:
            # With the program that was started anew meanwhile it is gone.
            with suppress(OSError):
                bound.write_text(f"{device} 0")
