# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images charts, manifests and operators of the pinned versions name by themselves, which no task of a role says.

A test fails when a pin moves, so that its row is looked at again. What only a setting of the user's adds is left out, as CSI drivers are.
"""

from __future__ import annotations

from collections.abc import Mapping

_JETSTACK = "quay.io/jetstack/cert-manager"
_CNPG = "ghcr.io/cloudnative-pg"

NAMED: Mapping[str, tuple[str, ...]] = {
    "chart https://charts.jetstack.io/cert-manager:v1.21.2": tuple(
        f"{_JETSTACK}-{part}:v1.21.2"
        for part in ("acmesolver", "cainjector", "controller", "startupapicheck", "webhook")
    ),
    "chart https://charts.external-secrets.io/external-secrets:2.9.0": (
        "ghcr.io/external-secrets/external-secrets:v2.9.0",
    ),
    "chart https://kubernetes-sigs.github.io/external-dns/external-dns:1.22.0": (
        "registry.k8s.io/external-dns/external-dns:v0.22.0",
    ),
    # The second is what the operator gives a Pooler.
    "chart https://cloudnative-pg.github.io/charts/cloudnative-pg:0.29.0": (
        f"{_CNPG}/cloudnative-pg:1.30.0",
        f"{_CNPG}/pgbouncer:1.25.1",
    ),
    "chart https://cloudnative-pg.github.io/charts/plugin-barman-cloud:0.7.0": (
        f"{_CNPG}/plugin-barman-cloud:v0.13.0",
        f"{_CNPG}/plugin-barman-cloud-sidecar:v0.13.0",
    ),
    "chart https://backube.github.io/helm-charts/volsync:0.16.0": ("quay.io/backube/volsync:0.16.0",),
    "chart oci://ghcr.io/dragonflydb/dragonfly-operator/helm/dragonfly-operator:v1.6.1": (
        "docker.dragonflydb.io/dragonflydb/operator:v1.6.1",
    ),
    # It takes the version that the role gives it.
    "chart https://mastodon.github.io/helm-charts/mastodon:1.2.2": (),
    "image ghcr.io/mastodon/mastodon:v4.7.4": ("ghcr.io/mastodon/mastodon-streaming:v4.7.4",),
    # The second is of a chart in it, which starts no drivers: https://github.com/rook/rook/blob/v1.20.6/deploy/charts/rook-ceph/Chart.yaml
    "chart https://charts.rook.io/release/rook-ceph:v1.20.6": (
        "docker.io/rook/ceph:v1.20.6",
        "quay.io/cephcsi/ceph-csi-operator:v1.0.4",
    ),
    "images of Flux 2.9.5 from ghcr.io/fluxcd": (
        "ghcr.io/fluxcd/helm-controller:v1.6.4",
        "ghcr.io/fluxcd/kustomize-controller:v1.9.5",
        "ghcr.io/fluxcd/notification-controller:v1.9.4",
        "ghcr.io/fluxcd/source-controller:v1.9.5",
    ),
    "manifest https://github.com/controlplaneio-fluxcd/flux-operator/releases/download/v0.59.0/install.yaml": (
        "ghcr.io/controlplaneio-fluxcd/flux-operator:v0.59.0",
    ),
}
