# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that is a container of kind's, in a Docker of the lab's own, in the lab's namespaces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mastodon_lab.cluster import components
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.kind import config
from mastodon_lab.cluster.namespaced import Namespaced
from mastodon_lab.lab import CEPH, Lab


class Kind(Namespaced):
    """See Node."""

    step = "wait for kind's node"
    seconds = 60.0
    patience = 300.0
    api = "kind"

    def name(self, lab: Lab) -> str:
        return config.node_name(lab)

    def write(self, lab: Lab, cni_plugins: Path) -> None:
        config.write(lab)

    def components(self, lab: Lab, program: Callable[[str], Path]) -> tuple[Component, ...]:
        python = (sys.executable, "-B", "-m")
        dockerd = program("dockerd")
        # It is in usr/sbin of a Debian.
        debian = dockerd.parents[2]
        docker = ("mastodon_lab.cluster.kind.root", str(debian), str(lab.state), str(lab.cache), dockerd.name)
        has = CEPH if lab.has(CEPH) else ""
        kind = ("mastodon_lab.cluster.kind.keep", *lab.words, str(program("kind")), str(config.cluster_file(lab)), has)
        return components.digested(
            components.mirror(lab),
            Component("dockerd", (*python, *docker, f"--config-file={config.daemon_file(lab)}")),
            Component("kind", (*python, *kind), (str(config.socket(lab)),)),
        )

    def network(self, lab: Lab) -> tuple[str, ...]:
        of_node = (lab.service_cidr, lab.pod_cidr, lab.gateway_ip)
        return (
            f"ip link add {config.BRIDGE} type bridge",
            f"ip address add {lab.bridge_ip}/24 dev {config.BRIDGE}",
            f"ip link set {config.BRIDGE} up",
            *(f"ip route add {addresses} via {lab.container_ip} src {lab.node_ip}" for addresses in of_node),
            # What the node doesn't know yet it sends here, who would send it back. Whoever waits is to try again at once.
            *(f"ip rule add iif {config.BRIDGE} to {addresses} unreachable" for addresses in of_node),
        )

    def kubelet_since(self, lab: Lab, doing: Mapping[str, Any]) -> float | None:
        if doing.get("kind", {}).get("since") is None:
            return None
        return config.node_since(lab)
