# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph below a Mastodon, killed piece by piece and with its whole cluster: what was stored is there, and goes on being stored."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from ...conftest import LAB_NAME, ROOT, Lab
from ..programs import PROGRAMS, SECONDS, SPACE, full_disk, processes
from ..support import eventually
from .ceph import KEPT, goes_on, store


def lab_command(name: str) -> None:
    done = subprocess.run(
        [str(ROOT / "lab" / name), "--name", LAB_NAME], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def ceph(installed: Lab) -> Lab:
    """The lab with an object in Mastodon's bucket."""
    assert store(installed, KEPT)
    return installed


def identity(lab: Lab) -> tuple[str, list[str]]:
    """Return which Ceph it is, and its disks."""
    fsid = lab.get("secret", f"-n={SPACE}", "rook-ceph-mon")["data"]["fsid"]
    return fsid, lab.kubectl("get", "deployment", f"-n={SPACE}", "-l=app=rook-ceph-osd", "-o=name").split()


def test_a_run_over_a_ceph_in_error_ends_with_what_ceph_says_and_goes_on_once_that_is_mended(ceph: Lab) -> None:
    before = ceph.vault_versions()
    with full_disk(ceph):
        run = ceph.site("-e", "rook_wait_timeout=60")
    assert run.returncode != 0
    said = " ".join(run.output.split())
    assert "CephCluster rook-ceph/rook-ceph: not ready after 60 s" in said
    assert "full ratio(s) out of order" in said
    assert "OSD_OUT_OF_ORDER_FULL" in said
    assert "Traceback" not in run.output
    assert run.seconds < SECONDS
    assert ceph.vault_versions() == before
    goes_on(ceph, "backups/mended")
    mended = ceph.site()
    assert mended.returncode == 0, mended.output[-4000:]
    assert mended.recap["changed"] == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_killed_comes_back_with_all_that_was_stored(ceph: Lab, name: str) -> None:
    before = processes(PROGRAMS[name])
    assert before
    for process in before:
        os.kill(process, signal.SIGKILL)
    assert eventually(lambda: processes(PROGRAMS[name]) - before, bool, SECONDS)
    goes_on(ceph, f"backups/{name}")


def test_a_cluster_that_is_killed_comes_back_with_the_same_disk(ceph: Lab) -> None:
    before = identity(ceph)
    os.kill(json.loads((ceph.state / "run/init.json").read_text())["pid"], signal.SIGKILL)
    lab_command("up")
    goes_on(ceph, "backups/cluster")
    assert identity(ceph) == before


def test_a_lab_that_was_stopped_starts_with_the_same_disk_and_nothing_to_do(ceph: Lab) -> None:
    before = identity(ceph)
    lab_command("down")
    lab_command("up")
    goes_on(ceph, "backups/lab")
    assert identity(ceph) == before
    eventually(lambda: processes(PROGRAMS["operator"]), bool, SECONDS)
    run = ceph.site()
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
