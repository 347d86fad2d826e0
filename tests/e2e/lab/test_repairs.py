# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab/up` puts back what somebody changed or deleted of the platform, and leaves alone what nobody touched."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from ...conftest import LAB_NAME, ROOT, Lab

PEBBLE = ("deployment", "-n=acme", "pebble")


def repaired(lab: Lab) -> list[str]:
    """Run `lab/up` and return what it applied, by the API server's audit log."""
    since = lab.audit_mark()
    done = subprocess.run([str(ROOT / "lab/up"), "--name", LAB_NAME], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with (lab.state / "log/audit.log").open("rb") as log:
        log.seek(since)
        events = [json.loads(line) for line in log.read().splitlines() if line.endswith(b"}")]
    return [event["requestURI"] for event in events if "fieldManager=mastodon-lab" in event["requestURI"]]


@pytest.fixture(scope="module")
def settled(lab: Lab) -> Iterator[Lab]:
    """The lab as `lab/up` leaves it, before and after."""
    repaired(lab)
    yield lab
    repaired(lab)


def test_what_nobody_touched_is_not_applied_again(settled: Lab) -> None:
    assert repaired(settled) == []


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"spec": {"template": {"spec": {"enableServiceLinks": False}}}}, ""),
        ({"spec": {"template": {"metadata": {"annotations": {"fediverse.mastodon/manifest": "x"}}}}}, "annotation"),
    ],
    ids=["a field that the lab says nothing of", "one that it does"],
)
def test_only_what_the_lab_says_is_put_back(settled: Lab, changed: dict[str, object], where: str) -> None:
    before = settled.get(*PEBBLE)["spec"]["template"]["metadata"]["annotations"]
    settled.kubectl("patch", *PEBBLE, f"--patch={json.dumps(changed)}")
    assert bool(repaired(settled)) == bool(where)
    assert settled.get(*PEBBLE)["spec"]["template"]["metadata"]["annotations"] == before
    settled.kubectl("rollout", "status", "deployment/pebble", "-n=acme", "--timeout=240s")


def test_what_is_changed_under_the_lab_s_own_name_is_put_back(settled: Lab) -> None:
    before = settled.get("configmap", "-n=kube-system", "coredns")["data"]
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}}
    words = ("apply", "--server-side", "--field-manager=mastodon-lab", "-f-")
    corefile = before["Corefile"].replace("ttl 5", "ttl 6")
    settled.kubectl(*words, given=json.dumps({**other, "data": {"Corefile": corefile}}))
    assert repaired(settled)
    assert settled.get("configmap", "-n=kube-system", "coredns")["data"] == before


@pytest.mark.parametrize(
    "deleted",
    [PEBBLE, ("secret", "-n=cache", "redis"), ("crd", "udproutes.gateway.networking.k8s.io")],
    ids=lambda words: words[0],
)
def test_what_is_deleted_is_there_again(settled: Lab, deleted: tuple[str, ...]) -> None:
    settled.kubectl("delete", *deleted)
    assert repaired(settled)
    assert settled.get(*deleted)["metadata"]["name"] == deleted[-1]
    assert repaired(settled) == []
