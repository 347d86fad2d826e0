# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom under NetworkPolicies: docs/network.md is written from it, and both it and the cluster are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/network.md"


@dataclass(frozen=True)
class Flow:
    """Connections from each of `sources` to a port of `target`. With `settings`, in an installation that has them."""

    sources: tuple[str, ...]
    target: str
    port: int
    passes: bool
    because: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


GATEWAY, WEB, STREAMING, SIDEKIQ = "the Gateway", "web", "streaming", "Sidekiq"
DATABASE, POOLER, CACHE, STORE = "the database", "PgBouncer", "the cache", "S3 by Rook"
MAIL, OTHERS, DNS, API = "the mail server", "other servers", "the cluster's DNS", "the API server"
POSTGRES_OPERATOR, CACHE_OPERATOR = "CloudNativePG's operator", "Dragonfly's operator"
FLUX, SOURCES = "Flux's controllers", "Flux's source-controller"
BESIDE, NEIGHBOUR = "a pod of yours in Mastodon's namespace", "a pod in another namespace"
SECRETS, VAULT, ANSWERS = "External Secrets", "Vault", "cert-manager's answers"
ISSUER, ACME, RECORDS, ZONE = "cert-manager", "who issues certificates", "external-dns", "the DNS provider"
ROOK_OPERATOR = "Rook's operator"
WEBHOOK, OUTSIDE = "CloudNativePG's webhook", "another machine of the pods' network"
RAILS = (WEB, SIDEKIQ)
MASTODON = (WEB, STREAMING, SIDEKIQ)
OURS = (*MASTODON, DATABASE, CACHE)

# Where the lab has something at another port.
LAB_PORTS: Mapping[str, int] = {MAIL: 1025, ACME: 14000}

PUBLIC = "a Gateway may run anywhere; anyone may ask for what the world may"
NOTHING = "nothing that we install limits it"
OF_MASTODON = "from Mastodon's namespace and its own"
OF_DRAGONFLY = "its operator's policy: from its own namespace"
TELLS = "tells how it is, and no data"

FLOWS = (
    Flow((GATEWAY, NEIGHBOUR, BESIDE, OUTSIDE), WEB, 3000, True, PUBLIC),
    Flow((GATEWAY, NEIGHBOUR, BESIDE, OUTSIDE), STREAMING, 4000, True, PUBLIC),
    Flow((NEIGHBOUR, BESIDE, OUTSIDE), WEB, 9394, False, "metrics, only with `mastodon_monitoring`"),
    Flow((GATEWAY, NEIGHBOUR, BESIDE, OUTSIDE), SIDEKIQ, 9394, False, "it serves nobody"),
    Flow((*MASTODON, BESIDE), DATABASE, 5432, True, OF_MASTODON),
    Flow((POSTGRES_OPERATOR,), DATABASE, 5432, True, "from its operator's namespace"),
    Flow((NEIGHBOUR, GATEWAY, CACHE_OPERATOR, OUTSIDE), DATABASE, 5432, False),
    Flow((POSTGRES_OPERATOR, NEIGHBOUR), DATABASE, 8000, True, TELLS),
    Flow((NEIGHBOUR, BESIDE), DATABASE, 9187, True, "metrics"),
    Flow((*MASTODON, BESIDE), CACHE, 6379, True, OF_DRAGONFLY),
    Flow((NEIGHBOUR, GATEWAY, CACHE_OPERATOR, OUTSIDE), CACHE, 6379, False),
    Flow((CACHE_OPERATOR,), CACHE, 9999, True, "its operator's policy: the operator and other replicas"),
    Flow((NEIGHBOUR, BESIDE, *MASTODON, OUTSIDE), CACHE, 9999, False),
    Flow(
        (*RAILS, GATEWAY, DATABASE, BESIDE, ROOK_OPERATOR),
        STORE,
        80,
        True,
        f"{NOTHING}; VolSync's pods pass likewise",
    ),
    Flow(RAILS, MAIL, 587, True, NOTHING),
    Flow(RAILS, OTHERS, 443, True, NOTHING),
    Flow((*OURS, BESIDE, NEIGHBOUR), DNS, 53, True, NOTHING),
    Flow((DATABASE,), API, 443, True, f"{NOTHING}; each instance reports there"),
    Flow((API,), WEBHOOK, 9443, True, f"{NOTHING}; so with all webhooks"),
    Flow((SECRETS,), VAULT, 8200, True, NOTHING),
    Flow((ISSUER,), ACME, 443, True, NOTHING),
    Flow((RECORDS,), ZONE, 53, True, NOTHING),
    Flow((FLUX,), SOURCES, 80, True, "Flux's policy: within its namespace"),
    Flow((NEIGHBOUR, GATEWAY, *MASTODON), SOURCES, 80, False, "Flux's policy"),
    Flow((NEIGHBOUR,), FLUX, 8080, True, "Flux's policy: metrics"),
)

