# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mastodon_lab.build import kind_node
from mastodon_lab.cluster import config as shared
from mastodon_lab.cluster import node
from mastodon_lab.cluster.kind import config, keep
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

NODE = "mastodon-lab-default-control-plane"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab("default", 9, tmp_path / "state", tmp_path / "cache", way="kind")


def patches(lab: Lab) -> dict[str, Any]:
    return {patch["kind"]: patch for patch in map(json.loads, config.cluster(lab)["kubeadmConfigPatches"])}


def test_kind_s_cluster_has_the_lab_s_addresses(lab: Lab) -> None:
    assert config.cluster(lab)["networking"] == {
        "ipFamily": "ipv4",
        "apiServerAddress": "10.209.128.1",
        "apiServerPort": 6443,
        "podSubnet": "10.209.64.0/18",
        "serviceSubnet": "10.209.0.0/20",
        "kubeProxyMode": "iptables",
        "disableDefaultCNI": True,
    }


def test_addresses_of_services_pods_and_gateway_lead_to_the_container(lab: Lab) -> None:
    commands = node.of(lab).network(lab)
    ways = [
        command.split()[3]
        for command in commands
        if command.startswith("ip route add")
        if "via 10.209.192.2" in command
    ]
    assert ways == ["10.209.0.0/20", "10.209.64.0/18", "10.209.128.80"]
    assert [f"ip rule add iif containers to {addresses} unreachable" for addresses in ways] == list(commands[-3:])


def test_the_node_runs_the_image_that_is_built_and_pulls_from_the_mirror(lab: Lab) -> None:
    (made,) = config.cluster(lab)["nodes"]
    seen = {mount["containerPath"]: mount["hostPath"] for mount in made["extraMounts"]}
    assert made["image"] == kind_node.NODE_IMAGE
    assert seen["/etc/containerd/certs.d"] == f"{lab.etc}/registries"
    containerd = tomllib.loads(config.cluster(lab)["containerdConfigPatches"][0])["plugins"]
    assert containerd["io.containerd.grpc.v1.cri"] == {
        "restrict_oom_score_adj": True,
        "registry": {"config_path": "/etc/containerd/certs.d"},
    }
    assert config.daemon(lab)["registry-mirrors"] == ["http://10.209.128.1:8879"]


def test_the_cluster_is_of_the_lab_s_authority_and_keeps_volumes_in_its_state(lab: Lab) -> None:
    seen = {mount["containerPath"]: mount for mount in config.mounts(lab)}
    assert seen["/etc/kubernetes/pki/ca.key"] == {
        "hostPath": f"{lab.pki}/ca.key",
        "containerPath": "/etc/kubernetes/pki/ca.key",
        "readOnly": True,
    }
    for kept in (lab.volumes, lab.ceph):
        assert seen[str(kept)] == {"hostPath": str(kept), "containerPath": str(kept)}


def test_kubelets_are_configured_alike_however_their_node_is_made(lab: Lab) -> None:
    given = patches(lab)["KubeletConfiguration"]
    processes = shared.kubelet(replace(lab, way="machine"))
    assert given.pop("apiVersion") == processes["apiVersion"]
    assert given == {key: processes[key] for key in given}
    assert given["failCgroupV1"] is False


def test_the_audit_log_is_where_tests_look_for_it(lab: Lab) -> None:
    api = patches(lab)["ClusterConfiguration"]["apiServer"]
    given = {argument["name"]: argument["value"] for argument in api["extraArgs"]}
    seen = {mount["containerPath"]: mount["hostPath"] for mount in config.mounts(lab)}
    assert given["audit-log-path"] == "/var/log/lab/audit.log"
    assert seen["/var/log/lab"] == str(lab.log)
    assert {volume["mountPath"] for volume in api["extraVolumes"]} == {
        str(Path(given["audit-policy-file"]).parent),
        "/var/log/lab",
    }
    assert seen[str(Path(given["audit-policy-file"]).parent)] == f"{lab.etc}/audit"


