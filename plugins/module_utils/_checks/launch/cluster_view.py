# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster holds of Mastodons, in every namespace that may be read."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served

# Group and kind. Read in the version that the API server prefers, as what is looked at may be older than what we apply.
Kind = tuple[str, str]

SERVICE: Kind = ("", "Service")
SERVICE_RANGE: Kind = ("networking.k8s.io", "ServiceCIDR")
CONFIG_MAP: Kind = ("", "ConfigMap")
SECRET: Kind = ("", "Secret")
VOLUME_CLAIM: Kind = ("", "PersistentVolumeClaim")
DEPLOYMENT: Kind = ("apps", "Deployment")
HELM_RELEASE: Kind = ("helm.toolkit.fluxcd.io", "HelmRelease")
EXTERNAL_SECRET: Kind = ("external-secrets.io", "ExternalSecret")
STORE: Kind = ("external-secrets.io", "ClusterSecretStore")
DATABASE: Kind = ("postgresql.cnpg.io", "Cluster")
BACKUPS: Kind = archive.STORE
BACKUP: Kind = ("postgresql.cnpg.io", "Backup")
CEPH: Kind = ("ceph.rook.io", "CephCluster")
FLUX: Kind = ("fluxcd.controlplane.io", "FluxInstance")
GATEWAY: Kind = ("gateway.networking.k8s.io", "Gateway")
ROUTE: Kind = ("gateway.networking.k8s.io", "HTTPRoute")


class ClusterView:
    """One API server, seen from one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._catalog = api.discover()
        self._namespace = namespace

    def one(self, kind: Kind, name: str, namespace: str = "") -> Object:
        """Return an object, empty when it, or its kind, is not there."""
        return next(iter(read_served(self._api, self._catalog.preferred(*kind), namespace, name)), {})

    def is_ipv6(self) -> bool:
        """Whether pods are asked over IPv6 here, or by both families, which a Gateway does by turns where Services have both.

        https://kubernetes.io/docs/concepts/services-networking/dual-stack/
        """
        first = str(at(self.one(SERVICE, "kubernetes", "default"), "spec.clusterIP", ""))
        return ":" in first or any(":" in one for one in self._ranges())

    def _ranges(self) -> Sequence[str]:
        """Return where Services are, nothing on a cluster that does not say so, or not to us."""
        try:
            found: Sequence[str] = at(self.one(SERVICE_RANGE, "kubernetes"), "spec.cidrs", [])
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return ()
        return found

    def within(self, kind: Kind, namespace: str = "", labels: str = "") -> Sequence[Object]:
        """Return the objects of a namespace, that of Mastodon without one, that have these labels."""
        place = namespace or self._namespace
        return read_served(self._api, self._catalog.preferred(*kind), place, labels=labels)

    def everywhere(self, kind: Kind, labels: str = "") -> Sequence[Object]:
        """Return the objects of all namespaces, or of this one when no other may be read."""
        try:
            return read_served(self._api, self._catalog.preferred(*kind), labels=labels)
        except ApiError as error:
            if not error.is_forbidden:
                raise
        return self.within(kind, labels=labels)
