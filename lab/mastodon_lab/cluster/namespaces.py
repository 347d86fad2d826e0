# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Furnish the lab's namespaces from the inside: mounts, addresses, host name. Nothing of it reaches the host."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from mastodon_lab.cluster.config import NODE
from mastodon_lab.lab import Lab

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# The kubelet insists on these values, which are the whole machine's. It is shown files that hold them already.
KERNEL_VALUES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def identity() -> dict[str, int | str]:
    """This process as the mounted /proc sees it: number, time of start (clock ticks since boot), boot."""
    pid = int(Path("/proc/self").readlink().name)
    return {"pid": pid, "started": start_time(pid), "boot": BOOT_ID.read_text().strip()}


def start_time(pid: int) -> str:
    """Field 22 of /proc/<pid>/stat; with the boot it tells a process from a later one of the same number."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def furnish(lab: Lab, network: Iterable[str]) -> None:
    """Furnish them; `network` are the node's own commands."""
    os.chdir("/")
    # Databases and proxies in pods inherit this, whatever shell the lab was started from.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    _mounts(lab)
    socket.sethostname(NODE)
    _network(lab, network)


def _mounts(lab: Lab) -> None:
    _mount("-t proc proc /proc")
    _mount("-t tmpfs -o mode=755 tmpfs /run")
    _scratch_var_lib(lab)
    # The kubelet writes pods' logs to /var/log whatever it is given.
    _mount(f"--bind {lab.log} /var/log")
    for name, value in KERNEL_VALUES.items():
        shown = Path("/run/lab/kernel") / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(value)
        _mount(f"--bind {shown} /proc/sys/{name}")
    # Pods may ask for mounts that follow the node's; so far everything is private from the host.
    _mount("--make-rshared /")


def _scratch_var_lib(lab: Lab) -> None:
    """Let components write to /var/lib/{cni,kubelet} as they please, without the host ever seeing it.

    The lab's own folders are usually below /var/lib and stay the real ones.
    """
    kept = {Path("/run/lab/state"): lab.state, Path("/run/lab/cache"): lab.cache}
    for aside, folder in kept.items():
        aside.mkdir(parents=True)
        _mount(f"--rbind {folder} {aside}")
    for name in ("upper", "work"):
        Path("/run/lab", name).mkdir()
    _mount("-t overlay -o lowerdir=/var/lib,upperdir=/run/lab/upper,workdir=/run/lab/work overlay /var/lib")
    for aside, folder in kept.items():
        _mount(f"--move {aside} {folder}")


def _network(lab: Lab, network: Iterable[str]) -> None:
    for command in ("ip link set lo up", f"ip address add {lab.node_ip}/32 dev lo", *network):
        _run(command)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _mount(words: str) -> None:
    # Otherwise mount(8) leaves a folder of its own in the host's /run.
    _run(f"mount --no-mtab {words}")


def _run(command: str) -> None:
    subprocess.run(command.split(), check=True)
