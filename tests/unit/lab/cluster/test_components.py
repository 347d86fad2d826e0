# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from mastodon_lab.cluster import components
from mastodon_lab.cluster.components import Component
from mastodon_lab.lab import Lab


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
    for name in (*names, "containerd"):
        (folder / name).write_text("program")
    return folder


def planned(lab: Lab, programs: Path) -> dict[str, Component]:
    found = components.all_components(lab, lambda name: programs / name)
    return {component.name: component for component in found}


def test_nothing_starts_before_what_it_talks_to(lab: Lab, programs: Path) -> None:
    needs = {name: component.needs for name, component in planned(lab, programs).items()}
    api = "10.209.128.1:6443"
    assert needs == {
        "etcd": (),
        "containerd": (),
        "mirror": (),
        "kube-apiserver": ("127.0.0.1:2379",),
        "kube-controller-manager": (api,),
        "kube-scheduler": (api,),
        "kube-proxy": (api,),
        "kubelet": (api, str(lab.containerd_socket)),
    }


def test_access_control_and_audit_are_on(lab: Lab, programs: Path) -> None:
    argv = planned(lab, programs)["kube-apiserver"].argv
    assert "--authorization-mode=Node,RBAC" in argv
    assert f"--audit-log-path={lab.log}/audit.log" in argv
    assert "--service-account-issuer=https://kubernetes.default.svc" in argv


def test_the_same_plan_is_the_same_and_survives_its_file(lab: Lab, programs: Path) -> None:
    plan = planned(lab, programs)
    components.save(lab, plan.values())
    assert components.load(lab) == tuple(plan.values())
    assert planned(lab, programs) == plan


@pytest.mark.parametrize("changed", ["program", "configuration"])
def test_only_what_changed_gets_another_digest(lab: Lab, programs: Path, changed: str) -> None:
    config = lab.etc / "kubelet.json"
    config.write_text("old")
    before = planned(lab, programs)
    if changed == "program":
        os.utime(programs / "kubelet", ns=(1, 1))
    else:
        config.write_text("new")
    after = planned(lab, programs)
    assert [name for name in after if after[name] != before[name]] == ["kubelet"]
