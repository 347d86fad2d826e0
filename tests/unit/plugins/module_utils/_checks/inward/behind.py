# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with all that is behind one Mastodon, as its controllers wrote it, of which tests change something."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import GATEWAY_API, Cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

HOST, MEDIA = "social.example.org", "media.example.org"
GATEWAY = "Gateway edge/shared"
ADDRESS, OLD = "192.0.2.9", "192.0.2.7"
OWNER = "prod"
SERVED = (
    *(kind("", name) for name in ("Pod", "Service")),
    kind("", "Namespace", namespaced=False),
    *(kind("apps", name) for name in ("Deployment", "StatefulSet", "DaemonSet")),
    kind("discovery.k8s.io", "EndpointSlice"),
    kind("networking.k8s.io", "NetworkPolicy"),
    *(kind(GATEWAY_API, name) for name in ("Gateway", "HTTPRoute")),
    *(kind("cert-manager.io", name) for name in ("Certificate", "CertificateRequest")),
    *(kind("acme.cert-manager.io", name) for name in ("Order", "Challenge")),
    kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"),
)


def of(api_version: str, name: str, place: str, **fields: Any) -> Object:
    """Return an object at `namespace/name`."""
    namespace, _unused, called = place.rpartition("/")
    metadata = {"name": called, "namespace": namespace, "uid": f"uid of {name} {place}", "generation": 1}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": api_version, "kind": name, "metadata": metadata, **fields}


def said(kind_: str, status: str, reason: str, message: str = "", generation: int = 1) -> dict[str, Any]:
    """Return a condition."""
    return {
        "type": kind_,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": "2026-11-29T02:55:15Z",
    }


def listener(host: str) -> dict[str, Any]:
    """Return one for a host, as the role declares it."""
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["mastodon"]}
    return {
        "name": host,
        "hostname": host,
        "port": 443,
        "protocol": "HTTPS",
        "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [names]}}},
        "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "tls"}]},
    }


def _status_of(name: str) -> dict[str, Any]:
    well = [
        said("Accepted", "True", "Accepted", "No error found"),
        said("ResolvedRefs", "True", "ResolvedRefs", "No error found"),
        said("Programmed", "True", "Programmed", "No error found"),
    ]
    return {"name": name, "attachedRoutes": 1, "conditions": well}


def _gateway() -> Object:
    http = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}
    names = ("http", HOST, MEDIA)
    status = {
        "addresses": [{"type": "IPAddress", "value": ADDRESS}],
        "conditions": [said("Accepted", "True", "Accepted"), said("Programmed", "True", "Programmed")],
        "listeners": [_status_of(name) for name in names],
    }
    spec = {"gatewayClassName": "traefik", "listeners": [http, listener(HOST), listener(MEDIA)]}
    return of("gateway.networking.k8s.io/v1", "Gateway", "edge/shared", spec=spec, status=status)


def _route(place: str, section: str, hosts: list[str], rules: list[Any]) -> Object:
    parent = {"group": GATEWAY_API, "kind": "Gateway", "name": "shared", "namespace": "edge", "sectionName": section}
    well = [said("Accepted", "True", "Accepted"), said("ResolvedRefs", "True", "ResolvedRefs")]
    entry = {"controllerName": "traefik.io/gateway-controller", "parentRef": dict(parent), "conditions": well}
    spec = {"hostnames": hosts, "parentRefs": [parent], "rules": rules}
    return of("gateway.networking.k8s.io/v1", "HTTPRoute", place, spec=spec, status={"parents": [entry]})


def _to(service: str, port: int, path: str) -> dict[str, Any]:
    return {
        "backendRefs": [{"group": "", "kind": "Service", "name": service, "port": port, "weight": 1}],
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
    }


