# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kind in the machine's own Docker, which is a script here that notes what it is asked."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab import versions
from mastodon_lab.cluster import node
from mastodon_lab.cluster.kind import config
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

NAME = "mastodon-lab-default-control-plane"
SCRIPT = """\
#!/bin/sh
echo "${0##*/} $*" >> @FOLDER@/asked
case "$*" in
  ps*) cat @FOLDER@/containers ;;
  *Pid*) echo 4711 ;;
  *StartedAt*) echo 2026-01-01T00:00:05.5Z ;;
esac
test ! -e @FOLDER@/refuses || { echo "no daemon" >&2; exit 1; }
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab("default", 9, tmp_path / "state", tmp_path / "cache", way="docker")
    made.run.mkdir(parents=True)
    made.log.mkdir()
    (tmp_path / "containers").write_text("somebody-s\n")
    for name in ("docker", "kind", "nsenter"):
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(SCRIPT.replace("@FOLDER@", str(tmp_path)))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("KIND_NODE_IMAGE", raising=False)
    return made


def start(lab: Lab) -> list[str]:
    """Start the node and return the first words of what was asked for."""
    asked = lab.state.parent / "asked"
    asked.unlink(missing_ok=True)
    assert node.of(lab).start(lab, lab.state.parent / "bin/kind") == 4711
    return [" ".join(line.split()[:2]) for line in asked.read_text().splitlines()]


def test_the_node_is_made_once_and_then_started(lab: Lab) -> None:
    assert start(lab)[:3] == ["docker ps", "kind create", "docker start"]
    assert "kind create" not in start(lab)
    assert node.of(lab).kubelet_since(lab, {}) == 1767225605.5


def test_whenever_the_node_is_started_it_is_given_the_disk_of_the_machine(lab: Lab) -> None:
    for _ in "12":
        asked = start(lab)
        assert asked.index("docker exec") == asked.index("docker start") + 1
    said = (lab.state.parent / "asked").read_text()
    assert f"docker exec {NAME} sh -c test -b /dev/loop209 || mknod -m 660 /dev/loop209 b 7 209\n" in said
    assert "docker exec" not in start(replace(lab, parts=frozenset({"site"})))


def test_the_api_server_has_the_address_that_its_certificate_names(lab: Lab) -> None:
    start(lab)
    asked = (lab.state.parent / "asked").read_text().splitlines()
    assert "nsenter --target=4711 --net ip address replace 10.209.128.1/32 dev lo" in asked


def test_a_node_that_was_left_half_made_is_made_anew_and_somebody_else_s_is_not(lab: Lab) -> None:
    (lab.state.parent / "containers").write_text(f"{NAME}\n")
    with pytest.raises(LabError, match="which this lab did not make"):
        start(lab)
    assert "docker rm" not in (lab.state.parent / "asked").read_text()
    config.begun_file(lab).touch()
    assert start(lab)[:3] == ["docker ps", "docker rm", "kind create"]


def test_only_what_the_lab_made_is_removed(lab: Lab) -> None:
    node.of(lab).remove(lab)
    assert not (lab.state.parent / "asked").exists()
    start(lab)
    node.of(lab).remove(lab)
    assert (lab.state.parent / "asked").read_text().endswith(f"docker rm --force --volumes {NAME}\n")


def test_it_does_not_run_where_docker_does_not(lab: Lab) -> None:
    assert node.of(lab).running(lab)
    (lab.state.parent / "refuses").touch()
    assert not node.of(lab).running(lab)
    with pytest.raises(
        LabError, match=r"^Docker does not run on this machine \(`docker version` failed: no daemon\): start it, or"
    ):
        node.of(lab).refuse()


def test_a_machine_without_docker_is_told_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match=r"`docker version` could not be called: No such file"):
        node.of(lab).refuse()


def test_the_node_is_upstream_s_with_its_own_network_volumes_and_registries(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config.cluster(lab)
    assert made["nodes"][0]["image"] == versions.KIND_NODE
    assert made["networking"].keys() == {"ipFamily", "podSubnet", "serviceSubnet", "kubeProxyMode"}
    assert made["containerdConfigPatches"] == []
    monkeypatch.setenv("KIND_NODE_IMAGE", "docker.io/kindest/node:v1.36.3")
    assert config.cluster(lab)["nodes"][0]["image"] == "docker.io/kindest/node:v1.36.3"


def test_upstream_s_node_sees_of_the_machine_only_what_is_the_lab_s_and_what_is_known_of_disks(lab: Lab) -> None:
    assert {mount["containerPath"]: mount["hostPath"] for mount in config.mounts(lab)} == {
        "/etc/kubernetes/pki/ca.crt": f"{lab.pki}/ca.crt",
        "/etc/kubernetes/pki/ca.key": f"{lab.pki}/ca.key",
        "/etc/kubernetes/audit": f"{lab.etc}/audit",
        "/var/log/lab": str(lab.log),
        str(lab.ceph): str(lab.ceph),
        "/run/udev": "/run/udev",
    }
    read_only = {mount["containerPath"] for mount in config.mounts(lab) if mount.get("readOnly")}
    assert "/run/udev" in read_only
    assert str(lab.ceph) not in read_only
