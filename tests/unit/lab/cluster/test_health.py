# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from mastodon_lab.cluster import api, components, health, process
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.process import Init
from mastodon_lab.lab import Lab

STARTED = 1_780_000_000.5
BEFORE, AFTER = "2026-05-28T20:26:39Z", "2026-05-28T20:26:41Z"


def node(status: str = "True", heartbeat: str = AFTER, *taints: dict[str, str]) -> dict[str, Any]:
    ready = {"type": "Ready", "status": status, "message": "cni not ready", "lastHeartbeatTime": heartbeat}
    return {"spec": {"taints": list(taints)}, "status": {"conditions": [ready]}}


@pytest.mark.parametrize(
    ("found", "trouble"),
    [
        (node(), ""),
        (node("False"), "cni not ready"),
        (node("Unknown"), "cni not ready"),
        (node("True", BEFORE), "the kubelet has not reported yet"),
        ({"spec": {}, "status": {}}, "the kubelet has not reported yet"),
        (node("True", AFTER, {"key": "not-ready", "effect": "NoSchedule"}), "has the taint not-ready"),
        (node("True", AFTER, {"key": "rather-not", "effect": "PreferNoSchedule"}), ""),
    ],
    ids=["ready", "not ready", "unknown", "said by an earlier kubelet", "new", "tainted", "harmlessly tainted"],
)
def test_the_node_is_ready_when_this_kubelet_says_so(found: dict[str, Any], trouble: str) -> None:
    assert health.node_trouble(found, STARTED) == trouble


def test_the_api_server_may_be_seconds_old() -> None:
    assert health.node_trouble(node("True", "2026-05-28T20:26:40Z"), STARTED) == ""


def test_a_lab_that_does_not_run_says_only_that(lab: Lab) -> None:
    (cluster,) = health.check(lab)
    assert not cluster.ready
    assert "lab/up" in cluster.reason


def test_each_component_says_how_it_does(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(lab: Lab, path: str) -> str:
        raise api.NotAnsweringError("the API server does not answer: refused")

    monkeypatch.setattr(process, "find", lambda lab: Init(1, "1"))
    monkeypatch.setattr(api, "get", refuse)
    monkeypatch.setattr(health, "_unreachable", lambda address, port: "")
    doing = {
        "etcd": {"digest": "new", "since": 5.0, "last_exit": None},
        "kube-apiserver": {"digest": "new", "since": 5.0, "last_exit": None},
        "kubelet": {"digest": "new", "since": None, "last_exit": 1},
        "kube-proxy": {"digest": "new", "since": None, "last_exit": None},
        "kube-scheduler": {"digest": "old", "since": 5.0, "last_exit": None},
    }
    components.save(lab, [Component(name, (name,), digest="new") for name in (*doing, "containerd")])
    (lab.run / "components.json").write_text(json.dumps(doing))
    reasons = {part.name: part.reason for part in health.check(lab) if not part.ready}
    assert reasons == {
        "kube-apiserver": "the API server does not answer: refused",
        "kubelet": f"ended with 1; see {lab.log}/kubelet.log",
        "kube-proxy": f"waits for what it needs; see {lab.log}/kube-proxy.log",
        "kube-scheduler": f"is about to be started anew; see {lab.log}/kube-scheduler.log",
        "containerd": f"is about to be started anew; see {lab.log}/containerd.log",
        "node": "the API server does not answer: refused",
    }


@pytest.mark.parametrize("text", [None, "", "{"])
def test_a_report_that_is_not_there_yet_is_no_error(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr(process, "find", lambda lab: Init(1, "1"))
    monkeypatch.setattr(health, "_unreachable", lambda address, port: "")
    components.save(lab, [Component("etcd", ("etcd",))])
    if text is not None:
        (lab.run / "components.json").write_text(text)
    assert [part.name for part in health.check(lab) if not part.ready] == ["etcd", "node"]
