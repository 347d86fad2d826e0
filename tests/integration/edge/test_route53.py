# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in Route 53, written by the real external-dns for routes on a real Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.edge.external_dns import ExternalDns
from ansible_collections.fediverse.mastodon.tests.integration.edge.gateway import announced
from ansible_collections.fediverse.mastodon.tests.integration.edge.route53 import Route53, served
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

SECRET = {"access-key-id": "AKIDEXAMPLE", "secret-access-key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


@pytest.fixture(scope="session")
def external_dns(tmp_path_factory: pytest.TempPathFactory) -> ExternalDns:
    return ExternalDns.built(tmp_path_factory.mktemp("go") / "go.log")


@pytest.fixture
def service() -> Route53:
    access, secret = SECRET.values()
    return Route53("example.org", "example.net", access_key=access, secret_key=secret)


@pytest.fixture
def address(service: Route53) -> Iterator[str]:
    with served(service) as address:
        yield address


def written(cluster: Cluster, external_dns: ExternalDns, address: str, domain: str) -> str:
    site = Site(
        external_dns_provider="route53",
        external_dns_zones=[],
        mastodon_local_domain=domain,
        mastodon_namespace=cluster.namespace,
        gateway_namespace=cluster.namespace,
        gateway_name="edge",
    )
    release: dict[str, Any] = site.objects("external_dns")["HelmRelease external-dns-mastodon"]
    return external_dns.run_once(
        release["spec"]["values"], SECRET, cluster.kubeconfig, AWS_ENDPOINT_URL_ROUTE_53=address
    )


@pytest.mark.parametrize("domain", ["example.org", "social.example.org"])
def test_the_record_of_a_host_is_written_at_and_below_the_top_of_a_zone(
    cluster: Cluster, external_dns: ExternalDns, service: Route53, address: str, domain: str
) -> None:
    ip = announced(cluster, "edge", domain)
    log = written(cluster, external_dns, address, domain)
    assert service.records["example.org"].get((f"{domain}.", "A")) == [ip], log
    (owner,) = service.records["example.org"][f"edns-a.{domain}.", "TXT"]
    assert f"external-dns/owner=production.{domain}" in owner
    assert service.records["example.net"] == {}
