# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long a lab takes to come up and how much memory it needs. See README.md in this folder."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
LAB = ("--name", "bench", "--index", "53")
GIB = 1 << 20  # in KiB
Row = tuple[str, float, str]


def run(environment: Mapping[str, str], command: str, *words: str) -> float:
    """Run one of the lab's commands on the bench's own lab and return the seconds it took."""
    return timed(environment, str(ROOT / "lab" / command), *LAB[: 4 if command == "up" else 2], *words)


def timed(environment: Mapping[str, str], *command: str) -> float:
    """Run a command and return the seconds it took."""
    return answered(environment, *command)[0]


def answered(environment: Mapping[str, str], *command: str) -> tuple[float, str]:
    """Run a command and return the seconds it took, and what it printed."""
    # As in a user's shell: Python keeps what it compiled, of Ansible's plugins and of what ours share.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**usual, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stdout[-2000:]}")
    return time.monotonic() - began, done.stdout


def warm(environment: Mapping[str, str]) -> Iterator[Row]:
    """Measure a lab whose programs and images are in the cache."""
    run(environment, "build")
    yield "s, first lab/up, to Node Ready and DNS answering", run(environment, "up"), ""
    run(environment, "down")
    yield "s, lab/up after lab/down, to the same", run(environment, "up"), "≤ 20"
    yield "s, lab/up with nothing to do", run(environment, "up"), ""
    yield "s, lab/up --with all, to everything proved", run(environment, "up", "--with", "all"), ""
    site = (str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/lab", "site.yml")
    yield "s, site.yml on it", timed(environment, *site), ""
    yield from again(environment, *site)
    yield "GiB in use by all of it", memory(Path(environment["LAB_STATE"])), "≤ 6"
    run(environment, "down")
    yield "s, lab/up of everything after lab/down", run(environment, "up"), ""


def again(environment: Mapping[str, str], *site: str) -> Iterator[Row]:
    """Measure a run that changes nothing, and in turns with it Ansible's own part, a playbook of as many tasks that do nothing."""
    runs = [answered(environment, *site)]
    (recap,) = re.findall(r"ok=(\d+) +changed=0 .* skipped=(\d+)", runs[0][1])
    tasks = [{"ansible.builtin.debug": {"msg": ""}}] * int(recap[0])
    tasks += [{"ansible.builtin.debug": {"msg": ""}, "when": False}] * int(recap[1])
    play = Path(environment["LAB_STATE"]) / "empty.yml"
    play.write_text(json.dumps([{"hosts": "lab", "gather_facts": False, "tasks": tasks}]))
    empty = []
    for _turn in range(4):
        empty.append(timed(environment, *site[:-1], str(play)))
        runs.append(answered(environment, *site))
    second = median(seconds for seconds, _unused in runs)
    yield f"s, site.yml again, of {len(tasks)} tasks", second, "≤ 4"
    yield "times what Ansible takes for tasks that do nothing", second / median(empty), ""


def cold(environment: Mapping[str, str]) -> Iterator[Row]:
    """Measure from nothing: everything is fetched and built."""
    yield "min, lab/up from nothing", run(environment, "up") / 60, "≤ 15"
    yield "min, lab/build of everything else", run(environment, "build") / 60, "≤ 25"


def memory(state: Path) -> float:
    """GiB of all processes in the lab, what several share counted once (proc(5), smaps_rollup)."""
    parents = {int(process.name): _parent(process) for process in Path("/proc").glob("[0-9]*")}
    ours = {json.loads((state / "run/init.json").read_text())["pid"]}
    while found := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= found
    return sum(map(_proportional, ours)) / GIB


def _parent(process: Path) -> int:
    """Field 4 of /proc/<pid>/stat; 0 if the process has just ended."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _proportional(pid: int) -> int:
    """KiB of one process; none if it has just ended."""
    try:
        found = re.search(r"^Pss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true", help="measure from nothing, in a cache that is removed again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"LAB_STATE": f"{folder}/state", **({"LAB_CACHE": f"{folder}/cache"} if options.cold else {})}
        try:
            for what, figure, goal in (cold if options.cold else warm)(environment):
                print(f"{figure:8.1f} {what:52} {goal}", flush=True)
        finally:
            run(environment, "down", "--purge" if options.cold else "--purge-state")


if __name__ == "__main__":
    main()
