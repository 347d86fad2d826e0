# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose node is kind's: from nothing to a Mastodon, killed, and gone. Tests run in this order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...conftest import LAB_INDEX, ROOT, Lab, fresh_lab
from ...molecule import assert_passed
from ..lab.traces import machine, traces
from ..support import eventually

INDEX = int(LAB_INDEX)
NAME = f"kind-{INDEX}"
CONTAINER = f"mastodon-lab-{NAME}-control-plane"


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    """What the machine is like without the lab."""
    return machine()


@pytest.fixture(scope="module")
def lab(before: dict[str, object]) -> Iterator[Lab]:
    assert before
    with fresh_lab(NAME, INDEX, "--on", "kind") as made:
        yield made


def command(name: str, *words: str) -> str:
    done = subprocess.run(
        [str(ROOT / "lab" / name), "--name", NAME, *words], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def in_node(lab: Lab, *words: str) -> str:
    """Run a command in kind's container, as `docker exec` does."""
    dockerd = processes_of(lab, "dockerd")[0]
    inside = (
        "nsenter",
        f"--target={dockerd}",
        "--mount",
        "--net",
        "--pid",
        "docker",
        "--host",
        f"unix://{lab.state}/run/docker.sock",
    )
    done = subprocess.run([*inside, "exec", CONTAINER, *words], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def processes_of(lab: Lab, program: str) -> list[int]:
    """Return the numbers that the host knows a program of the lab's by: Docker's by their namespace, containers' by their group."""
    init = json.loads((lab.state / "run/init.json").read_text())["pid"]
    namespace = Path(f"/proc/{init}/ns/uts").readlink()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            groups = (process / "cgroup").read_text()
            if f"/fediverse-mastodon-lab-{NAME}/" in groups or (process / "ns/uts").readlink() == namespace:
                found += [int(process.name)] if (process / "comm").read_text().strip() == program else []
        except OSError:
            continue
    return sorted(found)


def test_everything_that_a_lab_has_is_ready_on_kind(lab: Lab) -> None:
    parts = {part["name"]: part["ready"] for part in json.loads(command("status", "--json"))["parts"]}
    assert set(parts.values()) == {True}
    assert {"dockerd", "kind", "mirror", "node", "services", "CoreDNS", "OpenBao", "Traefik"} <= parts.keys()
    (node,) = lab.get("nodes")["items"]
    assert node["metadata"]["name"] == CONTAINER
    assert node["spec"]["providerID"].startswith("kind://docker/")


def test_its_images_are_those_that_kind_and_kubeadm_ask_for(lab: Lab) -> None:
    index = json.loads((lab.state / "mirror/images/index.json").read_text())
    served = {image["annotations"]["io.containerd.image.name"] for image in index["manifests"]}
    asked = in_node(
        lab, "kubeadm", "config", "images", "list", f"--kubernetes-version={in_node(lab, 'cat', '/kind/version')}"
    )
    # CoreDNS is the lab's, and the sandbox is what containerd is configured with.
    wanted = {image for image in asked.split() if not re.search("coredns|pause", image)}
    wanted |= set(re.findall('sandbox_image = "(.+)"', in_node(lab, "cat", "/etc/containerd/config.toml")))
    assert len(wanted) == 6
    assert wanted <= served


def test_site_yml_runs_on_it_and_then_changes_nothing(lab: Lab) -> None:
    first = lab.site()
    assert first.returncode == 0, first.output[-6000:]
    second = lab.site()
    assert second.returncode == 0, second.output[-6000:]
    assert (first.recap["failed"], second.recap["changed"]) == (0, 0)


@pytest.mark.parametrize("killed", ["kube-apiserver", "systemd", "dockerd", "docker", "init"])
def test_whatever_is_killed_comes_back_with_its_volumes(lab: Lab, killed: str) -> None:
    claims = {item["metadata"]["uid"] for item in lab.get("pvc", "--all-namespaces")["items"]}
    init = json.loads((lab.state / "run/init.json").read_text())["pid"]
    os.kill(init if killed == "init" else processes_of(lab, killed)[0], signal.SIGKILL)
    command("up")
    assert {item["metadata"]["uid"] for item in lab.get("pvc", "--all-namespaces")["items"]} == claims


def test_a_post_with_a_picture_reaches_database_and_bucket_after_all_that(lab: Lab) -> None:
    prove = [str(ROOT / "lab/prove"), "--name", NAME]
    proof = eventually(
        lambda: subprocess.run(prove, capture_output=True, text=True, check=False),
        lambda done: done.returncode == 0,
        300,
    )
    assert "the post lies in the database" in proof.stdout
    assert (
        "ObjectBucketClaim mastodon/mastodon-s3 got bucket mastodon-mastodon-s3 at rook-ceph-rgw-media." in proof.stdout
    )


def test_nothing_of_it_runs_once_it_is_ended_and_the_machine_is_as_before(lab: Lab, before: dict[str, object]) -> None:
    assert {"processes", "interfaces", "addresses", "routes", "cgroups"} <= traces(NAME, INDEX).keys()
    assert machine() == before
    command("down")
    assert traces(NAME, INDEX) == {}
    assert machine() == before
    assert (lab.state / "docker").is_dir()


def test_molecule_s_scenario_passes_and_leaves_nothing(lab: Lab, before: dict[str, object]) -> None:
    steps = ("create", "prepare", "converge", "idempotence", "verify", "destroy")
    assert_passed("kind", lab.state, *steps, timeout=3600, LAB_INDEX=LAB_INDEX)
    assert traces(NAME, INDEX) == {}
    assert machine() == before
    assert not lab.state.exists()
