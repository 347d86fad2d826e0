# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outermost link: whether a host's record leads to its Gateway, and who may write it where it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import claims
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    GATEWAY_API,
    Broken,
    Cluster,
    describe,
    labels_of,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import Drift, drifts, targets
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import owners
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
_TARGET = "target"
# Its defaults, of which the first was that of all versions before 0.22: https://github.com/kubernetes-sigs/external-dns/issues/6748
_PREFIXES = ("external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/")


def drift(cluster: Cluster, scene: Scene, host: str) -> str:
    """Return what DNS says beside what the Gateway has, empty where they agree or the Gateway has no address."""
    found = {link.address for link in scene.probed[host].links}
    note, wanted = _asked_for(cluster, scene)
    if not wanted:
        return ""
    apart = drifts([host], wanted, lambda name: found if name == host else scene.resolver.addresses(name))
    return _told(apart[0], cluster, note) if apart else ""


def _asked_for(cluster: Cluster, scene: Scene) -> tuple[str, Sequence[str]]:
    """Return the addresses, or names, that records are to lead to, and the annotation that says so."""
    note, named = _annotated(cluster, scene.target.owner)
    return note, [one.strip() for one in named.split(",") if one.strip()] or targets(cluster.gateway)


def is_own(cluster: Cluster, scene: Scene, found: Collection[str]) -> bool:
    """Whether who answers at these addresses is the Gateway, at each of them."""
    own = {address for target in targets(cluster.gateway) for address in scene.resolver.addresses(target)}
    return bool(found) and own.issuperset(found)


def is_foreign(cluster: Cluster, scene: Scene, address: str) -> bool:
    """Whether an address is known to be none of the Gateway's, nor one that it asks for."""
    wanted = [*_asked_for(cluster, scene)[1], *targets(cluster.gateway)]
    return bool(wanted) and not any(address in scene.resolver.addresses(target) for target in wanted)


def whose(cluster: Cluster, found: Collection[str]) -> str:
    """Return which other Gateway of the cluster has one of these addresses, which ours has not; empty where Gateways of others may not be read."""
    strange = set(found).difference(targets(cluster.gateway))
    try:
        gateways = cluster.all(GATEWAY_API, "Gateway") if strange else ()
    except MastodonError:
        return ""
    return next((name_of(one) for one in gateways if strange.intersection(targets(one))), "")


def is_annotated(cluster: Cluster, owner: str) -> bool:
    """Whether the Gateway asks for other addresses than its own."""
    return bool(_annotated(cluster, owner)[1])


def _annotated(cluster: Cluster, owner: str) -> tuple[str, str]:
    """Return by which annotation of the Gateway its external-dns writes other addresses, and which."""
    notes = {key: str(value) for key, value in at(cluster.gateway, "metadata.annotations", {}).items()}
    if not any(key.endswith(f"/{_TARGET}") for key in notes):
        return "", ""
    # What another external-dns reads is nothing to ours.
    own = [at(one, "spec.values.annotationPrefix", "") for one in _releases(cluster, owner)]
    keys = [f"{prefix}{_TARGET}" for prefix in ([prefix for prefix in own if prefix] or _PREFIXES)]
    return next(((key, notes[key]) for key in keys if notes.get(key)), ("", ""))


def _told(apart: Drift, cluster: Cluster, note: str) -> str:
    other = whose(cluster, apart.found)
    says = (
        f"DNS says {', '.join(apart.found)}{f', which {other} has' if other else ''}"
        if apart.found
        else f"DNS has no address of {apart.name}"
    )
    return f"{says}; {cluster} has {', '.join(apart.wanted)}{f' by its annotation {note}' if note else ''}"


def broken(cluster: Cluster, scene: Scene, host: str) -> Broken | None:
    """Return why a record that leads elsewhere is not put right; None where nothing keeps external-dns from that."""
    owner, apart = scene.target.owner, drift(cluster, scene, host)
    if not (owner and apart):
        return None
    written = _written(scene, host)
    known = sorted({one for found in written.values() for one in found})
    if known and owner not in known:
        said = f"the TXT says owner {', '.join(shown(one, 60) for one in known)}, and this external-dns is {owner}"
        return Broken((apart, said), f"dig +short TXT {next(iter(written))}")
    if not known and scene.probed[host].links:
        return None
    still = next(_standing(cluster, owner), None)
    return still.behind(apart) if still else None


def left_over(cluster: Cluster, scene: Scene, host: str) -> Broken | None:
    """Return that the record of a host that no route asks for was left behind by external-dns, which may delete none."""
    owner = scene.target.owner
    releases = _releases(cluster, owner)
    kept = {at(one, "spec.values.policy", "upsert-only") for one in releases} - {"sync"}
    # Routes elsewhere, such as those that only lead to TLS, ask it for nothing.
    watched = {at(one, "spec.values.extraArgs.namespace", "") for one in releases}
    asking = [one for one in claims.naming(cluster, host) if watched & {"", one["metadata"]["namespace"]}]
    if not kept or asking or not owners.is_ours(scene, host):
        return None
    name, found = next((name, found) for name, found in _written(scene, host).items() if owner in found)
    said = f"its record is left over from {shown(found[owner], 120)}, as external-dns {owner} has policy {kept.pop()} and deletes none"
    then = f"Delete {host} and its TXT record {name} by hand, or let a route serve it again."
    return Broken((said,), then)


def likely(cluster: Cluster, scene: Scene, host: str, then: str) -> Broken | None:
    """Return that a record leads elsewhere, which may be meant: to a content delivery network, or to what translates addresses."""
    owner, apart = scene.target.owner, drift(cluster, scene, host)
    if not apart:
        return None
    if owner and scene.probed[host].links and not _written(scene, host):
        said = f"no TXT says that external-dns {owner} may change it"
        return Broken((apart, said), f"dig {host}, and ask whoever wrote that record whether it is meant so.")
    return Broken((apart,), then)


def _written(scene: Scene, host: str) -> Mapping[str, Mapping[str, str]]:
    """Return, by the names that have any, which owners say that the record of a host is theirs."""
    return {name: found for name, found in owners.said(scene, host).items() if found}


def _standing(cluster: Cluster, owner: str) -> Iterator[Broken]:
    """Yield why an external-dns of ours writes nothing."""
    for release in _releases(cluster, owner):
        for item in _deployments(cluster, release):
            if not at(item, "status.readyReplicas", 0):
                scaled = "is scaled to 0" if at(item, "spec.replicas") == 0 else "has no pod that is ready"
                yield Broken((f"{name_of(item)}, which writes it, {scaled}",), describe(item))


def _releases(cluster: Cluster, owner: str) -> Sequence[Object]:
    found = cluster.all("helm.toolkit.fluxcd.io", "HelmRelease") if owner else ()
    return [release for release in found if at(release, "spec.values.txtOwnerId", "") == owner]


def _deployments(cluster: Cluster, release: Object) -> Iterator[Object]:
    labels = {f"helm.toolkit.fluxcd.io/{key}": release["metadata"][key] for key in ("name", "namespace")}
    namespace = at(release, "spec.targetNamespace", release["metadata"]["namespace"])
    for item in cluster.all("apps", "Deployment", namespace):
        if labels.items() <= labels_of(item).items():
            yield item
