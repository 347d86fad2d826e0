# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of Rook's objects that are pointers in Go: absent, or saying something, `false`, 0 and `{}` too.

All of the specs of CephCluster, CephObjectStore and CephBlockPool, but those of volumes to mount:
https://github.com/rook/rook/blob/v1.20.6/pkg/apis/ceph.rook.io/v1/types.go
https://github.com/kubernetes/api/blob/v0.36.4/core/v1/types.go
"""

from __future__ import annotations

_ANYWHERE = frozenset(
    {
        "accountInUrl",
        "addressRanges",
        "advertiseEndpoint",
        "apiGroup",
        "authUseKeystone",
        "backfillFullRatio",
        "compression",
        "connections",
        "dashboardEnabled",
        "dataSourceRef",
        "defaultWorkarounds",
        "enableCrushUpdates",
        "encryption",
        "exec",
        "exporter",
        "fullRatio",
        "grpc",
        "hosting",
        "httpGet",
        "hybridStorage",
        "keystone",
        "labelSelector",
        "maxBytes",
        "maxLogSize",
        "maxObjects",
        "maxSize",
        "minDomains",
        "namespaceSelector",
        "nearFullRatio",
        "noCompression",
        "nodeAffinity",
        "nodeAffinityPolicy",
        "nodeName",
        "nodeTaintsPolicy",
        "opsLogSidecar",
        "optional",
        "peers",
        "podAffinity",
        "podAntiAffinity",
        "preparePlacement",
        "readinessProbe",
        "revocationInterval",
        "selector",
        "service",
        "singleDiffieHellmanUse",
        "sslOptions",
        "sslv2",
        "sslv3",
        "storageClassName",
        "stretchCluster",
        "stripeUnit",
        "swift",
        "targetRef",
        "tcpSocket",
        "terminationGracePeriodSeconds",
        "tlsv1_0",
        "tlsv1_1",
        "tlsv1_2",
        "tokenCacheSize",
        "tolerationSeconds",
        "useAllDevices",
        "versioningEnabled",
        "volumeAttributesClassName",
        "volumeClaimTemplate",
        "volumeMode",
    }
)
# Where another field of the name is none: in what they are.
_IN = frozenset(
    {
        ("dataSourceRef", "namespace"),
        ("exporter", "hostNetwork"),
        ("gateway", "hostNetwork"),
        ("gateway", "readAffinity"),
        ("mgr", "hostNetwork"),
        ("mirror", "interval"),
        ("mon", "interval"),
        ("monitoring", "interval"),
        ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"),
        ("osd", "interval"),
        ("protocols", "s3"),
        ("s3", "enabled"),
        ("spec", "dataSource"),
        ("status", "interval"),
        ("swift", "urlPrefix"),
    }
)


def is_pointer(parent: str, name: str) -> bool:
    """Whether a field is one, by its name and that of the field it is in."""
    return name in _ANYWHERE or (parent, name) in _IN
