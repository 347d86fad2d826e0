# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab leaves on its host: every trace of it that the host's own tables show."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

NAMESPACES = ("net", "mnt", "pid", "ipc", "uts")
# What a kubelet, a systemd and a Docker write if they find other values; there is one of each for the whole machine.
KERNEL_VALUES = (
    *("fs/file-max", "fs/nr_open", "kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "kernel/panic"),
    *("kernel/panic_on_oops", "kernel/pid_max", "net/ipv4/ip_forward", "vm/overcommit_memory", "vm/panic_on_oom"),
)


def traces(name: str, index: int) -> dict[str, list[str]]:
    """Return, by kind, what there is on this host of the lab of this name and index; kinds without any are left out."""
    six = f"fd6c:6162:{0x200 + index:x}:"
    network, folder = f"10.{200 + index}.", re.compile(rf"fediverse-mastodon-lab/{name}(?![\w-])")
    found = {
        "processes": processes(f"fediverse-mastodon-lab-{name}", folder),
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if folder.search(line)],
        "interfaces": reported("ip -brief link", f"mastodon-lab{index}@"),
        "addresses": [*reported("ip -brief address", network), *reported("ip -brief address", six)],
        "routes": [*reported("ip route show table all", network), *reported("ip -6 route show table all", six)],
        "firewall rules": [*reported("iptables-save", network), *reported("iptables-save", f"mastodon-lab{index} ")],
        "loop devices": [str(path) for path in Path("/sys/block").glob(f"loop{200 + index}")],
        # Those of other labs come and go meanwhile.
        "cgroups": [path for path, *_ in os.walk("/sys/fs/cgroup") if path.endswith(f"/fediverse-mastodon-lab-{name}")],
    }
    return {kind: items for kind, items in found.items() if items}


def machine() -> dict[str, object]:
    """Return what this host has of itself, whatever labs run on it: what none of them may change."""
    loops = Path("/sys/block").glob("loop*/loop/backing_file")
    found = {
        "interfaces": reported("ip -brief link", ""),
        "mounts": Path("/proc/self/mounts").read_text().splitlines(),
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()),
        "firewall rules": [line for line in reported("iptables-save", "") if line.startswith("-A")],
        "loop devices": [file.read_text() for file in loops],
        "routes": reported("ip route show", ""),
    }
    own = {kind: [line for line in lines if "mastodon-lab" not in line] for kind, lines in found.items()}
    return {**own, "kernel": {name: Path("/proc/sys", name).read_text() for name in KERNEL_VALUES}}


def processes(cgroup: str, folder: re.Pattern[str]) -> list[str]:
    """Return the processes of the lab's cgroup, that name its folder, or that live in namespaces with one that does."""
    ours: set[str] = set()
    namespaces: dict[str, set[str]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            group = (process / "cgroup").read_text()
            namespace = str((process / "ns/net").readlink())
        except OSError:
            continue
        namespaces.setdefault(namespace, set()).add(f"{process.name} {words[:120]}")
        if folder.search(words) or f"/{cgroup}/" in f"{group}/":
            ours.add(namespace)
    host = str(Path("/proc/self/ns/net").readlink())
    return sorted(line for namespace in ours - {host} for line in namespaces[namespace])


def reported(command: str, what: str) -> list[str]:
    """Return the lines of a command's output that have this in them."""
    output = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
    return [line for line in output.splitlines() if what in line]
