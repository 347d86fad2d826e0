# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's disk where no loop device may be touched: what is asked of the kernel, and what is refused."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab.cluster import disk
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


class Kernel:
    """Loop devices as the kernel and losetup have them."""

    def __init__(self, blocks: Path) -> None:
        self.blocks = blocks
        self.asked: list[str] = []
        self.busy = 0

    def control(self, lab: Lab, request: int, well: int) -> None:
        self.asked.append({disk.ADD: "add", disk.REMOVE: "remove"}[request])
        folder = self.blocks / lab.disk.name
        if request == disk.ADD:
            folder.mkdir(exist_ok=True)
        elif self.busy:
            self.busy -= 1
            raise OSError(errno.EBUSY, "Device or resource busy")
        else:
            folder.rmdir()

    def losetup(self, lab: Lab, *words: str) -> None:
        self.asked.append(" ".join(words))
        behind = self.blocks / lab.disk.name / "loop/backing_file"
        if words[0] == "--detach":
            behind.unlink()
            behind.parent.rmdir()
        else:
            behind.parent.mkdir()
            behind.write_text(f"{words[1]}\n")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    blocks = tmp_path / "block"
    blocks.mkdir()
    made = Kernel(blocks)
    monkeypatch.setattr(disk, "BLOCKS", blocks)
    monkeypatch.setattr(disk, "_control", made.control)
    monkeypatch.setattr(disk, "_losetup", made.losetup)
    monkeypatch.setattr(disk.os, "mknod", lambda path, mode, device: made.asked.append(f"mknod {path}"))
    return made


def test_a_lab_gets_the_disk_of_its_index_on_a_sparse_file(lab: Lab, kernel: Kernel) -> None:
    disk.attach(lab)
    assert kernel.asked == ["add", "mknod /dev/loop209", f"/dev/loop209 {lab.disk_file}"]
    assert lab.disk_file.stat().st_size == disk.SIZE
    assert lab.disk_file.stat().st_blocks == 0
    assert replace(lab, index=10).disk != lab.disk


def test_a_disk_that_is_there_is_left_with_what_is_on_it(lab: Lab, kernel: Kernel) -> None:
    lab.disk_file.write_text("data")
    disk.attach(lab)
    kernel.asked.clear()
    disk.attach(lab)
    assert kernel.asked == []
    assert lab.disk_file.read_text() == "data"


def test_another_s_disk_is_not_taken_and_not_detached(lab: Lab, kernel: Kernel, tmp_path: Path) -> None:
    other = replace(lab, state=tmp_path / "other")
    other.state.mkdir()
    disk.attach(other)
    kernel.asked.clear()
    with pytest.raises(
        LabError, match=r"Disk /dev/loop209: it has \S+/other/ceph-disk behind it: detach that, or choose"
    ):
        disk.attach(lab)
    disk.detach(lab)
    assert kernel.asked == []


def test_a_machine_forgets_the_disk_and_the_file_stays(
    lab: Lab, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.attach(lab)
    kernel.asked.clear()
    kernel.busy = 2
    monkeypatch.setattr(disk.time, "sleep", lambda seconds: None)
    disk.detach(lab)
    assert kernel.asked == ["--detach /dev/loop209", "remove", "remove", "remove"]
    assert lab.disk_file.exists()
    disk.detach(lab)
    assert kernel.asked[4:] == []


def test_a_disk_that_stays_in_use_is_reported(lab: Lab, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.attach(lab)
    kernel.busy = 1000
    monkeypatch.setattr(disk, "BUSY_SECONDS", -1.0)
    with pytest.raises(LabError, match=r"^Disk /dev/loop209: Device or resource busy\. Run lab/down again\.$"):
        disk.detach(lab)


def test_a_machine_without_loop_devices_is_reported(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(disk, "BLOCKS", tmp_path)
    monkeypatch.setattr(disk, "CONTROL", tmp_path / "loop-control")
    with pytest.raises(
        LabError, match=r"^Disk /dev/loop209: No such file or directory\. .* leave it out by --without ceph\.$"
    ):
        disk.attach(lab)
