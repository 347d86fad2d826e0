# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of everything the lab has. Go modules are pinned once more, with checksums, in build/go/go.mod."""

from __future__ import annotations

from typing import Final

# From PyPI
GO: Final = "1.27.3"
KUBECTL: Final = "1.37.1"
OPENBAO: Final = "2.7.2"

# From the Go module proxy: module → version
KUBERNETES: Final = "v1.36.3"
ETCD: Final = "v3.6.8"
COREDNS: Final = "v1.14.7"
KIND: Final = "v0.33.0"
# What that version of kind takes by itself (pkg/apis/config/defaults/image.go), for who has the internet.
KIND_NODE: Final = (
    "docker.io/kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"
)
# Prometheus 3.16.0; its modules have a number of their own.
PROMETHEUS: Final = "v0.316.0"
RCLONE: Final = "v1.75.1"
LOCAL_PATH: Final = "v0.0.30"
# The newest one that the proxy serves; kind's network plug-in has the same.
NETWORK_POLICIES: Final = "v0.8.0"
GATEWAY_API: Final = "v1.6.3"
TRAEFIK: Final = "v3.7.13"
# As helm-controller has it.
HELM: Final = "v4.2.4"
LEGO: Final = "v5.4.1"
CERT_MANAGER: Final = "v1.21.2"
EXTERNAL_SECRETS: Final = "v0.20.4"
CLOUDNATIVE_PG: Final = "v1.30.0"
BARMAN_CLOUD: Final = "v0.13.0"
VOLSYNC: Final = "v0.16.0"
# As go/controllers has it: the kinds of volume snapshots, without which VolSync does not start.
SNAPSHOTTER: Final = "v8.6.0"
FLUX_OPERATOR: Final = "v0.59.0"
# The controllers of Flux 2.9.5.
SOURCE_CONTROLLER: Final = "v1.9.5"
KUSTOMIZE_CONTROLLER: Final = "v1.9.5"
HELM_CONTROLLER: Final = "v1.6.4"
# The proxy serves the one of Flux 2.9.4 only; its image has the name that Flux 2.9.5 asks for.
NOTIFICATION_CONTROLLER: Final = "v1.9.3"
NOTIFICATION_CONTROLLER_TAG: Final = "v1.9.4"
EXTERNAL_DNS: Final = "v0.22.0"
# A chart is released after the program: the one for v0.22.0 is in the next version's module.
EXTERNAL_DNS_CHART: Final = "1.22.0"
EXTERNAL_DNS_CHART_MODULE: Final = "v0.23.0"
PEBBLE: Final = "v2.10.1"
# The one release of it that the proxy serves.
MAILPIT: Final = "v1.27.11"
# The one SeaweedFS that the proxy serves is of January 2023 and answers NotImplemented to bucket policies and ACLs,
# without which no browser may read Mastodon's media. This S3 server has both.
VERSITY: Final = "v1.8.0"

# The newest whose operator can be built: it needs a second module of the same commit, of which the proxy serves this one
# alone, a day older than the release.
ROOK: Final = "v1.16.0"
ROOK_APIS: Final = "v0.0.0-20241216163035-3170ac6a0c58"

# What kubeadm and kind's base files of these versions ask for; the first is Kubernetes' package of etcd above.
KUBEADM_ETCD: Final = "3.6.8-0"
KIND_PAUSE: Final = "3.10"

# Ours, or stand-ins
PAUSE: Final = "1"
MASTODON: Final = "v4.7.2"
# What upgrades can be tried with: a release of each minor series (docs.joinmastodon.org/admin/upgrading), and a patch.
MASTODON_LADDER: Final = ("v4.5.20", "v4.6.9", MASTODON, "v4.7.4")
MASTODON_CHART: Final = "1.2.2"
CLOUDNATIVE_PG_CHART: Final = "0.29.0"
BARMAN_CLOUD_CHART: Final = "0.7.0"
# Upstream's chart has the version of its operator.
DRAGONFLY_OPERATOR: Final = "v1.6.1"
DRAGONFLY: Final = "v1.39.0"

# From the distribution: packages of this release
DEBIAN: Final = "bookworm"
REDIS_MAJOR: Final = "7"
BUSYBOX: Final = "1.35.0"
PYTHON: Final = "3.11"
# What the roles ask for.
PYTHON_TAG: Final = "3.13.9-slim"
# What CloudNativePG asks for. The program is one minor version older, as the distribution has it.
PGBOUNCER: Final = "1.25.1"
# PostgreSQL, PgBouncer, Barman and restic come from the next release: this one's PostgreSQL is older than the one of the
# roles, and its PgBouncer does not know auth_dbname, which CloudNativePG sets.
NEXT_DEBIAN: Final = "trixie"
POSTGRESQL_MAJOR: Final = "17"
# This one's, for tests of another major: it is in no lab unless a test puts it there.
OLDER_POSTGRESQL_MAJOR: Final = "15"
# As the next release has it: this one's is older than Rook takes.
CEPH: Final = "v18.2.7"
KNOT: Final = "3.2"
