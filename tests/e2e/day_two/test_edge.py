# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge on a real cluster: records by external-dns in a real zone, certificates from a real ACME server."""

from __future__ import annotations

import socket
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

from ...conftest import Lab
from ..smoke.support import apply, wait_ready
from ..support import eventually
from ..zone import DOMAIN, Zone


def test_external_dns_wrote_the_record_and_signed_it(installed: Lab, zone: Zone) -> None:
    assert zone.texts(DOMAIN, "A") == [installed.facts["gateway_address"]]
    (reported,) = zone.texts(f"edns-a.{DOMAIN}", "TXT")
    assert f"external-dns/owner=lab.{DOMAIN}" in reported


def test_another_owner_is_refused_before_the_records_are_orphaned(installed: Lab) -> None:
    mark = installed.audit_mark()
    run = installed.site("--tags", "external_dns", "-e", "external_dns_owner_id=another")
    assert run.returncode != 0
    assert f"writes records as owner lab.{DOMAIN}, and as another would leave them all behind" in " ".join(
        run.output.split()
    )
    assert installed.our_writes(mark) == []


def test_the_certificate_is_really_from_the_acme_server(installed: Lab) -> None:
    # Only what chains up to that root, and names the domain, passes.
    with (
        socket.create_connection((installed.facts["gateway_address"], 443), timeout=30) as plain,
        installed.trust().wrap_socket(plain, server_hostname=DOMAIN) as secured,
    ):
        served = secured.getpeercert()
    assert served is not None
    assert ("DNS", DOMAIN) in served["subjectAltName"]
    secret = installed.get("secret", "-n=gateway-system", "social-lab-test-tls")["data"]
    assert b64decode(secret["tls.crt"]).count(b"BEGIN CERTIFICATE") > 1
    issuer = installed.get("issuer", "-n=gateway-system", "social-lab-test-acme")
    assert {"ACMEAccountRegistered"} == {condition["reason"] for condition in issuer["status"]["conditions"]}


def test_the_domain_was_proved_over_dns_and_nothing_of_it_is_left(installed: Lab, zone: Zone) -> None:
    orders = installed.get("orders.acme.cert-manager.io", "-n=gateway-system")["items"]
    assert [order["status"]["state"] for order in orders] == ["valid"]
    challenges = [
        one["type"] for order in orders for entry in order["status"]["authorizations"] for one in entry["challenges"]
    ]
    assert "dns-01" in challenges
    eventually(lambda: zone.texts(f"_acme-challenge.{DOMAIN}", "TXT"), lambda found: not found)


@contextmanager
def applied(lab: Lab, site: Site, *names: str) -> Iterator[None]:
    """Objects that the roles make of an inventory, by kind and name, of one more Mastodon on the shared Gateway."""
    found = site.objects("cert_manager") | site.objects("gateway")
    objects = [found[name] for name in names]
    apply(lab, *objects)
    try:
        yield
    finally:
        for item in objects:
            place = (f"-n={item['metadata']['namespace']}", item["metadata"]["name"])
            lab.kubectl("delete", f"{item['kind'].lower()}.{item['apiVersion'].partition('/')[0]}", *place)


def test_a_domain_is_proved_over_http_beside_the_redirect_to_https(installed: Lab, zone: Zone) -> None:
    zone.replace("http.lab.test", installed.facts["gateway_address"])
    site = Site(
        mastodon_local_domain="http.lab.test",
        cert_manager_acme_server=installed.facts["acme_directory"],
        cert_manager_acme_ca=Path(installed.facts["acme_ca_file"]).read_text(),
    )
    names = ("Issuer http-lab-test-acme", "Certificate http-lab-test-tls", "HTTPRoute http-lab-test-tls-redirect")
    with applied(installed, site, *names):
        wait_ready(installed, "certificate", "gateway-system", "http-lab-test-tls")


def test_an_authority_of_ones_own_issues_the_certificate(installed: Lab) -> None:
    site = Site(mastodon_local_domain="own.lab.test", cert_manager_issuer="private_ca")
    issuer = "own-lab-test-private-ca"
    names = (f"Issuer {issuer}-root", f"Certificate {issuer}", f"Issuer {issuer}", "Certificate own-lab-test-tls")
    with applied(installed, site, *names):
        wait_ready(installed, "certificate", "gateway-system", "own-lab-test-tls")
        secret = installed.get("secret", "-n=gateway-system", "own-lab-test-tls")["data"]
    assert b64decode(secret["ca.crt"]) == b64decode(
        installed.get("secret", "-n=gateway-system", issuer)["data"]["tls.crt"]
    )
