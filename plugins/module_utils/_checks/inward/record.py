# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outermost link: whether a host's record leads to its Gateway, and who may write it where it does not."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    labels_of,
    told,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import Drift, drifts, targets
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import owners
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
_TARGET = "external-dns.alpha.kubernetes.io/target"


def drift(cluster: Cluster, scene: Scene, host: str) -> str:
    """Return what DNS says beside what the Gateway has, empty where they agree or the Gateway has no address."""
    gateway, found = cluster.gateway, {link.address for link in scene.probed[host].links}
    named = at(gateway, "metadata.annotations", {}).get(_TARGET, "")
    wanted = tuple(one.strip() for one in named.split(",") if one.strip()) or targets(gateway)
    if not wanted:
        return ""
    apart = drifts([host], wanted, lambda name: found if name == host else scene.resolver.addresses(name))
    return _told(apart[0], cluster, by_annotation=bool(named)) if apart else ""


def _told(apart: Drift, cluster: Cluster, *, by_annotation: bool) -> str:
    says = f"DNS says {', '.join(apart.found)}" if apart.found else f"DNS has no address of {apart.name}"
    return f"{says}; {cluster} has {', '.join(apart.wanted)}{f' by its annotation {_TARGET}' if by_annotation else ''}"


def broken(cluster: Cluster, scene: Scene, host: str) -> Broken | None:
    """Return why a record that leads elsewhere is not put right; None where nothing keeps external-dns from that."""
    owner, apart = scene.target.owner, drift(cluster, scene, host)
    if not (owner and apart):
        return None
    written = {name: found for name, found in owners.said(scene, host).items() if found}
    known = sorted({one for found in written.values() for one in found})
    if known and owner not in known:
        said = f"the TXT says owner {', '.join(shown(one, 60) for one in known)}, and this external-dns is {owner}"
        return Broken((apart, said), f"dig +short TXT {next(iter(written))}")
    if not known and scene.probed[host].links:
        said = f"no TXT says that external-dns {owner} may change it"
        return Broken(
            (apart, said), f"Remove the record of {host} that was written by hand, and external-dns writes it."
        )
    still = next(_standing(cluster, owner), None)
    return still.behind(apart) if still else None


def _standing(cluster: Cluster, owner: str) -> Iterator[Broken]:
    """Yield why an external-dns of ours writes nothing."""
    for release in cluster.all("helm.toolkit.fluxcd.io", "HelmRelease"):
        if at(release, "spec.values.txtOwnerId", "") != owner:
            continue
        for item in _deployments(cluster, release):
            if not at(item, "status.readyReplicas", 0):
                scaled = "is scaled to 0" if at(item, "spec.replicas") == 0 else "has no pod that is ready"
                yield Broken((f"{told(item)}, which writes it, {scaled}",), describe(item))


def _deployments(cluster: Cluster, release: Object) -> Iterator[Object]:
    labels = {f"helm.toolkit.fluxcd.io/{key}": release["metadata"][key] for key in ("name", "namespace")}
    namespace = at(release, "spec.targetNamespace", release["metadata"]["namespace"])
    for item in cluster.all("apps", "Deployment", namespace):
        if labels.items() <= labels_of(item).items():
            yield item
