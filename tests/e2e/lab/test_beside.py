# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second lab beside the tests' own, with a cache of its own, from its start to the last trace of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from ...conftest import LAB_INDEX, LAB_NAME, ROOT, Lab
from .traces import traces

CACHE = Path(os.environ.get("LAB_CACHE", "/var/cache/fediverse-mastodon-lab"))
NAME = f"beside-{LAB_NAME}"
INDEX = int(LAB_INDEX) + 1
API = "kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Beside:
    """The second lab: its folders, and how its commands are called."""

    state: Path
    cache: Path

    def run(self, command: str, *words: str) -> str:
        done = subprocess.run(
            [str(ROOT / "lab" / command), "--name", NAME, *words],
            env={**os.environ, "LAB_STATE": str(self.state), "LAB_CACHE": str(self.cache)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout


@pytest.fixture
def beside(lab: Lab) -> Iterator[Beside]:
    """A lab yet to be started, with links to what was built already; they must lie on the cache's disk."""
    made = Beside(lab.state.with_name(NAME), CACHE.with_name(f"{CACHE.name}-{NAME}"))
    (made.cache / "go/mod/sigs.k8s.io").mkdir(parents=True)
    (made.cache / "go/mod/github.com/rook").mkdir(parents=True)
    modules = (
        (CACHE / "go/mod").glob("sigs.k8s.io/gateway-api@*"),
        (CACHE / "go/mod").glob("github.com/rook/rook@v1.16*"),
    )
    for source in (CACHE / "artefacts", CACHE / "sizes", *chain(*modules)):
        shutil.copytree(source, made.cache / source.relative_to(CACHE), copy_function=os.link, symlinks=True)
    yield made
    made.run("down", "--purge")


def test_two_labs_run_side_by_side_and_one_goes_without_a_trace(lab: Lab, beside: Beside) -> None:
    beside.run("up", f"--index={INDEX}", "--with=ceph")
    parts = {part["name"]: part["ready"] for part in json.loads(beside.run("status", "--json"))["parts"]}
    assert set(parts.values()) == {True}
    assert {"node", "CoreDNS", "local-path-provisioner"} <= parts.keys()
    assert "OpenBao" not in parts
    resolved = beside.run("shell", "--", "getent", "hosts", API).split()
    assert resolved == [f"10.{200 + INDEX}.0.1", API]
    uid = ("get", "namespace", "kube-system", "-o=jsonpath={.metadata.uid}")
    assert beside.run("shell", "--", "kubectl", *uid) != lab.kubectl(*uid)

    disks = [traces(*lab_of)["loop devices"] for lab_of in ((LAB_NAME, int(LAB_INDEX)), (NAME, INDEX))]
    assert disks[0] != disks[1]
    assert (beside.state / "ceph-disk").stat().st_size > 0
    beside.run("down")
    assert traces(NAME, INDEX) == {}
    assert (beside.state / "ceph-disk").exists()

    beside.run("down", "--purge")
    assert (beside.state.exists(), beside.cache.exists()) == (False, False)
    # The tests' lab goes on, with programs from the cache that was not to be purged.
    assert lab.kubectl(*uid)
