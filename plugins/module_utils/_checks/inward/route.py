# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of the Gateway API: a route for the host, the Gateway that took it, and its listener."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import allows, namespace_labels, serves
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import issuance
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    GATEWAY_API,
    Broken,
    Cluster,
    describe,
    told,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Condition, conditions

Item = Mapping[str, Any]


# Of any listener, which may be another's: what is wrong with ours it says itself. https://gateway-api.sigs.k8s.io/reference/spec/#gatewayconditionreason
_OF_LISTENERS = ("ListenersNotValid", "PortUnavailable")
_NO_ADDRESS = "NoAddress"


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
    return [route for route in cluster.all(GATEWAY_API, "HTTPRoute") if _rank(cluster, route, host)]


def claims(cluster: Cluster, host: str) -> Sequence[Claim]:
    """Return the routes for a host that are on the Gateway, those first that go before others."""
    found = [
        Claim(route, parent, rank)
        for route in cluster.all(GATEWAY_API, "HTTPRoute")
        if (rank := _rank(cluster, route, host))
        for parent in parents(cluster, route)
    ]
    return sorted(found, key=lambda claim: claim.rank, reverse=True)


def _rank(cluster: Cluster, route: Object, host: str) -> tuple[int, int] | None:
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
    return max((_exactness(name, host) for name in fit), default=None)


def _exactness(name: str, host: str) -> tuple[int, int]:
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


def broken(cluster: Cluster, host: str, path: str = "") -> Broken | None:
    """Return the first broken link between the world and the Service behind a host, for all paths or one."""
    if cluster.gateway is None:
        return Broken((f"{cluster} does not exist",), "kubectl get gateway -A")
    ours = claims(cluster, host)
    if not ours:
        return _elsewhere(cluster, host)
    # Others' routes may be for it by a star, and are asked only where none names it.
    first = [claim for claim in ours if claim.rank == ours[0].rank]
    fit = [claim for claim in first if claim.length(path) >= 0] or first
    found = [_taken(cluster, host, claim.route, claim.parent) for claim in fit]
    if found[0] and all(found):
        others = ours[len(first) :]
        return replace(found[0], certain=not any(is_taken(cluster, host, claim) for claim in others))
    return None


def is_taken(cluster: Cluster, host: str, claim: Claim) -> bool:
    """Whether the Gateway serves a host by a route."""
    return _taken(cluster, host, claim.route, claim.parent) is None


def unready(cluster: Cluster) -> Broken | None:
    """Return what is wrong with the whole Gateway, which others' listeners may be the reason of."""
    gateway = cluster.gateway or {}
    status = compute(gateway)
    if status.verdict == "Current" or status.reason in (*_OF_LISTENERS, _NO_ADDRESS):
        return None
    return Broken((f"{cluster} is not ready: {shown(str(status))}",), describe(gateway), certain=False)


def unaddressed(cluster: Cluster) -> Broken | None:
    """Return that the Gateway has no address that a record could have."""
    if cluster.gateway is None or at(cluster.gateway, "status.addresses", []):
        return None
    return Broken((f"{cluster} has no address",), describe(cluster.gateway))


def _elsewhere(cluster: Cluster, host: str) -> Broken:
    """Return where the routes are that name a host, but for those that only redirect to TLS."""
    found = [(route, _names(route)) for route in naming(cluster, host) if not _is_ours(cluster, route)]
    if not found:
        return Broken((f"no HTTPRoute on a listener with TLS names {host}",), "kubectl get httproute -A")
    route, on = max(found, key=lambda one: _rank(cluster, one[0], host) or (0, 0))
    is_named = host in at(route, "spec.hostnames", [])
    return Broken((f"{told(route)}, which names {host}, is on {on}, and not on {cluster}",), describe(route), is_named)


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


def _is_ours(cluster: Cluster, route: Object) -> bool:
    return f"{cluster}" in _names(route).split(", ")


def _names(route: Object) -> str:
    own = route["metadata"]["namespace"]
    found = [f"Gateway {one.get('namespace', own)}/{one.get('name')}" for one in maps_at(route, "spec.parentRefs")]
    return ", ".join(found) or "no Gateway"


