# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what is to be restored, and whether its user may remove again what a rehearsal creates."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive, cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served

_CLUSTERS = "postgresql.cnpg.io"
_MADE = ("clusters.postgresql.cnpg.io", "networkpolicies.networking.k8s.io", "leases.coordination.k8s.io")
_ALWAYS = ("list", "create", "patch")


def refuse_without_rights(client: Client, namespace: str) -> None:
    """Raise MastodonError unless all that a rehearsal creates may be deleted again, too. Writes nothing."""
    wanted = (
        {"namespaces": [namespace], "resources": _MADE, "verbs": (*_ALWAYS, "delete")},
        {"namespaces": [namespace], "resources": ("configmaps",), "verbs": _ALWAYS},
        # By which it is known that nothing is left.
        {"namespaces": [namespace], "resources": ("pods", "persistentvolumeclaims"), "verbs": ("list",)},
    )
    cluster.rights(client, wanted)


def cluster_at(objects: Objects, namespace: str, name: str) -> Object:
    """Return a Cluster, empty when it, or its kind, is not there."""
    found = read_served(objects, objects.discover().preferred(_CLUSTERS, "Cluster"), namespace, name)
    return found[0] if found else {}


def cluster_of(objects: Objects, catalog: Catalog, namespace: str, name: str) -> tuple[Object, Resource]:
    """Return the Cluster, and how its kind is served. Raises MastodonError without it."""
    kind = catalog.preferred(_CLUSTERS, "Cluster")
    clusters = read_served(objects, kind, namespace, name)
    if kind is None or not clusters:
        raise MastodonError(
            f"Cluster {namespace}/{name}", "does not exist", "", "Run fediverse.mastodon.site, which creates it."
        )
    return clusters[0], kind


def origin_of(objects: Objects, catalog: Catalog, item: Object) -> Origin:
    """Return the Cluster with its backups. Raises MastodonError without any."""
    namespace = item["metadata"]["namespace"]
    stores = read_served(objects, catalog.preferred(*archive.STORE), namespace)
    backups = read_served(objects, catalog.preferred(_CLUSTERS, "Backup"), namespace)
    return find(item, {one["metadata"]["name"]: one for one in stores}, backups)
