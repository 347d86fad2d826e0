# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's Gateway on a real controller: ports, redirects, and whose routes it takes."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.edge.gateway import GROUP, NAME, Edge, of

# Those of the lab's own Traefik, and those of Traefik's chart.
PORTS = [(80, 443), (8000, 8443)]


@pytest.mark.parametrize(("http", "https"), PORTS)
def test_browsers_are_sent_on_to_https_at_the_port_that_the_world_knows(
    cluster: Cluster, http: int, https: int
) -> None:
    edge = Edge(cluster, gateway_http_port=http, gateway_https_port=https)
    edge.apply()
    answer = edge.get("example.org", "/about?x=1", http)
    assert (answer.status, answer.headers["Location"]) == (301, "https://example.org/about?x=1")


@pytest.mark.parametrize(("http", "https"), PORTS)
def test_a_lookup_at_a_split_domain_is_sent_on_to_whoever_asks_from_a_browser(
    cluster: Cluster, http: int, https: int
) -> None:
    edge = Edge(cluster, mastodon_web_domain="social.example.org", gateway_http_port=http, gateway_https_port=https)
    edge.apply()
    edge.apply_route("mastodon-well-known")
    path = "/.well-known/webfinger?resource=acct:alice@example.org"
    answer = edge.get("example.org", path, https, Origin="https://elsewhere.example.net")
    assert (answer.status, answer.headers["Location"]) == (301, f"https://social.example.org{path}")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_port_at_which_its_controller_does_not_listen_is_named_at_once(cluster: Cluster) -> None:
    result = Edge(cluster, gateway_http_port=9080, gateway_https_port=9443).apply().result
    assert result["failed"] is True
    assert result["msg"].startswith(
        f"Gateway {cluster.namespace}/{NAME}: failed: listener http: Cannot find entryPoint"
    )
    assert "Set gateway_http_port and gateway_https_port" in result["msg"]


def test_nobody_in_another_namespace_gets_a_route_on_port_80(cluster: Cluster, neighbour: Cluster) -> None:
    Edge(cluster).apply()
    parent = {"name": NAME, "namespace": cluster.namespace, "sectionName": "http"}
    theirs = of(neighbour, "HTTPRoute", "challenge", {"parentRefs": [parent], "hostnames": ["example.org"]})
    assert neighbour.apply(theirs, wait=True, wait_timeout=5).result["failed"] is True
    found = neighbour.get(neighbour.path("httproutes", "challenge", GROUP))
    (reported,) = [one for one in found["status"]["parents"][0]["conditions"] if one["type"] == "Accepted"]
    assert (reported["status"], reported["reason"]) == ("False", "NotAllowedByListeners")