def _taken(cluster: Cluster, host: str, route: Object, parent: Item) -> Broken | None:
    entry = next((one for one in maps_at(route, "status.parents") if answers(one, parent, route)), None)
    if entry is None:
        return Broken((f"no controller has answered {told(route)} for {cluster}",), describe(route))
    listener = next(_listener(cluster, host, route, parent), None)
    found = conditions(entry, at(route, "metadata.generation", 0)).get("Accepted")
    if found is None:
        return Broken((f"{cluster} has not taken what changed in {told(route)}",), describe(route))
    if found.status == "True":
        return listener
    said = f"{cluster} does not take {told(route)}: {_words(found)}"
    return listener.behind(said) if listener else Broken((said,), describe(route))


def answers(entry: Item, parent: Item, route: Object) -> bool:
    """Whether an entry of a route's status is about a parent of its: some controllers leave entries about former ones.

    https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus
    """
    own = route["metadata"]["namespace"]
    keys = (("name", ""), ("namespace", own), ("sectionName", ""), ("port", 0))
    return all(at(entry.get("parentRef"), key, default) == at(parent, key, default) for key, default in keys)


def _words(condition: Condition) -> str:
    return shown(": ".join(part for part in (condition.reason, condition.message) if part))


def _listener(cluster: Cluster, host: str, route: Object, parent: Item) -> Iterator[Broken]:
    """Yield what is wrong with the listener that a route is on; with the one for its host where it names none."""
    section, command = parent.get("sectionName", ""), describe(cluster.gateway or {})
    fit = [one for one in secure(cluster) if section in ("", one.get("name"))]
    if not fit:
        has = ", ".join(cluster.listeners()) or "none"
        yield Broken((f"it has no listener {section or 'with TLS'}, only {has}",), command)
    elif not (its := [one for one in fit if serves(one, host)]):
        hosts = ", ".join(f"{one.get('name')} for {one.get('hostname')}" for one in fit)
        yield Broken((f"of its listeners none is for {host}, only {hosts}",), command)
    else:
        yield from _of_host(cluster, max(its, key=lambda one: _exactness(one.get("hostname") or "", host)), route)


def _of_host(cluster: Cluster, listener: Item, route: Object) -> Iterator[Broken]:
    name, namespace = listener.get("name"), route["metadata"]["namespace"]
    its = namespace_labels([namespace], cluster.api, cluster.catalog)[namespace]
    if not allows(listener, cluster.namespace, namespace, its):
        said = f"listener {name} of {cluster} takes no routes from namespace {namespace}"
        yield Broken((said,), describe(cluster.gateway or {}))
    yield from wrong(cluster, listener)


def wrong(cluster: Cluster, listener: Item) -> Iterator[Broken]:
    """Yield what a controller says is wrong with a listener, and what is behind that."""
    gateway, name = cluster.gateway or {}, listener.get("name")
    status = next((one for one in maps_at(gateway, "status.listeners") if one.get("name") == name), {})
    found = conditions(status, at(gateway, "metadata.generation", 0))
    for kind, well in (("Accepted", "True"), ("Conflicted", "False"), ("ResolvedRefs", "True"), ("Programmed", "True")):
        condition = found.get(kind)
        if condition and condition.status != well:
            said = f"listener {name} of {cluster} is not well: {_words(condition)}"
            behind = next(issuance.missing(cluster, listener), None) if kind == "ResolvedRefs" else None
            yield behind.behind(said) if behind else Broken((said,), describe(gateway))


def secure(cluster: Cluster) -> Sequence[Item]:
    """Return the listeners that speak TLS."""
    return [one for one in cluster.listeners().values() if one.get("protocol") in ("HTTPS", "TLS")]


def of_host(cluster: Cluster, host: str) -> Sequence[Item]:
    """Return the listeners that speak TLS for a host: of those that might, only the ones that name it the most exactly.

    https://gateway-api.sigs.k8s.io/reference/spec/#listener
    """
    fit = [(_exactness(one.get("hostname") or "", host), one) for one in secure(cluster) if serves(one, host)]
    best = max((exactness for exactness, _one in fit), default=None)
    return [one for exactness, one in fit if exactness == best]
