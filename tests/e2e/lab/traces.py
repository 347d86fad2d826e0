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


def traces(name: str, index: int) -> dict[str, list[str]]:
    """Return, by kind, what there is on this host of the lab of this name and index; kinds without any are left out."""
    network, folder = f"10.{200 + index}.", re.compile(rf"fediverse-mastodon-lab/{name}(?![\w-])")
    found = {
        "processes": processes(f"fediverse-mastodon-lab-{name}", folder),
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if folder.search(line)],
        "interfaces": reported("ip -brief link", f"mastodon-lab{index}@"),
        "addresses": reported("ip -brief address", network),
        "routes": reported("ip route show table all", network),
        "firewall rules": [*reported("iptables-save", network), *reported("iptables-save", f"mastodon-lab{index} ")],
        # Those of other labs come and go meanwhile.
        "cgroups": [path for path, *_ in os.walk("/sys/fs/cgroup") if path.endswith(f"/fediverse-mastodon-lab-{name}")],
    }
    return {kind: items for kind, items in found.items() if items}


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
