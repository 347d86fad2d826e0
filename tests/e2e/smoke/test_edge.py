# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a name to an answer: a certificate over DNS-01, a record by external-dns, a route over TLS."""

from __future__ import annotations

import socket
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from mastodon_lab.parts import dns

from ...conftest import Lab
from ..support import eventually
from .support import Object, apply, namespace, wait_ready

SPACE = "smoke-edge"
DOMAIN = "smoke.lab.test"
HOST = f"web.{DOMAIN}"
KEY = {"name": "tsig", "key": "tsig-secret"}


@pytest.fixture(scope="module")
def space(laid_down: Lab) -> Iterator[Lab]:
    """The lab with a namespace for a web server that is reached through a Gateway of its own."""
    stored = laid_down.vault().secrets.kv.v2.read_secret_version(
        "mastodon/social.lab.test/dns", mount_point="secret", raise_on_deleted_version=True
    )["data"]["data"]
    with namespace(laid_down, SPACE):
        apply(laid_down, of("v1", "Secret", KEY["name"], stringData={KEY["key"]: stored["tsig-secret"]}))
        apply(laid_down, *web_server(), *certificate(laid_down, stored["tsig-key-name"]), *gateway())
        apply(laid_down, *external_dns(laid_down, stored["tsig-key-name"]))
        yield laid_down


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


def address(server: str) -> str:
    """What a name server says of HOST; nothing while it knows no such name."""
    try:
        return dns.address_of(HOST, server)
    except OSError:
        return ""


def answer_of(lab: Lab, ip: str) -> bytes:
    """What HOST answers over HTTPS at this address, its certificate trusted; nothing while it doesn't."""
    request = f"GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode()
    try:
        with (
            socket.create_connection((ip, 443), 5) as link,
            lab.trust().wrap_socket(link, server_hostname=HOST) as secure,
        ):
            secure.sendall(request)
            return secure.makefile("rb").read()
    except OSError:
        return b""


def test_a_certificate_is_issued_over_dns(space: Lab) -> None:
    wait_ready(space, "certificate", SPACE, "web")
    issued = b64decode(space.get("secret", f"-n={SPACE}", "web-tls")["data"]["tls.crt"]).decode()
    assert issued.count("BEGIN CERTIFICATE") == 2


def test_a_record_is_written_and_answered_over_tls(space: Lab) -> None:
    ip = eventually(lambda: address(space.facts["nameserver_address"]), bool)
    assert ip == space.facts["gateway_address"]
    answer = eventually(lambda: answer_of(space, ip), lambda found: b"hello" in found)
    assert answer.startswith(b"HTTP/1.0 200")


def test_a_route_s_record_goes_with_it(space: Lab) -> None:
    eventually(lambda: address(space.facts["nameserver_address"]), bool)
    space.kubectl("delete", "httproute", f"-n={SPACE}", "web")
    eventually(lambda: address(space.facts["nameserver_address"]), lambda found: not found)
