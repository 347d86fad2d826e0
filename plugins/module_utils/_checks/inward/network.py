# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether NetworkPolicies let the Gateway's pods in: https://kubernetes.io/docs/concepts/services-networking/network-policies/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import namespace_labels, selects
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    labels_of,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]


@dataclass(frozen=True)
class _Source:
    """A pod that connects, with the labels of its namespace."""

    pod: Object
    namespace: Mapping[str, str]


def keeping_out(cluster: Cluster, pods: Sequence[Object], port: Item) -> Broken | None:
    """Return which policies keep the Gateway out of all these pods at a port of their Service."""
    found = [_policies(cluster, pod) for pod in pods]
    source = _source(cluster) if found and all(found) else None
    if source is None or any(_lets_in(one, pod, port, source) for one, pod in zip(found, pods, strict=True)):
        return None
    names = " and ".join(name_of(policy) for policy in found[0])
    lets = "lets" if len(found[0]) == 1 else "let"
    said = f"{names} {lets} nobody of {name_of(source.pod)} in to {name_of(pods[0])} at port {_target(port)}"
    # Not all networks of pods hold them: https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
    return Broken((said,), describe(found[0][0]), certain=False)


def _policies(cluster: Cluster, pod: Object) -> Sequence[Object]:
    """Return the policies about what comes in to a pod; without any it takes everything."""
    return [
        policy
        for policy in cluster.all("networking.k8s.io", "NetworkPolicy", pod["metadata"]["namespace"])
        if selects(at(policy, "spec.podSelector", {}), labels_of(pod))
        and "Ingress" in at(policy, "spec.policyTypes", ["Ingress"])
    ]


def _source(cluster: Cluster) -> _Source | None:
    """Return a pod of the Gateway, None where none is known, or none that policies are about."""
    for service in cluster.fronts():
        selector, place = at(service, "spec.selector", {}), service["metadata"]["namespace"]
        for pod in cluster.all("", "Pod", place) if selector else ():
            if selects({"matchLabels": selector}, labels_of(pod)) and not at(pod, "spec.hostNetwork", False):
                its = namespace_labels([place], cluster.api, cluster.catalog)[place]
                return _Source(pod, its)
    return None


def _lets_in(policies: Sequence[Object], pod: Object, port: Item, source: _Source) -> bool:
    return any(
        _from(rule, policy, source) and _at(rule, pod, port)
        for policy in policies
        for rule in maps_at(policy, "spec.ingress")
    )


def _from(rule: Item, policy: Object, source: _Source) -> bool:
    peers = maps_at(rule, "from")
    return not peers or any(_is_peer(peer, policy, source) for peer in peers)


def _is_peer(peer: Item, policy: Object, source: _Source) -> bool:
    if "ipBlock" in peer:
        # Which address they come by is not known here.
        return True
    own = source.pod["metadata"]["namespace"] == policy["metadata"]["namespace"]
    there = selects(at(peer, "namespaceSelector", {}), source.namespace) if "namespaceSelector" in peer else own
    return there and selects(at(peer, "podSelector", {}), labels_of(source.pod))


def _at(rule: Item, pod: Object, port: Item) -> bool:
    ports = maps_at(rule, "ports")
    number = _number(pod, _target(port))
    return not ports or any(_covers(one, pod, number) for one in ports)


def _covers(one: Item, pod: Object, number: object) -> bool:
    first = _number(pod, one.get("port"))
    if one.get("protocol", "TCP") != "TCP":
        return False
    last = one.get("endPort")
    if isinstance(first, int) and isinstance(number, int) and isinstance(last, int):
        return first <= number <= last
    return first is None or first == number


def _target(port: Item) -> object:
    return port.get("targetPort") or port.get("port")


def _number(pod: Object, port: object) -> object:
    """Return the number of a port that is called by its name."""
    ports = [one for container in maps_at(pod, "spec.containers") for one in maps_at(container, "ports")]
    return next((one.get("containerPort") for one in ports if one.get("name") == port), port) if port else port
