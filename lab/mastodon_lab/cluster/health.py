# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the cluster's own parts are doing, asked from the host."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mastodon_lab import versions
from mastodon_lab.cluster import api, components, node
from mastodon_lab.lab import MIRROR_PORT, Lab
from mastodon_lab.status import PartStatus

CONNECT_SECONDS = 2.0
# They come from one build.
KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


def check(lab: Lab) -> tuple[PartStatus, ...]:
    """One status for each component, the node and the way to Services; only the cluster's when it doesn't run."""
    if not node.of(lab).running(lab):
        return (PartStatus("cluster", ready=False, reason="is not running; start it with lab/up"),)
    doing = _report(lab)
    known = _versions(lab)
    parts = [PartStatus(name, not trouble, known.get(name, ""), trouble) for name, trouble in _components(lab, doing)]
    trouble = _node(lab, node.of(lab).kubelet_since(lab, doing))
    # Only kube-proxy makes a Service's address answer, and only the host's route leads there.
    services = _unreachable(lab.kubernetes_ip, 443)
    return (
        *parts,
        PartStatus("node", not trouble, known.get("kubelet", ""), trouble),
        PartStatus("services", not services, reason=services),
    )


def _report(lab: Lab) -> dict[str, Any]:
    try:
        doing: dict[str, Any] = json.loads((lab.run / "components.json").read_text())
    except (OSError, ValueError):
        return {}
    return doing


def _versions(lab: Lab) -> dict[str, str]:
    found = {"etcd": versions.ETCD, "kind": versions.KIND}
    try:
        info = api.get_json(lab, _path(lab))["status"]["nodeInfo"]
    except api.NotAnsweringError:
        return found
    kubernetes = dict.fromkeys(KUBERNETES, str(info["kubeletVersion"]))
    return found | kubernetes | {"containerd": str(info["containerRuntimeVersion"]).removeprefix("containerd://")}


def _components(lab: Lab, doing: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each component that should run, with its trouble."""
    for wanted in components.load(lab):
        facts = doing.get(wanted.name)
        log = f"see {lab.log}/{wanted.name}.log"
        if facts is None or facts["digest"] != wanted.digest:
            yield wanted.name, f"is about to be started anew; {log}"
        elif facts["since"] is not None:
            yield wanted.name, _component_trouble(lab, wanted.name)
        elif facts["last_exit"] is None:
            yield wanted.name, f"waits for what it needs; {log}"
        else:
            yield wanted.name, f"ended with {facts['last_exit']}; {log}"


def _component_trouble(lab: Lab, name: str) -> str:
    """Why a component that runs doesn't work, or nothing."""
    if name == "mirror":
        return _unreachable(lab.node_ip, MIRROR_PORT)
    if name != node.of(lab).api:
        return ""
    try:
        api.get(lab, "/readyz")
    except api.NotAnsweringError as error:
        return str(error)
    return ""


def _path(lab: Lab) -> str:
    return f"/api/v1/nodes/{node.of(lab).name(lab)}"


def _node(lab: Lab, kubelet_since: float | None) -> str:
    try:
        return node_trouble(api.get_json(lab, _path(lab)), time.time() if kubelet_since is None else kubelet_since)
    except api.NotAnsweringError as error:
        return str(error)


def node_trouble(found: dict[str, Any], kubelet_since: float) -> str:
    """Why a Node isn't ready, or nothing. What an earlier kubelet said of it, before that time, does not count."""
    conditions = found["status"].get("conditions", [])
    ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
    if ready is None or datetime.fromisoformat(ready["lastHeartbeatTime"]).timestamp() < int(kubelet_since):
        return "the kubelet has not reported yet"
    if ready["status"] != "True":
        return str(ready["message"])
    taints = [taint["key"] for taint in found["spec"].get("taints", []) if taint["effect"] != "PreferNoSchedule"]
    return f"has the taint {taints[0]}" if taints else ""


def _unreachable(address: str, port: int) -> str:
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        return f"{address}:{port} does not answer: {error.strerror or error}"
    return ""
