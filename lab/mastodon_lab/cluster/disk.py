# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk that the lab's Ceph takes: a sparse file in the lab's state, on a loop device of the machine.

The device's number follows from the lab's index, as what was given to Ceph once must never be another lab's disk later.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import time
from pathlib import Path

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

# Ceph refuses a disk below 5 GiB. What is not written takes no room.
SIZE = 8 << 30
BUSY_SECONDS = 5.0
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/loop.h
CONTROL = Path("/dev/loop-control")
ADD, REMOVE = 0x4C80, 0x4C81
MAJOR = 7
BLOCKS = Path("/sys/block")


def attach(lab: Lab) -> None:
    """Make the disk unless it is there, with what is on it. Raises LabError where the machine has no loop devices."""
    if not lab.disk_file.exists():
        with lab.disk_file.open("wb") as file:
            file.truncate(SIZE)
    behind = _behind(lab)
    if behind == str(lab.disk_file):
        return
    if behind:
        raise LabError(f"Disk {lab.disk}: it has {behind} behind it: detach that, or choose another --index.")
    try:
        _control(lab, ADD, errno.EEXIST)
        # Where no devtmpfs makes it.
        if not lab.disk.exists():
            os.mknod(lab.disk, stat.S_IFBLK | 0o660, os.makedev(MAJOR, lab.disk_number))
    except OSError as error:
        raise LabError(
            f"Disk {lab.disk}: {error.strerror}. The lab's Ceph needs loop devices: leave it out by --without ceph."
        ) from error
    _losetup(lab, str(lab.disk), str(lab.disk_file))


def made_in_node(lab: Lab) -> tuple[str, ...]:
    """The command that makes the device in a container with all rights, which shows the devices that there were when it was started."""
    return ("sh", "-c", f"test -b {lab.disk} || mknod -m 660 {lab.disk} b {MAJOR} {lab.disk_number}")


def detach(lab: Lab) -> None:
    """Let the machine forget the device; the file stays. Only after all that used it has ended."""
    if _behind(lab) == str(lab.disk_file):
        _losetup(lab, "--detach", str(lab.disk))
    if lab.disk_file.exists() and _known(lab) and not _behind(lab):
        _forget(lab)


def _forget(lab: Lab) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            _control(lab, REMOVE, errno.ENODEV)
            break
        except OSError as error:
            # Who looks at every disk has it open for a moment.
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise LabError(f"Disk {lab.disk}: {error.strerror}. Run lab/down again.") from error
            time.sleep(0.1)
    lab.disk.unlink(missing_ok=True)


def _known(lab: Lab) -> bool:
    return (BLOCKS / lab.disk.name).exists()


def _behind(lab: Lab) -> str:
    """The file behind the device, or nothing."""
    try:
        return (BLOCKS / lab.disk.name / "loop/backing_file").read_text().strip()
    except OSError:
        return ""


def _control(lab: Lab, request: int, well: int) -> None:
    """Ask the kernel for the device or to forget it; the error `well` says that this is so already."""
    try:
        with CONTROL.open("rb") as control:
            fcntl.ioctl(control, request, lab.disk_number)
    except OSError as error:
        if error.errno != well:
            raise


def _losetup(lab: Lab, *words: str) -> None:
    done = subprocess.run(("losetup", *words), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"Disk {lab.disk}: {done.stderr.strip() or 'losetup gives no reason'}. See `losetup --list`.")
