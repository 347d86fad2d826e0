# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles make of the Gateway API, on the lab's Traefik, asked from outside."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.fediverse.mastodon.tests.integration.api.support import Applied, Cluster
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GROUP = "apis/gateway.networking.k8s.io/v1"
NAME = "edge"


def of(cluster: Cluster, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the Gateway API in the test's namespace."""
    metadata = {"name": name, "namespace": cluster.namespace}
    return {"apiVersion": GROUP.removeprefix("apis/"), "kind": kind, "metadata": metadata, "spec": spec}


def announced(cluster: Cluster, name: str, host: str) -> str:
    """Make a Gateway and a route of a host on it, and return the Gateway's address once Traefik serves both."""
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
    cluster.apply(
        of(cluster, "Gateway", name, {"gatewayClassName": "traefik", "listeners": [listener]}),
        of(
            cluster,
            "HTTPRoute",
            host.replace(".", "-"),
            {"parentRefs": [{"name": name}], "hostnames": [host], "rules": [{"filters": [redirect]}]},
        ),
        wait=True,
    )
    return str(cluster.get(cluster.path("gateways", name, GROUP))["status"]["addresses"][0]["value"])


class Edge:
    """The roles' Gateway and routes of one inventory in a test's namespace, with a certificate that the test made."""

    def __init__(self, cluster: Cluster, **settings: Any) -> None:
        space = cluster.namespace
        names = {"gateway_name": NAME, "gateway_namespace": space, "mastodon_namespace": space}
        self._cluster = cluster
        self._site = Site(**names, **settings)

    def apply(self) -> Applied:
        """Apply the Gateway and its redirect, and wait for them."""
        found = self._site.objects("gateway")
        name = found["Certificate example-org-tls"]["spec"]["secretName"]
        hosts = self._site.value("gateway_hostnames")
        routes = [item for item in found.values() if item["kind"] in ("Gateway", "HTTPRoute")]
        return self._cluster.apply(_certificate(self._cluster.namespace, name, hosts), *routes, wait=True)

    def apply_route(self, name: str) -> None:
        """Apply one of Mastodon's routes and wait until Traefik serves it."""
        self._cluster.apply(self._site.objects("mastodon")[f"HTTPRoute {name}"], name="routes", wait=True)

    def get(self, host: str, path: str, port: int, **headers: str) -> http.client.HTTPResponse:
        """Ask for a path of a host at a port of the Gateway, until it is no more unknown: Traefik serves what it accepted some 2 s
        later."""
        gateway = self._cluster.get(self._cluster.path("gateways", NAME, GROUP))
        ip = gateway["status"]["addresses"][0]["value"]
        for _attempt in range(40):
            answer = _asked(ip, port, host, path, headers)
            if answer.status != 404:
                break
            time.sleep(0.25)
        return answer


def _asked(ip: str, port: int, host: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host)
    link = socket.create_connection((ip, port), timeout=10)
    connection.sock = _secured(link, host) if port in (443, 8443) else link
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def _secured(link: socket.socket, host: str) -> ssl.SSLSocket:
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    return anyone.wrap_socket(link, server_hostname=host)


def _certificate(namespace: str, name: str, hosts: list[str]) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    data = {"tls.crt": made.public_bytes(pem).decode(), "tls.key": private.decode()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "stringData": data}
