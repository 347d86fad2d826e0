# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets to Services of a cluster through its API server, as `kubectl port-forward` opens them.

What pods reach as `name.namespace.svc` can be asked from where Ansible runs, without a route into the cluster.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import SERVICE
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.port_forward import port_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.stream import open_stream
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import shapes
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

_SLICE = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", namespaced=True)
_IN_CLUSTER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.[a-z0-9.-]+)?")
_SECONDS = 30
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NotThereError(MastodonError):
    """The Service does not exist, or has no pod that is ready."""


class NoPodError(NotThereError):
    """The Service exists; its pods start, restart or fail."""


@dataclass(frozen=True)
class Service:
    """A port of a Service."""

    namespace: str
    name: str
    port: int

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Service {self.namespace}/{self.name}"


def service_at(host: str, port: int) -> Service | None:
    """Return the Service that pods find at this host, or None when it lies outside of the cluster."""
    found = _IN_CLUSTER.fullmatch(host)
    return Service(found[2], found[1], port) if found else None


def way_to(connection: Connection, host: str, port: int) -> Dial | None:
    """Return what opens sockets to a host that only pods find, or None for one that lies outside of the cluster."""
    service = service_at(host, port)
    return partial(dial, connection, service) if service else None


def place_of(endpoint: str) -> tuple[str, int]:
    """Return host and port of an endpoint. Raises MastodonError."""
    parts = urlsplit(endpoint)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise MastodonError(f"Endpoint {endpoint}", "is not an address", "", "Write it as https://host or http://host.")
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def way_to_url(connection: Connection, endpoint: str) -> Dial | None:
    """Return what opens sockets to an endpoint that only pods find, or None for one outside of the cluster. Raises MastodonError."""
    return way_to(connection, *place_of(endpoint))


def dial(connection: Connection, service: Service) -> socket.socket:
    """Return a socket to one ready pod behind the Service.

    Raises NotThereError when there is none, MastodonError when there is no way to it.
    """
    objects = open_objects(connection)
    try:
        ready = list(_ready_pods(objects, service, _port_name(objects, service)))
    except WrongShapeError as error:
        raise MastodonError(str(service), "cannot be understood", str(error), "Check it and its slices.") from error
    if ready:
        return _forward(connection, str(service), service.namespace, *ready[0])
    remedy = f"Check its pods: kubectl get pods -n {service.namespace}."
    raise NoPodError(str(service), "cannot be reached", "no pod behind it is ready", remedy)


def _port_name(objects: Objects, service: Service) -> str:
    for item in objects.read(Selection(SERVICE, service.namespace, service.name)).objects:
        for port in shapes.objects(item, "spec", "ports"):
            if port.get("port") == service.port:
                return checked(port, "name", kind=str, default="")
        raise MastodonError(str(service), f"has no port {service.port}", "", "Correct the port of its address.")
    raise NotThereError(str(service), "does not exist", "", "Correct its address, or install what creates it.")


def _ready_pods(objects: Objects, service: Service, port_name: str) -> Iterator[tuple[str, int]]:
    for item in objects.read(Selection(_SLICE, service.namespace)).objects:
        if (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != service.name:
            continue
        named = [port for port in shapes.objects(item, "ports") if (port.get("name") or "") == port_name]
        for endpoint in shapes.objects(item, "endpoints"):
            if named and _is_ready_pod(endpoint):
                yield checked(endpoint, "targetRef", "name", kind=str), checked(named[0], "port", kind=int)


def _is_ready_pod(endpoint: Mapping[str, Any]) -> bool:
    # Not set means ready: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
    ready = checked(endpoint, "conditions", "ready", kind=bool, default=True)
    return ready and checked(endpoint, "targetRef", "kind", kind=str, default="") == "Pod"


def way_to_pod(connection: Connection, namespace: str, pod: str, port: int) -> Dial:
    """Return what opens sockets to this one pod, whoever leads to it."""
    return partial(_forward, connection, f"Pod {namespace}/{pod}", namespace, pod, port)


def _forward(connection: Connection, subject: str, namespace: str, pod: str, port: int) -> socket.socket:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={port}"
    try:
        with within(_SECONDS):
            stream = open_stream(connection, path, _SECONDS)
    except (OSError, ValueError, websocket.WebSocketException) as error:
        remedy = f"Allow the kubeconfig's user to get and create pods/portforward in namespace {namespace}."
        raise MastodonError(subject, "cannot be reached through the API server", str(error), remedy) from error
    forwarded = port_of(stream)
    forwarded.settimeout(_SECONDS)
    return forwarded
