# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from mastodon_lab.cluster import cgroups
from mastodon_lab.cluster.cgroups import Hierarchy
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

HYBRID = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
39 30 0:34 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
UNIFIED = "31 30 0:26 / /sys/fs/cgroup rw,nosuid master:1 shared:5 - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "found"),
    [
        ("", ()),
        (UNIFIED, (Hierarchy(Path("/sys/fs/cgroup"), 2),)),
        (HYBRID, (Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), 1), Hierarchy(Path("/sys/fs/cgroup/unified"), 2))),
    ],
)
def test_hierarchies_are_found_among_mounts(mountinfo: str, found: tuple[Hierarchy, ...]) -> None:
    assert cgroups.hierarchies(mountinfo) == found


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A version 1 cpuset hierarchy and a version 2 one, in plain folders."""
    one, two = tmp_path / "cpuset", tmp_path / "unified"
    for folder in (one, two):
        folder.mkdir()
    (one / "cpuset.cpus").write_text("0-1\n")
    (one / "cpuset.mems").write_text("0\n")
    (two / "cgroup.controllers").write_text("memory pids hugetlb\n")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:1 / {one} rw - cgroup cgroup rw\n2 1 0:2 / {two} rw - cgroup2 cgroup2 rw\n")
    monkeypatch.setattr(cgroups, "MOUNTS", mounts)
    return one, two


def test_a_version_1_group_gets_processors_and_memory_nodes(lab: Lab, mounted: tuple[Path, Path]) -> None:
    cgroups.make(lab)
    folder = mounted[0] / lab.cgroup.lstrip("/")
    assert (folder / "cpuset.cpus").read_text() == "0-1\n"
    assert (folder / "cpuset.mems").read_text() == "0\n"


def test_pods_get_the_time_of_several_processes(
    lab: Lab, mounted: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel puts these files into a new group.
    for top, file in zip(mounted, ("cpu.shares", "cpu.weight"), strict=True):
        folder = top / lab.cgroup.lstrip("/")
        folder.mkdir()
        (folder / file).write_text("1")
    monkeypatch.setattr(cgroups, "remove", lambda _lab: None)
    cgroups.make(lab)
    assert (mounted[0] / lab.cgroup.lstrip("/") / "cpu.shares").read_text() == "8192"
    assert (mounted[1] / lab.cgroup.lstrip("/") / "cpu.weight").read_text() == "800"


def test_version_2_controllers_are_handed_down(lab: Lab, mounted: tuple[Path, Path]) -> None:
    cgroups.make(lab)
    assert (mounted[1] / lab.cgroup.lstrip("/")).is_dir()
    assert (mounted[1] / "cgroup.subtree_control").read_text() in ("+memory", "+pids")


def test_remove_takes_the_deepest_first_and_leaves_other_labs_alone(lab: Lab, mounted: tuple[Path, Path]) -> None:
    ours, other = mounted[1] / lab.cgroup.lstrip("/"), mounted[1] / "fediverse-mastodon-lab-other"
    for top in (ours, other):
        (top / "kubepods" / "burstable" / "pod1").mkdir(parents=True)
    cgroups.remove(lab)
    assert not ours.exists()
    assert (other / "kubepods" / "burstable" / "pod1").is_dir()


@pytest.mark.parametrize(("processes", "busy"), [("", False), ("4711\n", True)])
def test_a_lab_is_busy_while_processes_are_in_its_groups(
    lab: Lab, mounted: tuple[Path, Path], processes: str, busy: bool
) -> None:
    pod = mounted[0] / lab.cgroup.lstrip("/") / "kubepods"
    pod.mkdir(parents=True)
    for folder in (pod, pod.parent):
        (folder / "cgroup.procs").touch()
    (pod / "cgroup.procs").write_text(processes)
    assert cgroups.busy(lab) is busy


def test_a_lab_without_groups_is_not_busy(lab: Lab, mounted: tuple[Path, Path]) -> None:
    assert not cgroups.busy(lab)


def test_a_group_in_use_is_named(lab: Lab, mounted: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "GONE_SECONDS", 0.1)
    busy = mounted[0] / lab.cgroup.lstrip("/") / "kubepods"
    busy.mkdir(parents=True)
    (busy / "process").touch()
    with pytest.raises(LabError, match=f"Cgroup {busy}: still in use"):
        cgroups.remove(lab)
