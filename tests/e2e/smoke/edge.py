# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server behind a Gateway of its own, with a certificate over DNS-01 and an external-dns."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from ...conftest import Lab
from .support import Object

SPACE = "smoke-edge"
DOMAIN = "smoke.lab.test"
HOST = f"web.{DOMAIN}"
KEY = {"name": "tsig", "key": "tsig-secret"}


def of(api_version: str, kind: str, name: str, **fields: object) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": SPACE}, **fields}


def web_server() -> tuple[Object, ...]:
    command = ["sh", "-c", "mkdir /tmp/web && echo hello > /tmp/web/index.html && httpd -f -p 8080 -h /tmp/web"]
    container = {
        "name": "web",
        "image": "docker.io/library/busybox:latest",
        "imagePullPolicy": "IfNotPresent",
        "command": command,
    }
    pod = of("v1", "Pod", "web", spec={"containers": [container], "terminationGracePeriodSeconds": 0})
    pod["metadata"]["labels"] = {"app": "web"}
    return pod, of("v1", "Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 8080}]})


def certificate(lab: Lab, key_name: str) -> tuple[Object, ...]:
    rfc2136 = {
        "nameserver": f"{lab.facts['nameserver_address']}:53",
        "tsigKeyName": key_name,
        "tsigAlgorithm": "HMACSHA256",
        "tsigSecretSecretRef": KEY,
    }
    acme = {
        "server": lab.facts["acme_directory"],
        "caBundle": b64encode(Path(lab.facts["acme_ca_file"]).read_bytes()).decode(),
        "privateKeySecretRef": {"name": "account"},
        "solvers": [{"dns01": {"rfc2136": rfc2136}}],
    }
    return (
        of("cert-manager.io/v1", "Issuer", "pebble", spec={"acme": acme}),
        of(
            "cert-manager.io/v1",
            "Certificate",
            "web",
            spec={"secretName": "web-tls", "dnsNames": [HOST], "issuerRef": {"name": "pebble"}},
        ),
    )


def gateway() -> tuple[Object, ...]:
    listener = {
        "name": "https",
        "port": 443,
        "protocol": "HTTPS",
        "hostname": HOST,
        "tls": {"certificateRefs": [{"name": "web-tls"}]},
    }
    api_version = "gateway.networking.k8s.io/v1"
    return (
        of(api_version, "Gateway", "smoke", spec={"gatewayClassName": "traefik", "listeners": [listener]}),
        of(
            api_version,
            "HTTPRoute",
            "web",
            spec={
                "parentRefs": [{"name": "smoke"}],
                "hostnames": [HOST],
                "rules": [{"backendRefs": [{"name": "web", "port": 8080}]}],
            },
        ),
    )


def external_dns(lab: Lab, key_name: str) -> tuple[Object, ...]:
    values = {
        "provider": {"name": "rfc2136"},
        "sources": ["gateway-httproute"],
        "policy": "sync",
        "txtOwnerId": "smoke",
        "txtPrefix": "edns-%{record_type}.",
        "domainFilters": [DOMAIN],
        "interval": "5s",
        "env": [{"name": "EXTERNAL_DNS_RFC2136_TSIG_SECRET", "valueFrom": {"secretKeyRef": KEY}}],
        "extraArgs": {
            "gateway-namespace": SPACE,
            "rfc2136-host": lab.facts["nameserver_address"],
            "rfc2136-port": 53,
            "rfc2136-zone": lab.facts["dns_zone"],
            "rfc2136-tsig-keyname": key_name,
            "rfc2136-tsig-secret-alg": "hmac-sha256",
            "rfc2136-axfr": True,
        },
    }
    source = {"kind": "HelmRepository", "name": "external-dns"}
    return (
        of(
            "source.toolkit.fluxcd.io/v1",
            "HelmRepository",
            "external-dns",
            spec={"interval": "1h", "url": f"{lab.facts['mirror']}/charts/external-dns"},
        ),
        of(
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            "smoke-external-dns",
            spec={
                "interval": "1h",
                "chart": {"spec": {"chart": "external-dns", "sourceRef": source}},
                "values": values,
            },
        ),
    )
