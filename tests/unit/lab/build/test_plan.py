# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from mastodon_lab.build import images, kind_node, mirror, plan, tools
from mastodon_lab.build.components import COMPONENTS, Component
from mastodon_lab.build.tools import Tools
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.progress import Progress


class Toolchain:
    """A Go that builds at once, or fails at one component."""

    fails_at = ""

    def __init__(self, *_: object) -> None:
        pass

    def workspace(self, module: str) -> None:
        pass

    def module(self, module: str, version: str, pins: Path | None = None) -> Path:
        return Path(f"/modules/{module}@{version}")

    def build(self, component: Component) -> dict[str, Path]:
        if component.name == self.fails_at:
            raise LabError("Building it: no.")
        return {name: Path(f"/built/{name}") for name in component.binaries}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab for which everything expensive is there at once."""
    flux = tmp_path / "flux"
    monkeypatch.setattr(plan, "Go", Toolchain)
    monkeypatch.setattr(Toolchain, "fails_at", "")
    monkeypatch.setattr(tools, "install", lambda *_: Tools(flux, Path("/tools/kubectl"), Path("/tools/bao")))
    debians = SimpleNamespace(
        ROOT="root",
        busybox=lambda _: flux,
        debian=lambda *words: Path(f"/debian/{words[1]}"),
        package_version=lambda *_: "15.20",
    )
    for module in (plan, kind_node):
        monkeypatch.setattr(module, "rootfs", debians)
    monkeypatch.setattr(images, "layout", lambda _, image: Path(f"/images/{image.name}"))
    monkeypatch.setattr(mirror, "make", lambda *_: tmp_path)
    (tmp_path / "cache/artefacts").mkdir(parents=True)
    return Lab("test", 9, tmp_path / "state", tmp_path / "cache")


def progress(lab: Lab) -> tuple[Progress, io.StringIO]:
    shown = io.StringIO()
    return Progress(lab.cache / "durations.json", shown), shown


def test_everything_is_there_afterwards(lab: Lab) -> None:
    built = plan.ensure(lab, progress(lab)[0])
    wanted = {name for component in COMPONENTS if component.part != "kind" for name in component.binaries}
    wanted |= {"kubectl", "bao"}
    assert set(built.programs) == wanted
    assert built.bin("kubelet") == Path("/built/kubelet")
    assert {Path("/images/pause"), Path("/images/mastodon"), Path("/images/postgresql")} <= set(built.images)
    assert built.gateway_api.parts[-2:] == ("config", "crd")
    assert built.mirror.is_dir()


@pytest.mark.parametrize(
    ("parts", "built", "not_built"),
    [
        ((), {"kubelet", "etcd", "coredns"}, {"traefik", "pebble", "manager"}),
        (("traefik", "s3"), {"kubelet", "traefik", "versitygw"}, {"pebble", "manager"}),
        (("site",), {"kubelet", "manager", "helm-controller"}, {"traefik", "pebble", "rook", "versitygw"}),
        (("site", "ceph"), {"kubelet", "manager", "rook"}, {"traefik", "pebble"}),
    ],
)
def test_a_lab_is_built_as_far_as_its_parts_need(
    lab: Lab, parts: tuple[str, ...], built: set[str], not_built: set[str]
) -> None:
    made = plan.ensure(replace(lab, parts=frozenset(parts)), progress(lab)[0])
    assert built <= set(made.programs)
    assert not_built.isdisjoint(made.programs)
    assert (Path("/images/mastodon") in made.images) is ("site" in parts)
    assert (Path("/images/ceph") in made.images) is ("ceph" in parts)
    assert Path("/images/coredns") in made.images


def test_kind_and_its_docker_are_built_for_labs_on_kind(lab: Lab) -> None:
    made = plan.ensure(replace(lab, parts=frozenset(), way="kind"), progress(lab)[0])
    assert made.bin("dockerd") == Path("/debian/docker/usr/sbin/dockerd")
    assert {"kind", "kubeadm", "kubelet"} <= made.programs.keys()
    assert {Path("/images/kind-node"), Path("/images/kind-kube-proxy"), Path("/images/coredns")} <= set(made.images)


def test_for_the_machine_s_docker_only_kind_is_built(lab: Lab) -> None:
    made = plan.ensure(replace(lab, way="docker"), progress(lab)[0])
    assert made.programs.keys() == {"kubectl", "bao", "kind"}
    assert made.images == ()


def test_a_failure_stops_it_with_its_sentence(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toolchain, "fails_at", "Traefik")
    with pytest.raises(LabError, match="Building it: no"):
        plan.ensure(lab, progress(lab)[0])
    assert not plan.was_built(lab)


def test_a_lab_counts_as_built_once_what_its_parts_need_is(lab: Lab) -> None:
    base = replace(lab, parts=frozenset())
    assert not plan.was_built(base)
    (lab.cache / "artefacts/coredns-1").mkdir()
    assert (plan.was_built(base), plan.was_built(lab)) == (True, False)
    (lab.cache / "artefacts/mirror-1").mkdir()
    assert plan.was_built(lab)
