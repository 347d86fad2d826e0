# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the cluster's own parts are doing, asked from the host."""

from __future__ import annotations

import json
import socket
import time
from datetime import datetime
from typing import Any

from mastodon_lab.cluster import api, process
from mastodon_lab.cluster.config import NODE
from mastodon_lab.lab import MIRROR_PORT, Lab
from mastodon_lab.status import PartStatus

CONNECT_SECONDS = 2.0


def look(lab: Lab) -> tuple[PartStatus, ...]:
    """One status for each component, the node and the way to Services; only init's when that doesn't run."""
    if process.find(lab) is None:
        return (PartStatus("cluster", ready=False, reason="is not running; start it with lab/up"),)
    doing = _report(lab)
    version = _version(lab)
    parts = [_component(lab, name, facts, version) for name, facts in doing.items()]
    parts.append(_node(lab, doing.get("kubelet", {}).get("since")))
    # Only kube-proxy makes a Service's address answer, and only the host's route leads there.
    parts.append(_address("services", lab.kubernetes_ip, 443))
    parts.append(_address("chart mirror", lab.node_ip, MIRROR_PORT))
    return tuple(parts)


def _report(lab: Lab) -> dict[str, Any]:
    try:
        doing: dict[str, Any] = json.loads((lab.run / "components.json").read_text())
    except (OSError, ValueError):
        return {}
    return doing


def _version(lab: Lab) -> str:
    try:
        return str(api.get_json(lab, "/version")["gitVersion"])
    except api.NotAnsweringError:
        return ""


def _component(lab: Lab, name: str, facts: dict[str, Any], version: str) -> PartStatus:
    if facts["since"] is None:
        ended = "waits for what it needs" if facts["last_exit"] is None else f"ended with {facts['last_exit']}"
        return PartStatus(name, ready=False, reason=f"{ended}; see {lab.log}/{name}.log")
    if name != "kube-apiserver":
        return PartStatus(name, ready=True, version=version if name.startswith("kube") else "")
    try:
        api.get(lab, "/readyz")
    except api.NotAnsweringError as error:
        return PartStatus(name, ready=False, reason=str(error))
    return PartStatus(name, ready=True, version=version)


def _node(lab: Lab, kubelet_since: float | None) -> PartStatus:
    try:
        node = api.get_json(lab, f"/api/v1/nodes/{NODE}")
    except api.NotAnsweringError as error:
        return PartStatus("node", ready=False, reason=str(error))
    reason = node_trouble(node, _wall_clock(kubelet_since))
    return PartStatus("node", ready=not reason, version=node["status"]["nodeInfo"]["kubeletVersion"], reason=reason)


def node_trouble(node: dict[str, Any], kubelet_since: float) -> str:
    """Why a Node isn't ready, or nothing. What an earlier kubelet said of it, before that time, does not count."""
    conditions = node["status"].get("conditions", [])
    ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
    if ready is None or datetime.fromisoformat(ready["lastHeartbeatTime"]).timestamp() < int(kubelet_since):
        return "the kubelet has not reported yet"
    if ready["status"] != "True":
        return str(ready["message"])
    taints = [taint["key"] for taint in node["spec"].get("taints", []) if taint["effect"] != "PreferNoSchedule"]
    return f"has the taint {taints[0]}" if taints else ""


def _wall_clock(since: float | None) -> float:
    return time.time() - (time.monotonic() - since) if since is not None else time.time()


def _address(name: str, address: str, port: int) -> PartStatus:
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        return PartStatus(name, ready=False, reason=f"{address}:{port} does not answer: {error.strerror or error}")
    return PartStatus(name, ready=True)
