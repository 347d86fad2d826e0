# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab import host, inside
from mastodon_lab.build import mirror, plan, remembered
from mastodon_lab.capacity import Capacity
from mastodon_lab.cluster import cgroups, components, config, disk, health, network, node, pki, process
from mastodon_lab.cluster.lock import only_one
from mastodon_lab.cluster.process import Init
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import platform
from mastodon_lab.progress import Progress
from mastodon_lab.status import PartStatus
from mastodon_lab.up import build, up

LARGE = Capacity(1 << 40, 1 << 40, 1 << 40, 1 << 40)
RUNNING = Init(4711, "1")


class Built:
    programs: Mapping[str, Path] = {}
    images = (Path("one"), Path("two"))
    mirror = Path("mirror")

    def bin(self, name: str) -> Path:
        return Path("/bin") / name


@pytest.fixture
def done(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order, on a good machine where the lab doesn't run yet; nothing of it really is."""
    reported: list[str] = []

    def note(what: str, result: object = None) -> Callable[..., object]:
        def noted(*given: object, **named: object) -> object:
            reported.append(what)
            return result

        return noted

    def quiet(result: object = None) -> Callable[..., object]:
        return lambda *given, **named: result

    good = host.Machine(LARGE, True, ())
    for module, name, stub in (
        (host, "examine", note("look", good)),
        (host, "refuse_kernel", quiet()),
        (host, "needed", quiet(Path("/bin/containerd"))),
        (network, "lingers", quiet(False)),
        (network, "routes", quiet(())),
        (network, "connect", note("connect")),
        (process, "find", quiet()),
        (process, "start", note("start", RUNNING)),
        (process, "reload", note("reload")),
        (cgroups, "make", note("cgroups")),
        (disk, "attach", note("disk")),
        (pki, "ensure", quiet()),
        (config, "write", quiet()),
        (components, "all_components", quiet(())),
        (mirror, "publish", note("publish")),
        (health, "check", note("wait", (PartStatus("node", ready=True),))),
        (inside, "link_programs", quiet()),
        (remembered, "recall", quiet()),
        (remembered, "remember", quiet()),
        (plan, "ensure", note("build", Built())),
        (platform, "deploy", note("deploy")),
        (platform, "facts", quiet({"redis_host": "redis.example"})),
    ):
        monkeypatch.setattr(module, name, stub)
    return reported


def bring_up(lab: Lab) -> None:
    up(lab, Progress(lab.cache / "durations.json", io.StringIO()))


def test_up_goes_from_nothing_to_everything(lab: Lab, done: list[str]) -> None:
    bring_up(lab)
    assert done == ["look", "build", "publish", "disk", "cgroups", "start", "connect", "wait", "deploy"]
    assert lab.facts.stat().st_mode & 0o777 == 0o600
    facts = json.loads(lab.facts.read_text())
    assert facts["kubeconfig"] == str(lab.kubeconfig)
    assert facts["redis_host"] == "redis.example"
    assert facts["ceph_disk"] == "/dev/loop209"


def test_a_lab_without_ceph_has_no_disk(lab: Lab, done: list[str]) -> None:
    bring_up(replace(lab, parts=frozenset({"site"})))
    assert "disk" not in done
    assert json.loads(lab.facts.read_text())["ceph_disk"] == ""


def test_building_starts_nothing_and_does_not_wait_for_a_lab_of_that_name(lab: Lab, done: list[str]) -> None:
    with only_one(lab):
        build(lab, Progress(lab.cache / "durations.json", io.StringIO()))
    assert done == ["look", "build"]
    assert not lab.facts.exists()


def test_a_running_lab_is_repaired_not_questioned(lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find", lambda lab: RUNNING)
    bring_up(lab)
    assert done == ["build", "publish", "disk", "reload", "connect", "wait", "deploy"]


def test_what_is_built_already_is_not_asked_of_the_cache(
    lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "recall", lambda lab: Built())
    bring_up(lab)
    assert "build" not in done


def test_a_refused_machine_is_left_as_it_was(
    lab: Lab, done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Lab("fresh", 0, tmp_path / "fresh", tmp_path / "cold")
    monkeypatch.setattr(host, "examine", lambda lab: host.Machine(Capacity(1, 1, 1, 1), True, ("runc",)))
    with pytest.raises(LabError, match="memory"):
        bring_up(fresh)
    assert done == []
    assert not fresh.state.exists()
    assert not fresh.cache.exists()


def test_missing_packages_are_installed_first(lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    machine = host.Machine(LARGE, True, ("iproute2", "runc"))
    monkeypatch.setattr(host, "examine", lambda lab: machine)
    monkeypatch.setattr(host, "install", lambda packages: done.append(f"install {' '.join(packages)}"))
    # These call `ip`, which a minimal Debian doesn't have.
    monkeypatch.setattr(network, "lingers", lambda lab, seconds: done.append("lingers"))
    monkeypatch.setattr(network, "routes", lambda: done.append("routes") or ())
    bring_up(lab)
    assert done[:4] == ["install iproute2 runc", "lingers", "routes", "build"]


@pytest.mark.parametrize("running", [None, RUNNING])
def test_state_of_another_index_is_refused_also_while_it_runs(
    lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch, running: Init | None
) -> None:
    monkeypatch.setattr(process, "find", lambda lab: running)
    lab.made.write_text(json.dumps({"identity": host.identity(), "index": 1, "parts": []}))
    with pytest.raises(LabError, match="was made with index 1"):
        bring_up(lab)
    assert done == []


def test_state_that_kind_was_made_with_is_refused_for_processes(lab: Lab, done: list[str]) -> None:
    lab.made.write_text(json.dumps({"identity": host.identity(), "index": lab.index, "parts": [], "way": "kind"}))
    with pytest.raises(LabError, match=r"was made with --on kind: use that"):
        bring_up(lab)
    assert done == []


def test_facts_are_written_only_when_everything_works(
    lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise LabError("No DNS.")

    monkeypatch.setattr(platform, "deploy", fail)
    with pytest.raises(LabError, match="No DNS"):
        bring_up(lab)
    assert not lab.facts.exists()


def test_what_keeps_the_cluster_is_named(lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (PartStatus("etcd", ready=True), PartStatus("kubelet", ready=False, reason="ended with 1"))
    monkeypatch.setattr(health, "check", lambda lab: parts)
    monkeypatch.setattr(node.of(lab), "patience", 0.0)
    with pytest.raises(LabError, match=r"not ready after 0 s: kubelet: ended with 1\. Run lab/up again"):
        bring_up(lab)
    assert "deploy" not in done