def test_docker_keeps_to_the_lab_s_folders_and_cgroup(lab: Lab) -> None:
    given = config.daemon(lab)
    assert given["hosts"] == [f"unix://{lab.run}/docker.sock"]
    assert given["data-root"] == f"{lab.state}/docker"
    assert given["cgroup-parent"] == lab.cgroup
    assert (given["bridge"], given["iptables"], given["ip-forward"]) == ("none", False, False)


def test_kind_waits_for_docker(lab: Lab) -> None:
    found = {component.name: component for component in node.of(lab).components(lab, lambda _: Path("/usr/bin/env"))}
    assert {name: component.needs for name, component in found.items()} == {
        "mirror": (),
        "dockerd": (),
        "kind": (f"{lab.run}/docker.sock",),
    }
    assert node.of(lab).api in found


def test_kind_is_called_anew_once_the_lab_has_a_disk(lab: Lab) -> None:
    without = replace(lab, parts=frozenset({"site"}))
    called = [
        component.argv[-1]
        for one in (lab, without)
        for component in node.of(one).components(one, lambda _: Path("/usr/bin/env"))
        if component.name == "kind"
    ]
    assert called == ["ceph", ""]


@pytest.mark.parametrize(
    ("doing", "noted", "since"),
    [({}, "5.5", None), ({"kind": {"since": 1.0}}, None, None), ({"kind": {"since": 1.0}}, "5.5", 5.5)],
    ids=["kind does not run", "the node is not whole", "the node runs"],
)
def test_the_kubelet_is_as_old_as_its_container(
    lab: Lab, doing: Mapping[str, Any], noted: str | None, since: float | None
) -> None:
    lab.run.mkdir(parents=True)
    if noted:
        config.started_file(lab).write_text(noted)
    assert node.of(lab).kubelet_since(lab, doing) == since


class Docker(keep.Docker):
    """A Docker that refuses what the test says and notes what it is asked to change."""

    refused: str = ""
    asked: list[str]

    def says(self, *command: str) -> str:
        return "bridge\nnone"

    def run(self, *command: str) -> None:
        self.asked.append(" ".join(word for word in command if not word.startswith("--")))
        if self.refused and self.refused in command:
            raise LabError("failed")


def docker(lab: Lab, refused: str = "") -> Docker:
    made = Docker(lab)
    object.__setattr__(made, "refused", refused)
    object.__setattr__(made, "asked", [])
    config.data(lab).mkdir(parents=True)
    return made


def test_a_cluster_is_made_once_and_then_started(lab: Lab) -> None:
    asking = docker(lab)
    assert [keep.node(asking, "/kind", "/cluster.json") for _ in "12"] == [NODE, NODE]
    made = ["/kind delete cluster", "docker network create kind", "/kind create cluster"]
    assert asking.asked == [*made, f"docker start {NODE}"]


def test_a_cluster_that_was_left_half_made_is_made_anew(lab: Lab) -> None:
    asking = docker(lab, "--config=/cluster.json")
    with pytest.raises(LabError, match="failed"):
        keep.node(asking, "/kind", "/cluster.json")
    object.__setattr__(asking, "refused", "")
    assert keep.node(asking, "/kind", "/cluster.json") == NODE
    assert asking.asked == ["/kind delete cluster", "docker network create kind", "/kind create cluster"] * 2


def test_a_cluster_that_does_not_start_is_kept(lab: Lab) -> None:
    asking = docker(lab, "start")
    config.whole_file(lab).touch()
    for _ in "12":
        with pytest.raises(LabError, match="failed"):
            keep.node(asking, "/kind", "/cluster.json")
    assert asking.asked == [f"docker start {NODE}"] * 2


def test_a_node_that_is_there_is_given_the_disk_of_the_machine(lab: Lab) -> None:
    asking = docker(lab)
    keep.give_disk(asking, NODE)
    assert asking.asked == [f"docker exec {NODE} sh -c test -b /dev/loop209 || mknod -m 660 /dev/loop209 b 7 209"]
