# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of the Gateway API: a route for the host, the Gateway that took it, and its listener."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def naming(cluster: Cluster, host: str) -> Sequence[Object]:
    """Return the routes that name a host, whatever they are on."""
    return [
        route
        for route in cluster.all(GATEWAY_API, "HTTPRoute")
        if any(serves({"hostname": name}, host) for name in at(route, "spec.hostnames", []))
    ]


def parents(cluster: Cluster, route: Object) -> Sequence[Item]:
    """Return by what a route is on listeners of the Gateway that may speak TLS."""
    own, listeners = route["metadata"]["namespace"], cluster.listeners()
    return [
        parent
        for parent in maps_at(route, "spec.parentRefs")
        if (parent.get("namespace", own), parent.get("name")) == (cluster.namespace, cluster.name)
        and listeners.get(parent.get("sectionName", ""), {}).get("protocol") != "HTTP"
    ]


def broken(cluster: Cluster, host: str) -> Broken | None:
    """Return the first broken link between the world and the Service behind a host."""
    if gateway := _gateway(cluster):
        return gateway
    routes = naming(cluster, host)
    ours = [(route, parent) for route in routes for parent in parents(cluster, route)]
    if not ours:
        return _elsewhere(cluster, host, routes)
    return next((found for one in ours if (found := _taken(cluster, host, *one))), None)


def _gateway(cluster: Cluster) -> Broken | None:
    gateway = cluster.gateway
    if gateway is None:
        return Broken((f"{cluster} does not exist",), "kubectl get gateway -A")
    status = compute(gateway)
    if status.verdict != "Current":
        return Broken((f"{cluster} is not ready: {shown(str(status))}",), describe(gateway))
    return None


def _elsewhere(cluster: Cluster, host: str, routes: Sequence[Object]) -> Broken:
    """Return where the routes are that name a host, but for those that only redirect to TLS."""
    found = [(route, _names(route)) for route in routes if not _is_ours(cluster, route)]
    if not found:
        return Broken((f"no HTTPRoute on a listener with TLS names {host}",), "kubectl get httproute -A")
    route, on = found[0]
    return Broken((f"{told(route)}, which names {host}, is on {on}, and not on {cluster}",), describe(route))


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
    elif not (of_host := [one for one in fit if serves(one, host)]):
        hosts = ", ".join(f"{one.get('name')} for {one.get('hostname')}" for one in fit)
        yield Broken((f"of its listeners none is for {host}, only {hosts}",), command)
    else:
        yield from _of_host(cluster, of_host[0], route)


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
