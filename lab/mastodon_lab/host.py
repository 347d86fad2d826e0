# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can this machine run the lab? Look first, refuse in one sentence, write nothing."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab import capacity
from mastodon_lab.capacity import Capacity
from mastodon_lab.cluster import cgroups
from mastodon_lab.cluster.network import Route
from mastodon_lab.errors import LabError
from mastodon_lab.lab import MACHINE, MAX_INDEX, Lab

PYTHON = (3, 11)
# A socket's path is cut after 107 bytes (unix(7)); the longest one below the state folder is run/containerd.sock.ttrpc.
STATE_PATH_LENGTH = 80

# What the lab and people in its shell call, and the Debian package that has it.
COMMANDS = {
    "dig": "bind9-dnsutils",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "mmdebstrap": "mmdebstrap",
    "busybox": "busybox-static",
    "openssl": "openssl",
    "ip": "iproute2",
    "losetup": "mount",
    "mount": "mount",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
CNI_PACKAGE = "containernetworking-plugins"

# Each is tried in namespaces that end with the command, so nothing of it stays.
FEATURES = {
    "namespaces": "true",
    "veth interfaces": "ip link add lab0 type veth peer name lab1",
    "overlayfs": "mount --no-mtab -t overlay -o lowerdir=/usr:/etc overlay /mnt",
    "iptables NAT": "iptables -t nat -L -n",
    "iptables queues": "iptables -A FORWARD -j NFQUEUE",
}


@dataclass(frozen=True)
class Machine:
    """What the lab wants to know of a machine."""

    capacity: Capacity
    debian: bool
    missing_packages: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """By which machine, for which addresses, with which parts and which way a state folder was made."""

    identity: str
    index: int
    parts: frozenset[str] = frozenset()
    way: str = MACHINE


def refuse_caller(system: str, uid: int, python: tuple[int, int]) -> None:
    """Raise LabError unless the lab may run here at all."""
    if system != "Linux":
        raise LabError(f"This is {system}: the lab needs Linux. Run it in a virtual machine.")
    if python < PYTHON:
        raise LabError(
            f"Python {python[0]}.{python[1]} is too old: the lab needs 3.11 or newer. Put one first in PATH."
        )
    if uid != 0:
        raise LabError("The lab makes namespaces and network interfaces and therefore needs root: run it with sudo.")


def refuse_state(lab: Lab, made: Made | None, machine: str) -> None:
    """Raise LabError when the state folder can't be this lab's; `machine` is this machine's identity."""
    if len(str(lab.state)) > STATE_PATH_LENGTH:
        raise LabError(f"The state folder's path {lab.state} is too long for sockets: set LAB_STATE to a shorter one.")
    if not 0 <= lab.index <= MAX_INDEX:
        raise LabError(f"Index {lab.index} is out of range: choose one from 0 to {MAX_INDEX}.")
    if made and made.identity != machine:
        raise LabError(f"The state in {lab.state} was made on another machine: remove it with lab/down --purge-state.")
    if made and made.index != lab.index:
        raise LabError(
            f"Lab {lab.name} was made with index {made.index}: use that, or remove it with lab/down --purge-state."
        )
    if made and made.way != lab.way:
        raise LabError(
            f"Lab {lab.name} was made with --on {made.way}: use that, or remove it with lab/down --purge-state."
        )


def examine(lab: Lab) -> Machine:
    """Look at this machine. Only after `refuse_caller`: it reads what only Linux has."""
    return Machine(
        capacity=capacity.measure(lab),
        debian=shutil.which("apt-get") is not None,
        missing_packages=missing_packages(),
    )


def refuse(machine: Machine, lab: Lab, *, cold: bool) -> None:
    """Raise LabError with the first reason why this lab can't be started on `machine`; `cold`: much is to be built."""
    capacity.refuse_small(machine.capacity, lab, cold=cold)
    if machine.missing_packages and not machine.debian:
        names = ", ".join(machine.missing_packages)
        raise LabError(f"Programs of these Debian packages are missing: {names}. Install what your system calls them.")


def refuse_routes(routes: tuple[Route, ...], lab: Lab) -> None:
    """Raise LabError when one of the host's routes leads into the lab's range."""
    taken = next((route for route in routes if _overlap(route, lab.index)), None)
    if taken is None:
        return
    free = next((i for i in range(MAX_INDEX + 1) if not any(_overlap(route, i) for route in routes)), None)
    remedy = "No other index is free." if free is None else f"Choose another range: lab/up --index {free}."
    raise LabError(
        f"The lab's range {lab.network} is taken: {taken.interface} leads to {taken.range} already. {remedy}"
    )


def refuse_namesake(lab: Lab) -> None:
    """Raise LabError when a lab of this name runs from another state folder."""
    if cgroups.busy(lab):
        raise LabError(
            f"Another lab called {lab.name} is running, its state isn't in {lab.state}: end it with lab/down and the "
            "LAB_STATE that it was started with, or choose another --name."
        )


def refuse_kernel() -> None:
    """Raise LabError for the first feature that the kernel lacks. Needs the packages."""
    if not cgroups.hierarchies(cgroups.MOUNTS.read_text()):
        raise LabError("No cgroup hierarchy is mounted: mount one at /sys/fs/cgroup, as every init system does.")
    for feature, command in FEATURES.items():
        if reason := _namespaced(command):
            raise LabError(
                f"The kernel refuses {feature} ({reason}). The lab needs a machine or container that has it."
            )


def _namespaced(command: str) -> str:
    """Why a command fails in new namespaces, or nothing."""
    words = ("unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", *command.split())
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return _last_words(done) if done.returncode else ""


def install(packages: Iterable[str]) -> None:
    """Install Debian packages. Raises LabError with apt's last word."""
    # Somebody else may be installing, too.
    words = ("apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "--yes", "--no-install-recommends", *packages)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(("apt-get", "update"), capture_output=True, text=True, check=False, env=environment)
    if not done.returncode:
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise LabError(
            f"Debian packages {', '.join(packages)}: not installed: {_last_words(done)}. Install them and try again."
        )


def missing_packages() -> tuple[str, ...]:
    """The Debian packages of which something that the lab calls is missing."""
    missing = {package for command, package in COMMANDS.items() if not find(command)}
    if not _cni_folder():
        missing.add(CNI_PACKAGE)
    return tuple(sorted(missing))


def find(command: str) -> Path | None:
    """Where a command is, also when root's PATH lacks the sbin folders."""
    path = shutil.which(command, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    return Path(path) if path else None


def needed(command: str) -> Path:
    """Where a command is that can't be missing any more."""
    path = find(command)
    if path is None:
        raise LabError(f"The program {command} has disappeared: install {COMMANDS[command]} again.")
    return path


def cni_plugins() -> Path:
    """The folder of the distribution's network plugins."""
    folder = _cni_folder()
    if folder is None:
        raise LabError(f"The network plugins have disappeared: install {CNI_PACKAGE} again.")
    return folder


def identity() -> str:
    """What tells this machine from others; empty where nothing does."""
    file = Path("/etc/machine-id")
    return file.read_text().strip() if file.exists() else ""


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _cni_folder() -> Path | None:
    return next((folder for folder in CNI_FOLDERS if (folder / "ptp").exists()), None)


def _overlap(route: Route, index: int) -> bool:
    return route.range.overlaps(ipaddress.IPv4Network(f"10.{200 + index}.0.0/16"))
