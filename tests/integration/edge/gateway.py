# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways of the lab's Traefik."""

from __future__ import annotations

from typing import Any

from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

GROUP = "apis/gateway.networking.k8s.io/v1"


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
    )
    return str(cluster.get(cluster.path("gateways", name, GROUP))["status"]["addresses"][0]["value"])
