# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The innermost links: the Service that a route sends a path to, its endpoints, and their pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import selects
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import network, route
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    labels_of,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import troubles
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions

Item = Mapping[str, Any]
_MAKERS = ("Deployment", "StatefulSet", "DaemonSet")


def broken(cluster: Cluster, host: str, path: str) -> Broken | None:
    """Return the first broken link between the route of a host and the pods behind a path."""
    served = route.served(cluster, host, path)
    if not served:
        return None
    links = [(claim, _of(cluster, claim.route, one)) for claim, rule in served for one in _references(rule)]
    claim, link = next(((claim, link) for claim, link in links if link), (served[0][0], None))
    if link is None:
        return None
    # Of several the others may take it.
    link = replace(link, certain=link.certain and all(one for _claim, one in links))
    unresolved = _unresolved(claim.route, claim.parent)
    return link.behind(unresolved) if unresolved else link


def pods(cluster: Cluster, host: str, path: str) -> Iterator[Object]:
    """Yield the pods behind a path of a host that run."""
    for claim, rule in route.served(cluster, host, path):
        for one in _references(rule):
            namespace = one.get("namespace") or claim.route["metadata"]["namespace"]
            service = cluster.one("", "Service", namespace, str(one.get("name")))
            yield from (pod for pod in _pods(cluster, service) if at(pod, "status.phase") == "Running")


def _references(rule: Item) -> Iterator[Item]:
    return (one for one in maps_at(rule, "backendRefs") if at(one, "weight", 1))


def _unresolved(its: Object, parent: Item) -> str:
    entries = [one for one in maps_at(its, "status.parents") if route.answers(one, parent, its)]
    found = conditions(entries[0], at(its, "metadata.generation", 0)).get("ResolvedRefs") if entries else None
    return f"{name_of(its)}: {found.reason}" if found and found.status != "True" else ""


def _of(cluster: Cluster, its: Object, reference: Item) -> Broken | None:
    namespace, name = reference.get("namespace") or its["metadata"]["namespace"], str(reference.get("name"))
    if reference.get("kind", "Service") != "Service":
        return None
    service = cluster.one("", "Service", namespace, name)
    if service is None:
        said = f"Service {namespace}/{name}, which {name_of(its)} sends to, does not exist"
        return Broken((said,), f"kubectl get service -n {namespace}")
    if at(service, "spec.type", "") == "ExternalName":
        # Who is there is not of this cluster.
        return None
    port = next((one for one in maps_at(service, "spec.ports") if one.get("port") == reference.get("port")), None)
    if port is None:
        return Broken((f"Service {namespace}/{name} has no port {reference.get('port')}",), describe(service))
    return behind(cluster, service, port)


def behind(cluster: Cluster, service: Object, port: Item) -> Broken | None:
    """Return what is wrong behind a port of a Service."""
    selector = at(service, "spec.selector", {})
    found = _pods(cluster, service)
    if _is_ready(cluster, service):
        return network.keeping_out(cluster, found, port)
    if not selector:
        return Broken((f"{name_of(service)} has no selector, and no endpoints that are ready",), describe(service))
    live = [pod for pod in found if not at(pod, "metadata.deletionTimestamp")]
    if not live:
        return _unmade(cluster, service, selector)
    wrong = [str(one) for pod in live for one in (*troubles.of_pod(pod), troubles.unfinished(pod)) if one]
    said = wrong[0] if wrong else f"{name_of(live[0])} is not among its endpoints"
    return Broken((f"no pod of {name_of(service)} is ready", shown(said, 300)), describe(live[0]))


def _pods(cluster: Cluster, service: Object | None) -> list[Object]:
    selector = at(service, "spec.selector", {})
    namespace = service["metadata"]["namespace"] if service and selector else ""
    return [one for one in cluster.all("", "Pod", namespace) if _selected(selector, one)] if namespace else []


def _selected(selector: Mapping[str, str], pod: Object) -> bool:
    return bool(selector) and selects({"matchLabels": selector}, labels_of(pod))


def _is_ready(cluster: Cluster, service: Object) -> bool:
    """Whether anybody takes connections for it: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/."""
    metadata = service["metadata"]
    return any(
        at(endpoint, "conditions.ready") is not False
        for one in cluster.all("discovery.k8s.io", "EndpointSlice", metadata["namespace"])
        if labels_of(one).get("kubernetes.io/service-name") == metadata["name"]
        for endpoint in maps_at(one, "endpoints")
    )


def _unmade(cluster: Cluster, service: Object, selector: Mapping[str, str]) -> Broken:
    maker = next(_makers(cluster, service["metadata"]["namespace"], selector), None)
    if maker is None:
        words = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        return Broken((f"{name_of(service)} selects pods by {words}, and there are none",), describe(service))
    scaled = "is scaled to 0" if at(maker, "spec.replicas") == 0 else "has no pods"
    return Broken((f"{name_of(service)} has no pods", f"{name_of(maker)} {scaled}"), describe(maker))


def _makers(cluster: Cluster, namespace: str, selector: Mapping[str, str]) -> Iterator[Object]:
    for kind in _MAKERS:
        for item in cluster.all("apps", kind, namespace):
            if selects({"matchLabels": selector}, at(item, "spec.template.metadata.labels", {})):
                yield item
