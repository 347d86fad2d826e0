# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at from outside, with a real Traefik and the roles' Gateway and routes in front: in whose words it is refused."""

from __future__ import annotations

import base64

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.causes import NO_BACKEND, NO_ROUTE
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import examine
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding, Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import HERE
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import trust_in
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.edge.gateway import GROUP, NAME, Edge
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation import zones

DOMAIN, HOST, MEDIA = "example.org", "social.example.org", "media.example.org"
FINGER = f"https://{DOMAIN}/.well-known/webfinger?resource=acct:alice@{DOMAIN}"


class Outside:
    """Looks at the Gateway of a test by names of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.edge = Edge(cluster, mastodon_web_domain=HOST)
        self.edge.apply()
        self.address = cluster.get(cluster.path("gateways", NAME, GROUP))["status"]["addresses"][0]["value"]
        secret = cluster.get(cluster.path("secrets", "example-org-tls"))
        self._trust = trust_in(base64.b64decode(secret["data"]["tls.crt"]).decode())

    def look(self, *, media: str = "") -> Report:
        """Return what is found."""
        served = zones.serve({host: [self.address] for host in (DOMAIN, HOST, MEDIA)})
        target = Target(DOMAIN, HOST, media=media, account="alice", taken_as_public=(f"{self.address}/32",))
        try:
            resolver = Resolver(zones.RESOLVER, served.port, servers_port=served.port)
            return examine(target, HERE, resolver, self._trust, Budget())
        finally:
            served.stop()


def wrong(report: Report) -> dict[str, Finding]:
    """Return the first thing that is wrong for each check."""
    return {one.check: one for one in reversed(report.findings) if one.fault}


def test_a_gateway_says_in_its_own_words_what_it_cannot_do(cluster: Cluster) -> None:
    outside = Outside(cluster)
    # Until it serves what it accepted.
    outside.edge.get(HOST, "/", 443)
    found = wrong(outside.look(media=MEDIA))
    told = f"https://{MEDIA} at {outside.address}: shows a certificate that nobody but itself vouches for"
    assert str(found["tls"]).startswith(f"{told}: CN=TRAEFIK DEFAULT CERT, for ")
    assert str(found["webfinger"]) == f"{FINGER}: is not there: 404 Not Found, text/plain, '404 page not found'."
    assert found["webfinger"].cause == NO_ROUTE.of(DOMAIN)


def test_a_route_without_a_service_behind_it_is_told_from_one_that_is_not_there(cluster: Cluster) -> None:
    outside = Outside(cluster)
    for name in ("mastodon-well-known", "mastodon"):
        outside.edge.apply_route(name)
    outside.edge.get(HOST, "/", 443)
    outside.edge.get(DOMAIN, "/.well-known/webfinger?resource=a", 443)
    report = outside.look()
    found = wrong(report)
    told = f"ends in an error of the server: 500 Internal Server Error, empty, from {HOST}"
    assert str(found["webfinger"]) == f"{FINGER}: {told}."
    assert found["webfinger"].cause == NO_BACKEND.of(HOST)
    # What the gateway does by itself is right.
    fine = [str(one) for one in report.findings if one.verdict is Verdict.FINE]
    assert f"http://{HOST}/: leads to https://{HOST}/." in fine
    assert f"https://{HOST}: speaks TLS 1.2 and TLS 1.3." in fine
