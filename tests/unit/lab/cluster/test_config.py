# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
import tomllib
from pathlib import Path

import pytest
from mastodon_lab.cluster import config, pki
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

CNI = Path("/usr/lib/cni")


@pytest.fixture
def written(lab: Lab) -> Lab:
    lab.pki.mkdir()
    for name in ("ca", *pki.CLIENTS):
        (lab.pki / f"{name}.crt").write_text(f"certificate of {name}")
        (lab.pki / f"{name}.key").write_text(f"key of {name}")
    config.write(lab, CNI)
    return lab


def test_what_holds_keys_is_for_root_only(written: Lab) -> None:
    for file in (written.kubeconfig, *written.etc.glob("*.kubeconfig")):
        assert file.stat().st_mode & 0o777 == 0o600


def test_each_kubeconfig_holds_its_own_certificate(written: Lab) -> None:
    for user, file in (("admin", written.kubeconfig), ("kubelet", written.etc / "kubelet.kubeconfig")):
        content = json.loads(file.read_text())
        assert content["clusters"][0]["cluster"]["server"] == "https://10.209.128.1:6443"
        key = content["users"][0]["user"]["client-key-data"]
        assert base64.b64decode(key).decode() == f"key of {user}"


def test_containerd_is_configured_in_valid_toml(lab: Lab) -> None:
    reported = tomllib.loads(config.containerd(lab, CNI))
    cri = reported["plugins"]["io.containerd.grpc.v1.cri"]
    assert reported["grpc"]["address"] == str(lab.containerd_socket)
    assert cri["sandbox_image"] == config.SANDBOX_IMAGE
    assert cri["restrict_oom_score_adj"] is True
    assert cri["cni"] == {"bin_dir": "/usr/lib/cni", "conf_dir": f"{lab.etc}/cni"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failCgroupV1", False),
        ("cgroupDriver", "cgroupfs"),
        ("localStorageCapacityIsolation", False),
        ("imageGCHighThresholdPercent", 100),
        ("clusterDNS", ["10.209.0.10"]),
    ],
)
def test_the_kubelet_is_given_what_each_cost_time_to_find_out(lab: Lab, field: str, value: object) -> None:
    assert config.kubelet(lab)[field] == value


def test_the_kubelet_keeps_to_the_lab_s_cgroup(lab: Lab) -> None:
    assert config.kubelet(lab)["cgroupRoot"] == lab.cgroup


def test_pods_get_addresses_from_the_labs_range(lab: Lab) -> None:
    assert config.pod_network(lab)["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.209.64.0/18"}]]


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "file"
    write_private(file, "old")
    file.chmod(0o644)
    (file.parent / ".file.new").write_text("left by a killed run")
    write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert [path.name for path in file.parent.iterdir()] == ["file"]
