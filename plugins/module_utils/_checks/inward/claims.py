# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which routes and listeners are for a host, and which of them goes before others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import serves
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import GATEWAY_API, Cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """That a route is for a host, on listeners of the Gateway that may speak TLS. The greater rank is served."""

    route: Object
    parent: Item
    rank: tuple[int, int]

    def length(self, path: str) -> int:
        """Return how much of a path it names, less than nothing when it is not for it."""
        return max((length(rule, path) for rule in maps_at(self.route, "spec.rules")), default=-1)


def naming(cluster: Cluster, host: str) -> Sequence[Object]:
    """Return the routes that are for a host, whatever they are on; of those that name none, which take their listeners' hosts, the Gateway's."""
    return [route for route in cluster.all(GATEWAY_API, "HTTPRoute") if rank_of(cluster, route, host)]


def of(cluster: Cluster, host: str) -> Sequence[Claim]:
    """Return the routes for a host that are on the Gateway, those first that go before others."""
    found = [
        Claim(route, parent, rank)
        for route in cluster.all(GATEWAY_API, "HTTPRoute")
        if (rank := rank_of(cluster, route, host))
        for parent in parents(cluster, route)
    ]
    return sorted(found, key=lambda claim: claim.rank, reverse=True)


def rank_of(cluster: Cluster, route: Object, host: str) -> tuple[int, int] | None:
    """Return how exactly a route names a host, None when it does not.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec
    """
    names = at(route, "spec.hostnames", []) or [
        listener.get("hostname") or ""
        for parent in parents(cluster, route)
        for listener in _on(cluster, parent)
        if listener.get("protocol") != "HTTP"
    ]
    fit = [str(name) for name in names if serves({"hostname": str(name)}, host)]
    return max((exactness(name, host) for name in fit), default=None)


def exactness(name: str, host: str) -> tuple[int, int]:
    """Return how exactly a name that may have a star is a host."""
    return int(name == host), len(name)


def parents(cluster: Cluster, route: Object) -> Sequence[Item]:
    """Return by what a route is on listeners of the Gateway that may speak TLS."""
    own = route["metadata"]["namespace"]
    return [
        parent
        for parent in maps_at(route, "spec.parentRefs")
        if (parent.get("kind", "Gateway"), parent.get("namespace", own), parent.get("name"))
        == ("Gateway", cluster.namespace, cluster.name)
        and not _is_plain(_on(cluster, parent))
    ]


def _on(cluster: Cluster, parent: Item) -> Sequence[Item]:
    """Return the listeners that a parent of a route stands for."""
    return [
        listener
        for name, listener in cluster.listeners().items()
        if parent.get("sectionName") in (None, "", name) and parent.get("port") in (None, listener.get("port"))
    ]


def _is_plain(listeners: Sequence[Item]) -> bool:
    return bool(listeners) and all(one.get("protocol") == "HTTP" for one in listeners)


def length(rule: Item, path: str) -> int:
    """Return how much of a path a rule names, less than nothing when it is not for it: the longest wins.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
    """
    found = [at(one, "path", {}) for one in maps_at(rule, "matches")] or [{}]
    return max((_named(one) for one in found if not path or _matches(one, path)), default=-1)


def _named(match: Item) -> int:
    # What is named whole goes before whatever it begins with.
    value = at(match, "value", "/")
    return len(value) + (1 << 16 if at(match, "type", "PathPrefix") == "Exact" else 0)


def _matches(match: Item, path: str) -> bool:
    value, kind = at(match, "value", "/"), at(match, "type", "PathPrefix")
    if kind == "RegularExpression":
        # Each controller has its own: it may be.
        return True
    return path == value if kind == "Exact" else path == value.rstrip("/") or path.startswith(f"{value.rstrip('/')}/")


def secure(cluster: Cluster) -> Sequence[Item]:
    """Return the listeners that speak TLS."""
    return [one for one in cluster.listeners().values() if one.get("protocol") in ("HTTPS", "TLS")]


def of_host(cluster: Cluster, host: str) -> Sequence[Item]:
    """Return the listeners that speak TLS for a host: of those that might, only the ones that name it the most exactly.

    https://gateway-api.sigs.k8s.io/reference/spec/#listener
    """
    fit = [(exactness(one.get("hostname") or "", host), one) for one in secure(cluster) if serves(one, host)]
    best = max((exactness for exactness, _one in fit), default=None)
    return [one for exactness, one in fit if exactness == best]