# What each role installs, and with whom it speaks. VolSync's pods run in Mastodon's namespace and go to S3 like any pod there.
OF_ROLE: Mapping[str, tuple[str, ...]] = {
    "cert_manager": (ISSUER, ACME),
    "cnpg": (DATABASE, POSTGRES_OPERATOR, WEBHOOK),
    "dragonfly": (CACHE, CACHE_OPERATOR),
    "external_dns": (RECORDS, ZONE),
    "external_secrets": (SECRETS,),
    "flux": (FLUX, SOURCES),
    "gateway": (GATEWAY,),
    "mastodon": MASTODON,
    "rook": (STORE, ROOK_OPERATOR),
    "vault": (VAULT,),
    "volsync": (BESIDE, STORE),
}

DATABASES: Mapping[str, Any] = {"cnpg_cluster_namespace": "databases"}
CACHES: Mapping[str, Any] = {"dragonfly_instance_namespace": "caches"}
MONITORED: Mapping[str, Any] = {"mastodon_monitoring": True}
POOLED: Mapping[str, Any] = {"cnpg_pooler": True}
OPEN: Mapping[str, Any] = {"mastodon_network_policies": False}
ALLOWED: Mapping[str, Any] = {"cnpg_cluster_allowed_clients": ["neighbour", "192.0.2.0/24"]}
# By the policies that the roles render. That a cache in another namespace lets nobody else in is its operator's doing.
VARIANTS = (
    Flow((NEIGHBOUR,), WEB, 9394, True, "metrics", MONITORED),
    Flow((NEIGHBOUR,), SIDEKIQ, 9394, True, "metrics", MONITORED),
    Flow((*MASTODON, BESIDE), POOLER, 5432, True, OF_MASTODON, POOLED),
    Flow((NEIGHBOUR, GATEWAY), POOLER, 5432, False, "", POOLED),
    Flow((NEIGHBOUR,), POOLER, 9127, True, "metrics", POOLED),
    Flow((POOLER,), DATABASE, 5432, True, OF_MASTODON, {**POOLED, **DATABASES}),
    Flow((*MASTODON, DATABASE, POSTGRES_OPERATOR), DATABASE, 5432, True, OF_MASTODON, DATABASES),
    Flow((NEIGHBOUR, GATEWAY), DATABASE, 5432, False, "", DATABASES),
    Flow(MASTODON, CACHE, 6379, True, "from Mastodon's namespace", CACHES),
    Flow((NEIGHBOUR, GATEWAY), CACHE, 6379, False, "", CACHES),
    Flow((NEIGHBOUR, OUTSIDE), DATABASE, 5432, True, "the namespace and the addresses that are named", ALLOWED),
    Flow((GATEWAY, CACHE_OPERATOR), DATABASE, 5432, False, "", ALLOWED),
    Flow((NEIGHBOUR, OUTSIDE), POOLER, 5432, True, "", {**POOLED, **ALLOWED}),
    Flow((GATEWAY, NEIGHBOUR), ANSWERS, 8089, True, "challenges over HTTP", {"cert_manager_acme_solver": "http01"}),
    Flow((NEIGHBOUR,), DATABASE, 5432, True, "nothing limits it", OPEN),
    Flow((NEIGHBOUR,), WEB, 9394, True, "nothing limits it", OPEN),
)

