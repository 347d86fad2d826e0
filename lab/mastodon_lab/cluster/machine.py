# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that is processes of this machine, in the lab's namespaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mastodon_lab.cluster import components, config
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.namespaced import Namespaced
from mastodon_lab.lab import Lab


class Machine(Namespaced):
    """See Node."""

    step = "wait for the node"
    seconds = 8.0
    patience = 90.0
    api = "kube-apiserver"

    def name(self, lab: Lab) -> str:
        return config.NODE

    def write(self, lab: Lab, cni_plugins: Path) -> None:
        config.write(lab, cni_plugins)

    def components(self, lab: Lab, program: Callable[[str], Path]) -> tuple[Component, ...]:
        return components.all_components(lab, program)

    def network(self, lab: Lab) -> tuple[str, ...]:
        return (
            f"ip address add {lab.gateway_ip}/32 dev lo",
            # Any route will do, kube-proxy rewrites the destination; without one, connecting to a Service fails at once.
            f"ip route add {lab.service_cidr} dev lo src {lab.node_ip}",
        )

    def kubelet_since(self, lab: Lab, doing: Mapping[str, Any]) -> float | None:
        since = doing.get("kubelet", {}).get("since")
        return None if since is None else time.time() - (time.monotonic() - since)
