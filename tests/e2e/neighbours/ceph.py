# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph below the tests' Mastodon: what is stored in its bucket, its programs, and what its administrator does."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import requests
from requests_aws4auth import AWS4Auth

from ...conftest import LAB_NAME, Lab
from ..bucket import address, secret
from ..support import eventually

ROOK = "-n=rook-ceph"
OPERATOR = (ROOK, "deployment/rook-ceph-operator")
# What begins the command line of each.
PROGRAMS = {
    "operator": "/usr/local/bin/rook ceph operator",
    "monitor": "ceph-mon ",
    "manager": "ceph-mgr ",
    "disk": "ceph-osd ",
    "gateway": "radosgw ",
}
KEPT = "backups/kept"
SECONDS = 300


def keys(lab: Lab) -> AWS4Auth:
    """Return the keys of Mastodon's claim."""
    found = secret(lab, "mastodon-s3")
    return AWS4Auth(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], "us-east-1", "s3")


def stored(lab: Lab, name: str) -> str:
    """Return what the bucket has under a name, or why not."""
    try:
        answer = requests.get(f"{address(lab)}/{name}", auth=keys(lab), timeout=10)
    except (requests.RequestException, subprocess.CalledProcessError) as error:
        return type(error).__name__
    return answer.text if answer.ok else str(answer.status_code)


def store(lab: Lab, name: str) -> bool:
    """Store an object under a name, with that as its content; whether it was taken."""
    try:
        return requests.put(f"{address(lab)}/{name}", name, auth=keys(lab), timeout=10).ok
    except (requests.RequestException, subprocess.CalledProcessError):
        return False


def goes_on(lab: Lab, name: str) -> None:
    """Everything from before is there, and something new is taken."""
    eventually(partial(stored, lab, KEPT), lambda found: found == KEPT, SECONDS)
    assert eventually(partial(store, lab, name), bool, SECONDS)
    assert stored(lab, name) == name


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
    config = "--conf=/var/lib/rook/rook-ceph/rook-ceph.config"
    return lab.kubectl("exec", *OPERATOR, "--", program, config, *words)