# What whoever runs the cluster may have put into Mastodon's namespace before.
NOTHING_IN_OR_OUT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nothing-in-or-out, namespace: mastodon}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
"""
# Ports are the pods' behind a Service: of DNS 53 or, on OpenShift as on the lab, 5353; the API server's is its own.
WHAT_GOES_OUT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: what-goes-out, namespace: mastodon}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    # The database, the cache, and S3 by Rook.
    - to:
        - podSelector: {}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: rook-ceph}}
    # The database and the cache, where they have other namespaces.
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: databases}}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: caches}}
      ports:
        - {port: 5432, protocol: TCP}
        - {port: 6379, protocol: TCP}
    # DNS, whose pods listen at 53 or 5353; other servers, an outside S3, and the API server, which listens at 443 or 6443; mail, at
    # mastodon_smtp_port. What counts is the port behind a Service.
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
        - {port: 5353, protocol: UDP}
        - {port: 5353, protocol: TCP}
        - {port: 80, protocol: TCP}
        - {port: 443, protocol: TCP}
        - {port: 6443, protocol: TCP}
        - {port: 587, protocol: TCP}
"""

INTRODUCTION = f"""\
# What reaches what

Where the cluster's network plug-in enforces NetworkPolicies, as Calico, Cilium, k3s and kind do. Each line without a setting was tried by
a connection on the [lab][lab], which has {" and ".join(f"{name} at {port}" for name, port in LAB_PORTS.items())}. Those with a
setting were read off the policies that the roles render: nothing connected.

This page is written by `UPDATE_DOCS=1 pytest tests/unit/roles/test_network.py`.

| from | to | port | passes | because |
|---|---|---|---|---|"""
NAMESPACES = f"""\
Who else reads the database, such as Grafana, pgAdmin, jobs that dump it, and replica clusters, is named by namespace or range of addresses
in `cnpg_cluster_allowed_clients`. Behind a LoadBalancer or NodePort Service of yours, the database sees the client's address with
`externalTrafficPolicy: Local`, and on many clusters a node's otherwise.

Mastodon is not limited in what it may reach: every other server of the fediverse is somebody that it speaks to. The pods that copy media, with
`rook_copy_endpoint`, reach DNS and the two S3 servers, and nobody reaches them.

## A namespace that lets nothing in or out

Policies add up. Ours let in what Mastodon needs, so a policy that lets nothing in may be there before the first run, in Mastodon's
namespace as in those of its database, its cache and its Gateway, and all of the above stays as it is. Ours do not let anything out: who
limits that has his reasons. With

```yaml
{NOTHING_IN_OR_OUT}```

the least that Mastodon runs with, by the namespaces of the table, is

```yaml
{WHAT_GOES_OUT}```

A database and a cache outside of the cluster need their addresses and ports in it, and so does an S3 server at other ports. In a
namespace of its own with such a policy, the database needs DNS, the API server, its other instances, and the bucket of its backups.

## Less than that

A policy cannot take away what another one lets in. To let only your Gateway reach web and streaming, say, set
`mastodon_network_policies: false` and apply policies of your own. Pods have `app.kubernetes.io/instance: mastodon` (`mastodon_name`) and
`app.kubernetes.io/component`: `web`, `streaming`, or `sidekiq-` and the worker's name. Those of Dragonfly's operator and of Flux stay.

[lab]: https://github.com/fediverse/mastodon-kubernetes/blob/main/lab/README.md
"""


def page() -> str:
    """Return docs/network.md."""
    return "\n".join([INTRODUCTION, *map(row, (*FLOWS, *VARIANTS)), "", NAMESPACES])


def row(flow: Flow) -> str:
    """Return its row of the page."""
    settings = " and ".join(f"`{name}: {_written(value)}`" for name, value in flow.settings.items())
    because = ", ".join(filter(None, (f"with {settings}" if settings else "", flow.because)))
    passes = "yes" if flow.passes else "**no**"
    return f"| {', '.join(flow.sources)} | {flow.target} | {flow.port} | {passes} | {because} |"


def _written(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value).lower()
