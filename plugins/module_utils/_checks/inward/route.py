# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of the Gateway API: a route for the host, the Gateway that took it, and its listener."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import allows, namespace_labels, serves
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import claims, issuance
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    name_of,
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


def broken(cluster: Cluster, host: str, path: str = "") -> Broken | None:
    """Return the first broken link between the world and the Service behind a host, for all paths or one."""
    if cluster.gateway is None:
        return Broken((f"{cluster} does not exist",), "kubectl get gateway -A")
    ours = claims.of(cluster, host)
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


def is_taken(cluster: Cluster, host: str, claim: claims.Claim) -> bool:
    """Whether the Gateway serves a host by a route."""
    return _taken(cluster, host, claim.route, claim.parent) is None


def served(cluster: Cluster, host: str, path: str) -> Sequence[tuple[claims.Claim, Item]]:
    """Return the rules that a path of a host goes by, each with its route: several only where they are as exact as each other."""
    rules = [
        ((claim.rank, its), claim, rule)
        for claim in claims.of(cluster, host)
        if is_taken(cluster, host, claim)
        for rule in maps_at(claim.route, "spec.rules")
        if (its := claims.length(rule, path)) >= 0
    ]
    first = max((rank for rank, _claim, _rule in rules), default=None)
    return [(claim, rule) for rank, claim, rule in rules if rank == first]


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
    found = [(route, _names(route)) for route in claims.naming(cluster, host) if not _is_ours(cluster, route)]
    if not found:
        return Broken((f"no HTTPRoute on a listener with TLS names {host}",), "kubectl get httproute -A")
    route, on = max(found, key=lambda one: claims.rank_of(cluster, one[0], host) or (0, 0))
    is_named = host in at(route, "spec.hostnames", [])
    return Broken(
        (f"{name_of(route)}, which names {host}, is on {on}, and not on {cluster}",), describe(route), is_named
    )


def _is_ours(cluster: Cluster, route: Object) -> bool:
    return f"{cluster}" in _names(route).split(", ")


def _names(route: Object) -> str:
    own = route["metadata"]["namespace"]
    found = [f"Gateway {one.get('namespace', own)}/{one.get('name')}" for one in maps_at(route, "spec.parentRefs")]
    return ", ".join(found) or "no Gateway"


def _taken(cluster: Cluster, host: str, route: Object, parent: Item) -> Broken | None:
    entry = next((one for one in maps_at(route, "status.parents") if answers(one, parent, route)), None)
    if entry is None:
        return Broken((f"no controller has answered {name_of(route)} for {cluster}",), describe(route))
    listener = next(_listener(cluster, host, route, parent), None)
    found = conditions(entry, at(route, "metadata.generation", 0)).get("Accepted")
    if found is None:
        return Broken((f"{cluster} has not taken what changed in {name_of(route)}",), describe(route))
    if found.status == "True":
        return listener
    said = f"{cluster} does not take {name_of(route)}: {_words(found)}"
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
    fit = [one for one in claims.secure(cluster) if section in ("", one.get("name"))]
    if not fit:
        has = ", ".join(cluster.listeners()) or "none"
        yield Broken((f"it has no listener {section or 'with TLS'}, only {has}",), command)
    elif not (its := [one for one in fit if serves(one, host)]):
        hosts = ", ".join(f"{one.get('name')} for {one.get('hostname')}" for one in fit)
        yield Broken((f"of its listeners none is for {host}, only {hosts}",), command)
    else:
        yield from _of_host(cluster, max(its, key=lambda one: claims.exactness(one.get("hostname") or "", host)), route)


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
