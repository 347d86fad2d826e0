# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to get a node with a cluster on it. Everything above it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.kind import Kind
from mastodon_lab.cluster.kind.docker import InDocker
from mastodon_lab.cluster.machine import Machine
from mastodon_lab.lab import DOCKER, KIND, MACHINE, Lab


class Node(Protocol):
    """A way to get a node.

    `step` is what `lab/up` says while it waits, `seconds` how long that usually takes, `patience` how long it may take.
    `api` is the component that has the API server in it, if one has.
    """

    step: str
    seconds: float
    patience: float
    api: str

    def name(self, lab: Lab) -> str:
        """What its Node object is called."""
        ...

    def write(self, lab: Lab, cni_plugins: Path) -> None:
        """Write every configuration file; certificates are there. `cni_plugins` is the distribution's folder of them."""
        ...

    def components(self, lab: Lab, program: Callable[[str], Path]) -> tuple[Component, ...]:
        """The processes that init keeps running; `program` finds what was built, or else the distribution's."""
        ...

    def network(self, lab: Lab) -> tuple[str, ...]:
        """Commands that lead the addresses of Gateway, Services and pods to the node, in the lab's namespace."""
        ...

    def kubelet_since(self, lab: Lab, doing: Mapping[str, Any]) -> float | None:
        """When its kubelet was started, in seconds since 1970; `doing` is how the components do. None if it wasn't."""
        ...

    def refuse(self) -> None:
        """Raise LabError where this machine lacks what this way alone needs."""
        ...

    def running(self, lab: Lab) -> bool:
        """Whether it runs, ready or not."""
        ...

    def start(self, lab: Lab, kind: Path | None) -> int:
        """Start what doesn't run, and return a process in its network namespace; `kind` is that program, if the lab has it."""
        ...

    def stop(self, lab: Lab) -> None:
        """End it."""
        ...

    def remove(self, lab: Lab) -> None:
        """Remove what lies elsewhere than in the lab's state, once it is ended."""
        ...


WAYS: Mapping[str, Node] = {MACHINE: Machine(), KIND: Kind(), DOCKER: InDocker()}


def of(lab: Lab) -> Node:
    """The lab's way."""
    return WAYS[lab.way]