def _behind(place: str, labels: dict[str, str], port: int) -> list[Object]:
    """Return a Service with its pods, and what makes them."""
    _namespace, _unused, name = place.partition("/")
    ports = [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP"}]
    container = {"name": name, "ports": [{"name": "http", "containerPort": port}]}
    running = {"name": name, "ready": True, "restartCount": 0, "state": {"running": {}}}
    well = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [running]}
    slice_ = {"kubernetes.io/service-name": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return [
        of("v1", "Service", place, spec={"selector": labels, "ports": ports, "clusterIP": "10.0.0.1"}),
        of(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            f"{place}-hvg9b",
            metadata={"labels": slice_},
            endpoints=[{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}],
        ),
        of("v1", "Pod", f"{place}-1", metadata={"labels": labels}, spec={"containers": [container]}, status=well),
        of(
            "apps/v1",
            "Deployment",
            place,
            spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
            status={"replicas": 1, "readyReplicas": 1},
        ),
    ]


def _external_dns() -> list[Object]:
    labels = {"helm.toolkit.fluxcd.io/name": "dns", "helm.toolkit.fluxcd.io/namespace": "external-dns"}
    return [
        of("helm.toolkit.fluxcd.io/v2", "HelmRelease", "external-dns/dns", spec={"values": {"txtOwnerId": OWNER}}),
        of(
            "apps/v1",
            "Deployment",
            "external-dns/dns",
            metadata={"labels": labels},
            spec={"replicas": 1},
            status={"readyReplicas": 1},
        ),
    ]


def _certificate() -> Object:
    ready = said("Ready", "True", "Ready", "Certificate is up to date and has not expired")
    spec = {"secretName": "tls", "dnsNames": [HOST, MEDIA], "issuerRef": {"name": "acme"}}
    return of("cert-manager.io/v1", "Certificate", "edge/tls", spec=spec, status={"conditions": [ready]})


def _namespace(name: str) -> Object:
    labels = {"kubernetes.io/metadata.name": name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@dataclass
class Behind:
    """Objects by `Kind namespace/name`, Secrets' certificates by `namespace/name`, what names lead to, and how far its pods' clocks are off."""

    objects: dict[str, Object] = field(default_factory=dict)
    authority: Authority = field(default_factory=Authority)
    secrets: dict[str, str] = field(default_factory=dict)
    served: str = ""
    leads: tuple[str, ...] = (ADDRESS,)
    dead: tuple[str, ...] = ()
    off: float = 0
    asked: list[str] = field(default_factory=list)
    texts: tuple[str, ...] = (
        f"heritage=external-dns,external-dns/owner={OWNER},external-dns/resource=httproute/mastodon/web",
    )
    target: Target = field(default_factory=lambda: Target(HOST, HOST, media=MEDIA, owner=OWNER, txt_prefix="edns-"))
    api: FakeApi = field(init=False)

    def __post_init__(self) -> None:
        """Have all of it well."""
        self.secrets["edge/tls"] = self.served = self.authority.issue(HOST, MEDIA)[0]
        redirect = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}
        rules = [_to("web-streaming", 4000, "/api/v1/streaming"), _to("web", 3000, "/")]
        traefik = _behind("traefik/traefik", {"app": "traefik"}, 443)
        traefik[0]["spec"]["externalIPs"] = [ADDRESS]
        self.add(
            *(_namespace(name) for name in ("mastodon", "edge", "traefik")),
            _gateway(),
            _route("edge/redirect", "http", [HOST, MEDIA], [redirect]),
            _route("mastodon/web", HOST, [HOST], rules),
            _route("mastodon/media", MEDIA, [MEDIA], [_to("store", 8333, "/")]),
            *_behind("mastodon/web", {"app": "web"}, 3000),
            *_behind("mastodon/web-streaming", {"app": "streaming"}, 4000),
            *_behind("mastodon/store", {"app": "store"}, 8333),
            *traefik,
            _certificate(),
            *_external_dns(),
        )

    def add(self, *items: Object) -> None:
        """Add objects."""
        for item in items:
            metadata = item["metadata"]
            self.objects[f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"] = item

    def change(self, name: str, change: Callable[[Any], object]) -> None:
        """Change an object."""
        self.objects[name] = copy.deepcopy(self.objects[name])
        change(self.objects[name])

    def remove(self, *names: str) -> None:
        """Remove objects."""
        for name in names:
            del self.objects[name]

    def cluster(self) -> Cluster:
        """Return what is read of it."""
        self.api = FakeApi(*self.objects.values(), served=SERVED)
        chain = {tuple(name.split("/")): text for name, text in self.secrets.items()}
        return Cluster(self.api, lambda *place: chain.get(place), self._time, "edge", "shared", Deadline(60))

    def _time(self, namespace: str, pod: str) -> datetime:
        self.asked.append(f"{namespace}/{pod}")
        return now() + timedelta(seconds=self.off)

    def scene(self) -> Any:
        """Return what was seen of it from outside."""
        shown = tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(self.served.encode()))
        links = {host: self._links(host, shown) for host in self.target.hosts}
        return SimpleNamespace(
            target=self.target,
            probed={host: Probed(host, its) for host, its in links.items()},
            resolver=SimpleNamespace(addresses=lambda name: frozenset({name})),
            look_up=lambda name, kind: Looked("NOERROR", records=frozenset(self.texts if "edns-a-" in name else ())),
        )

    def _links(self, host: str, shown: tuple[bytes, ...]) -> tuple[Link, ...]:
        return tuple(Link(host, one, "timed out" if one in self.dead else "", chain=shown) for one in self.leads)
