# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the names that routes ask for lead to their Gateway, and what is different where they do not."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

Item = Mapping[str, Any]
Addresses = Callable[[str], Set[str]]


@dataclass(frozen=True)
class Drift:
    """A name that leads elsewhere, or nowhere."""

    name: str
    found: tuple[str, ...]
    wanted: tuple[str, ...]

    def __str__(self) -> str:
        """Return what people read, such as `DNS record example.org: 192.0.2.9 → 192.0.2.1`."""
        return f"DNS record {self.name}: {' '.join(self.found) or 'absent'} → {' '.join(self.wanted)}"


def targets(gateway: Item | None) -> tuple[str, ...]:
    """Return the addresses, or names, that a Gateway has by now."""
    addresses = ((gateway or {}).get("status") or {}).get("addresses") or []
    return tuple(address["value"] for address in addresses)


def asked_for(routes: Iterable[Item], namespace: str, name: str) -> frozenset[str]:
    """Return the hosts of all routes that the Gateway `namespace/name` has accepted."""
    return frozenset(
        host
        for route in routes
        if _is_on(route, namespace, name) and compute(route).verdict == "Current"
        for host in route["spec"].get("hostnames") or []
    )


def _is_on(route: Item, namespace: str, name: str) -> bool:
    own = route["metadata"]["namespace"]
    parents = route["spec"].get("parentRefs") or []
    return any((parent.get("namespace", own), parent["name"]) == (namespace, name) for parent in parents)


def drifts(names: Iterable[str], wanted: Iterable[str], addresses: Addresses) -> list[Drift]:
    """Return one drift for each name that does not lead to exactly the addresses of `wanted`."""
    expected = frozenset(address for target in wanted for address in addresses(target))
    found = {name: addresses(name) for name in names}
    return [
        Drift(name, tuple(sorted(there)), tuple(sorted(expected))) for name, there in found.items() if there != expected
    ]


def turns_private(drift: Drift) -> bool:
    """Whether a name that the world reaches would lead to addresses that only a network of one's own reaches."""
    return (
        bool(drift.found and drift.wanted)
        and all(map(_is_public, drift.found))
        and not any(map(_is_public, drift.wanted))
    )


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global
