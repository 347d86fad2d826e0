# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab import host
from mastodon_lab.capacity import GIB, Capacity
from mastodon_lab.cluster import cgroups
from mastodon_lab.cluster.network import Route
from mastodon_lab.errors import LabError
from mastodon_lab.host import Machine, Made
from mastodon_lab.lab import Lab

LAB = Lab("default", 0, Path("/state"), Path("/cache"))
LARGE = Capacity(memory=8 * GIB, state_disk=30 * GIB, cache_disk=30 * GIB, state_size=100 * GIB)
GOOD = Machine(LARGE, debian=True, missing_packages=())


def route(text: str, interface: str = "eth0") -> Route:
    return Route(ipaddress.IPv4Network(text), interface)


def refusal(refuse: Callable[[], object]) -> str:
    with pytest.raises(LabError) as caught:
        refuse()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("system", "uid", "python", "said"),
    [
        ("Darwin", 0, (3, 12), "needs Linux"),
        ("Linux", 1000, (3, 12), "needs root"),
        ("Linux", 0, (3, 10), "Python 3.10 is too old"),
        ("Linux", 0, (2, 7), "Python 2.7 is too old"),
    ],
)
def test_callers_that_cannot_run_it_learn_why(system: str, uid: int, python: tuple[int, int], said: str) -> None:
    assert said in refusal(lambda: host.refuse_caller(system, uid, python))


def test_root_on_linux_may() -> None:
    host.refuse_caller("Linux", 0, (3, 11))


@pytest.mark.parametrize(
    ("machine", "cold", "said"),
    [
        (replace(GOOD, capacity=replace(LARGE, memory=5 * GIB)), False, "Only 5.0 GiB of memory"),
        (
            replace(GOOD, capacity=replace(LARGE, cache_disk=11 * GIB)),
            True,
            "Only 11.0 GiB are free where /cache is: the lab needs 24.0 GiB",
        ),
        (replace(GOOD, capacity=replace(LARGE, state_disk=11 * GIB)), True, "free where /state is"),
        (replace(GOOD, capacity=replace(LARGE, cache_disk=5 * GIB)), False, "the lab needs 6.0 GiB"),
        (
            replace(GOOD, capacity=replace(LARGE, state_disk=14 * GIB, state_size=200 * GIB)),
            False,
            "Only 14.0 GiB of 200.0 GiB are free where /state is",
        ),
        (replace(GOOD, debian=False, missing_packages=("runc", "iptables")), False, "runc, iptables"),
    ],
)
def test_machines_that_cannot_run_it_are_refused(machine: Machine, cold: bool, said: str) -> None:
    assert said in refusal(lambda: host.refuse(machine, LAB, cold=cold))


@pytest.mark.parametrize(
    ("machine", "cold"),
    [
        (GOOD, True),
        (replace(GOOD, capacity=replace(LARGE, state_disk=11 * GIB, cache_disk=6 * GIB)), False),
        (replace(GOOD, capacity=replace(LARGE, state_disk=16 * GIB, state_size=200 * GIB)), False),
        (replace(GOOD, capacity=replace(LARGE, memory=6 * GIB)), False),
        (replace(GOOD, missing_packages=("runc",)), False),
    ],
)
def test_machines_that_can_are_not(machine: Machine, cold: bool) -> None:
    host.refuse(machine, LAB, cold=cold)


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (route("10.200.0.0/16"), "lab/up --index 1"),
        (route("10.200.3.4/32"), "eth0 leads to 10.200.3.4/32"),
        (route("10.192.0.0/10"), "No other index is free"),
        (route("10.200.0.0/15"), "lab/up --index 2"),
        (route("10.200.0.0/16", LAB.host_link), LAB.host_link),
    ],
)
def test_a_range_that_is_taken_is_refused(taken: Route, said: str) -> None:
    assert said in refusal(lambda: host.refuse_routes((taken,), LAB))


def test_a_range_beside_others_is_not() -> None:
    host.refuse_routes((route("10.201.0.0/16"), route("10.0.0.0/24"), route("192.168.0.0/16")), LAB)


@pytest.mark.parametrize(
    ("lab", "made", "said"),
    [
        (LAB, Made("other", 0), "made on another machine"),
        (LAB, Made("this", 2), "was made with index 2"),
        (LAB, Made("this", 0, way="kind"), "was made with --on kind"),
        (replace(LAB, index=-1), None, "out of range"),
        (replace(LAB, index=56), None, "out of range"),
        (replace(LAB, state=Path("/" + "x" * 100)), None, "too long"),
    ],
)
def test_state_that_is_not_this_labs_is_refused(lab: Lab, made: Made | None, said: str) -> None:
    assert said in refusal(lambda: host.refuse_state(lab, made, "this"))


@pytest.mark.parametrize("made", [None, Made("this", 0)])
def test_no_state_and_its_own_state_are_fine(made: Made | None) -> None:
    host.refuse_state(LAB, made, "this")


def test_a_lab_of_the_same_name_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "busy", lambda lab: True)
    assert "Another lab called default is running, its state isn't in /state" in refusal(
        lambda: host.refuse_namesake(LAB)
    )
    monkeypatch.setattr(cgroups, "busy", lambda lab: False)
    host.refuse_namesake(LAB)


def test_a_feature_the_kernel_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_namespaced", lambda command: f"{command}: no" if command.startswith("mount") else "")
    assert "The kernel refuses overlayfs (mount" in refusal(host.refuse_kernel)


def test_a_machine_without_cgroups_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchies", lambda mountinfo: ())
    assert "No cgroup hierarchy" in refusal(host.refuse_kernel)


def test_each_missing_command_counts_for_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "find", lambda command: None if command in ("ctr", "runc") else Path("/bin") / command)
    monkeypatch.setattr(host, "CNI_FOLDERS", (Path("/nowhere"),))
    assert host.missing_packages() == ("containerd", "containernetworking-plugins", "runc")


def test_what_disappeared_after_the_look_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "find", lambda command: None)
    monkeypatch.setattr(host, "CNI_FOLDERS", (Path("/nowhere"),))
    assert "install containerd again" in refusal(lambda: host.needed("ctr"))
    assert "install containernetworking-plugins again" in refusal(host.cni_plugins)
