# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mastodon_lab.cluster import api
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import workloads
from mastodon_lab.parts.kubectl import Kubectl

REVISIONS = {"currentRevision": "a", "updateRevision": "a"}
COUNTS = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}


def found(kind: str, **status: object) -> dict[str, Any]:
    """One that is ready as it is written, but for this of its status."""
    ready = {"observedGeneration": 2, **COUNTS, **(REVISIONS if kind == "StatefulSet" else {})}
    return {"kind": kind, "metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": {**ready, **status}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_is_ready_as_it_is_written_is_rolled_out(kind: str) -> None:
    assert workloads.is_rolled_out(found(kind))
    assert workloads.is_rolled_out(found(kind, observedGeneration=3))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Deployment", {"observedGeneration": 1}),
        ("Deployment", {"updatedReplicas": 0}),
        ("Deployment", {"replicas": 2}),
        ("Deployment", {"availableReplicas": 0}),
        ("StatefulSet", {"observedGeneration": 1}),
        ("StatefulSet", {"readyReplicas": 0}),
        ("StatefulSet", {"updateRevision": "b"}),
    ],
)
def test_what_is_not_yet_as_it_is_written_is_not(kind: str, status: dict[str, object]) -> None:
    assert not workloads.is_rolled_out(found(kind, **status))


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_nothing_is_rolled_out_of_which_no_controller_said_so(kind: str) -> None:
    assert not workloads.is_rolled_out({**found(kind), "status": {}})
    without = found(kind)
    del without["status"]
    assert not workloads.is_rolled_out(without)


def kubectl(monkeypatch: pytest.MonkeyPatch, said: str) -> Kubectl:
    """A kubectl that says this of pods."""
    monkeypatch.setattr(
        Kubectl, "trouble", lambda _self, namespace, name: f"{namespace} {name}: {said}" if said else ""
    )
    return Kubectl(Path("kubectl"), Path("kubeconfig"))


def test_it_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [api.NotAnsweringError("busy"), found("Deployment", updatedReplicas=0), found("Deployment")]
    asked = []

    def answer(_lab: Lab, path: str) -> Any:
        asked.append(path)
        if isinstance(said := answers.pop(0), Exception):
            raise said
        return said

    monkeypatch.setattr(api, "get_json", answer)
    monkeypatch.setattr(workloads, "POLL_SECONDS", 0)
    workloads.wait(lab, kubectl(monkeypatch, ""), "kube-system/deployment/coredns", 9)
    assert asked == ["/apis/apps/v1/namespaces/kube-system/deployments/coredns"] * 3


@pytest.mark.parametrize(
    ("of_pods", "reason"),
    [
        ("ImagePullBackOff: no such image", "cache redis: ImagePullBackOff: no such image"),
        ("", "its pods are not all as it is written and ready"),
    ],
)
def test_one_that_does_not_run_is_said(lab: Lab, monkeypatch: pytest.MonkeyPatch, of_pods: str, reason: str) -> None:
    monkeypatch.setattr(api, "get_json", lambda *_: found("StatefulSet", readyReplicas=0))
    with pytest.raises(LabError) as failed:
        workloads.wait(lab, kubectl(monkeypatch, of_pods), "cache/statefulset/redis", 0)
    assert str(failed.value).startswith(f"statefulset cache/redis: not ready after 0 s: {reason}. Look at it with")
    assert "kubectl -n cache describe pod" in str(failed.value)
