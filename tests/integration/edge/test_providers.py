# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records at DNS providers, written by the real external-dns for routes on a real Gateway."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.edge.cloudflare import PATH, Cloudflare
from ansible_collections.fediverse.mastodon.tests.integration.edge.external_dns import ExternalDns
from ansible_collections.fediverse.mastodon.tests.integration.edge.gateway import announced
from ansible_collections.fediverse.mastodon.tests.integration.edge.route53 import Route53
from ansible_collections.fediverse.mastodon.tests.integration.edge.service import served
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

KEYS = {"access-key-id": "AKIDEXAMPLE", "secret-access-key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
TOKEN = {"api-token": "a-token"}
# At the top of a zone, and below it.
DOMAINS = ["example.org", "social.example.org"]


@pytest.fixture(scope="session")
def external_dns(tmp_path_factory: pytest.TempPathFactory) -> ExternalDns:
    return ExternalDns.built(tmp_path_factory.mktemp("go") / "go.log")


def values(cluster: Cluster, domain: str, **settings: Any) -> dict[str, Any]:
    """Return the Helm values that the role gives external-dns."""
    space = cluster.namespace
    names = {"gateway_name": "edge", "gateway_namespace": space, "mastodon_namespace": space}
    site = Site(mastodon_local_domain=domain, **names, **settings)
    found: dict[str, Any] = site.objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]["values"]
    return found


@pytest.mark.parametrize("domain", DOMAINS)
def test_route_53_has_the_record_of_a_host_and_whose_it_is(
    cluster: Cluster, external_dns: ExternalDns, domain: str
) -> None:
    ip = announced(cluster, "edge", domain)
    access, secret = KEYS.values()
    service = Route53("example.org", "example.net", access_key=access, secret_key=secret)
    given = values(cluster, domain, external_dns_provider="route53", external_dns_zones=[])
    with served(service) as address:
        log = external_dns.run_once(given, KEYS, cluster.kubeconfig, AWS_ENDPOINT_URL_ROUTE_53=address)
    assert service.records["example.org"].get((f"{domain}.", "A")) == [ip], log
    (owner,) = service.records["example.org"][f"edns-a.{domain}.", "TXT"]
    assert f"external-dns/owner=production.{domain}" in owner
    assert service.records["example.net"] == {}


@pytest.mark.parametrize("domain", DOMAINS)
def test_cloudflare_has_the_record_of_a_host_and_whose_it_is(
    cluster: Cluster, external_dns: ExternalDns, domain: str
) -> None:
    ip = announced(cluster, "edge", domain)
    service = Cloudflare("example.org", "example.net", token=TOKEN["api-token"])
    given = values(cluster, domain, external_dns_provider="cloudflare", external_dns_zones=["example.org"])
    with served(service) as address:
        for _round in ("first", "second, which changes nothing"):
            log = external_dns.run_once(given, TOKEN, cluster.kubeconfig, CLOUDFLARE_BASE_URL=f"{address}{PATH}")
            assert service.contents("example.org", domain, "A") == [ip], log
            (owner,) = service.contents("example.org", f"edns-a.{domain}", "TXT")
    assert f"external-dns/owner=production.{domain}" in owner
    assert service.names("example.org") == {domain, f"edns-a.{domain}"}
    assert service.names("example.net") == set()
