# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which issuer the role cert_manager applies."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

from .conftest import Site

DNS = "example-org-acme-dns"
SOLVERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "http01": (
        {
            "http01": {
                "gatewayHTTPRoute": {
                    "parentRefs": [
                        {
                            "name": "shared-gateway-external",
                            "namespace": "gateway-system",
                            "kind": "Gateway",
                            "sectionName": "http",
                        }
                    ]
                }
            }
        },
        [],
    ),
    "rfc2136": (
        {
            "dns01": {
                "rfc2136": {
                    "nameserver": "ns.example.org:5353",
                    "tsigKeyName": "mastodon",
                    "tsigAlgorithm": "HMACSHA256",
                    "tsigSecretSecretRef": {"name": DNS, "key": "tsig-secret"},
                }
            }
        },
        ["tsig-secret"],
    ),
    "cloudflare": (
        {"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": DNS, "key": "api-token"}}}},
        ["api-token"],
    ),
    "route53": (
        {
            "dns01": {
                "route53": {
                    "region": "us-east-1",
                    "accessKeyIDSecretRef": {"name": DNS, "key": "access-key-id"},
                    "secretAccessKeySecretRef": {"name": DNS, "key": "secret-access-key"},
                }
            }
        },
        ["access-key-id", "secret-access-key"],
    ),
}
# As external-dns is configured; the issuer takes it over.
SERVER = {
    "external_dns_rfc2136_nameserver": "ns.example.org",
    "external_dns_rfc2136_port": 5353,
    "external_dns_rfc2136_key_name": "mastodon",
}


def acme(**settings: Any) -> Any:
    return Site(**settings).objects("cert_manager")["Issuer example-org-acme"]["spec"]["acme"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_domains_are_proved_as_asked_with_a_credential_from_vault(solver: str) -> None:
    expected, keys = SOLVERS[solver]
    objects = Site(cert_manager_acme_solver=solver, **SERVER).objects("cert_manager")
    issuer = objects["Issuer example-org-acme"]
    assert issuer["spec"]["acme"]["solvers"] == [expected]
    assert (f"ExternalSecret {DNS}" in objects) == bool(keys)
    assert ("annotations" in issuer["metadata"]) == bool(keys)
    if keys:
        secret = objects[f"ExternalSecret {DNS}"]
        # The only namespace in which an Issuer looks for Secrets.
        assert secret["metadata"]["namespace"] == issuer["metadata"]["namespace"] == "gateway-system"
        assert [one["secretKey"] for one in secret["spec"]["data"]] == keys


@pytest.mark.parametrize(
    "settings", [{"cert_manager_acme_solver": solver} for solver in SOLVERS] + [{"cert_manager_issuer": "private_ca"}]
)
def test_nobody_outside_the_gateways_namespace_gets_a_certificate_of_our_issuer(settings: dict[str, Any]) -> None:
    site = Site(gateway_namespace="edge-system", **settings, **SERVER)
    made = site.objects("cert_manager").values()
    assert not [item for item in made if item["kind"] == "ClusterIssuer"]
    issuers = {item["metadata"]["name"]: item for item in made if item["kind"] == "Issuer"}
    assert {item["metadata"]["namespace"] for item in issuers.values()} == {"edge-system"}
    assert "edge-system" in [item["metadata"]["name"] for item in made if item["kind"] == "Namespace"]
    certificate = site.objects("gateway")["Certificate example-org-tls"]
    reference = certificate["spec"]["issuerRef"]
    assert certificate["metadata"]["namespace"] == "edge-system"
    assert (reference["kind"], reference["name"] in issuers) == ("Issuer", True)


def test_an_issuer_with_cert_managers_own_credential_is_limited_to_our_domains() -> None:
    # cert-manager lends its own to ClusterIssuers only.
    site = Site(
        cert_manager_acme_solver="route53",
        cert_manager_vault_path="",
        gateway_media_hostname="media.example.net",
        gateway_certificate_hostnames=["example.org", "*.example.org", "media.example.net"],
    )
    issuer = site.objects("cert_manager")["ClusterIssuer example-org-acme"]
    assert "namespace" not in issuer["metadata"]
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver == {
        "dns01": {"route53": {"region": "us-east-1"}},
        "selector": {"dnsZones": ["example.org", "media.example.net"]},
    }
    assert site.objects("gateway")["Certificate example-org-tls"]["spec"]["issuerRef"]["kind"] == "ClusterIssuer"


@pytest.mark.parametrize(
    ("server", "reported"),
    [("ns.example.org", "ns.example.org:53"), ("192.0.2.1", "192.0.2.1:53"), ("2001:db8::1", "[2001:db8::1]:53")],
)
@pytest.mark.parametrize("key", ["acme_update", "ddns-key.", "ACME.Update", "1e3", "on"])
def test_any_name_server_and_key_may_take_the_updates(server: str, reported: str, key: str) -> None:
    names = {"cert_manager_rfc2136_nameserver": server, "cert_manager_rfc2136_key_name": key}
    assert wrong(names, {}) == {}
    rfc2136 = acme(cert_manager_acme_solver="rfc2136", **names)["solvers"][0]["dns01"]["rfc2136"]
    assert (rfc2136["nameserver"], rfc2136["tsigKeyName"]) == (reported, key)


def test_the_staging_server_has_an_issuer_of_its_own() -> None:
    objects = Site(cert_manager_acme_staging=True).objects("cert_manager")
    issuer = objects["Issuer example-org-acme-staging"]["spec"]["acme"]
    assert issuer["server"] == "https://acme-staging-v02.api.letsencrypt.org/directory"
    assert issuer["privateKeySecretRef"] == {"name": "example-org-acme-staging-account"}
    assert acme()["server"] == "https://acme-v02.api.letsencrypt.org/directory"


def test_the_certificate_follows_the_switch_from_staging_to_production() -> None:
    names = {
        staging: Site(cert_manager_acme_staging=staging).objects("gateway")["Certificate example-org-tls"]
        for staging in (True, False)
    }
    assert names[True]["spec"]["issuerRef"]["name"] == "example-org-acme-staging"
    assert names[False]["spec"]["issuerRef"]["name"] == "example-org-acme"


def test_a_private_acme_server_is_trusted_by_its_authority() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    found = acme(cert_manager_acme_server="https://acme.example.org/directory", cert_manager_acme_ca=pem)
    assert found["server"] == "https://acme.example.org/directory"
    assert b64decode(found["caBundle"]).decode() == pem
    assert "caBundle" not in acme()


def test_an_authority_of_ones_own_needs_nobody() -> None:
    objects = Site(cert_manager_issuer="private_ca").objects("cert_manager")
    assert objects["Issuer example-org-private-ca"]["spec"] == {"ca": {"secretName": "example-org-private-ca"}}
    assert objects["Certificate example-org-private-ca"]["spec"]["isCA"] is True


def test_an_existing_issuer_is_left_alone() -> None:
    objects = Site(cert_manager_issuer="existing", cert_manager_issuer_name="company").objects("cert_manager")
    assert not [name for name in objects if "Issuer" in name]
    site = Site(cert_manager_issuer="existing", cert_manager_issuer_name="company")
    reference = site.objects("gateway")["Certificate example-org-tls"]["spec"]["issuerRef"]
    assert (reference["kind"], reference["name"]) == ("ClusterIssuer", "company")


def test_for_a_gateway_of_others_no_issuer_is_made_nor_a_credential_read() -> None:
    site = Site(gateway_install=False, cert_manager_acme_solver="cloudflare", cert_manager_acme_email="")
    assert {item["kind"] for item in site.objects("cert_manager").values()} == {
        "Namespace",
        "HelmRepository",
        "HelmRelease",
    }
    assert site.value("cert_manager_dns_keys") == []


def test_an_existing_cert_manager_is_left_alone() -> None:
    objects = Site(cert_manager_install=False).objects("cert_manager")
    assert not [name for name in objects if "HelmRelease" in name]
    assert "Issuer example-org-acme" in objects


def test_cert_manager_serves_gateways_and_asks_the_named_resolvers() -> None:
    found = Site(cert_manager_dns01_nameservers=["1.1.1.1:53", "9.9.9.9:53"]).objects("cert_manager")
    helm_values = found["HelmRelease cert-manager"]["spec"]["values"]
    assert helm_values["config"]["gatewayAPI"] == {"enabled": True}
    assert helm_values["dns01RecursiveNameservers"] == "1.1.1.1:53,9.9.9.9:53"
    assert helm_values["dns01RecursiveNameserversOnly"] is True
    default = Site().objects("cert_manager")["HelmRelease cert-manager"]["spec"]["values"]
    assert default["dns01RecursiveNameserversOnly"] is False


@pytest.mark.parametrize(
    ("settings", "namespaces", "required"),
    [
        (
            {"cert_manager_acme_solver": "rfc2136", "external_dns_provider": "rfc2136"},
            ["gateway-system", "external-dns"],
            ["tsig-secret"],
        ),
        (
            {"cert_manager_acme_solver": "route53"},
            ["gateway-system", "external-dns"],
            ["api-token", "access-key-id", "secret-access-key"],
        ),
        ({"external_dns_install": False}, [], []),
        ({"external_dns_install": False, "cert_manager_acme_solver": "cloudflare"}, ["gateway-system"], ["api-token"]),
        ({"cert_manager_issuer": "private_ca", "cert_manager_acme_solver": "rfc2136"}, ["external-dns"], ["api-token"]),
    ],
)
def test_who_needs_a_dns_credential_may_read_it_and_only_then(
    settings: dict[str, Any], namespaces: list[str], required: list[str]
) -> None:
    site = Site(**settings)
    objects = site.objects("external_secrets")
    assert objects["ClusterSecretStore vault-mastodon"]["spec"]["conditions"] == [{"namespaces": ["mastodon"]}]
    dns_store = objects.get("ClusterSecretStore vault-mastodon-dns", {"spec": {"conditions": [{"namespaces": []}]}})
    assert dns_store["spec"]["conditions"] == [{"namespaces": namespaces}]
    dns = next(one for one in site.value("vault_secrets") if one["path"] == "mastodon/example.org/dns")
    assert sorted(dns["required"]) == sorted(required)


@pytest.mark.parametrize(
    ("settings", "waited"),
    [
        ({}, False),
        ({"cert_manager_issuer": "existing", "cert_manager_issuer_name": "theirs"}, True),
        ({"gateway_install": False, "gateway_https_listener": "web"}, True),
    ],
)
def test_cert_manager_is_waited_for_where_no_issuer_of_ours_waits_for_it(
    settings: dict[str, Any], waited: bool
) -> None:
    task = Site(**settings).tasks("cert_manager", "operator.yml")["Install cert-manager"]
    assert task["fediverse.mastodon.apply"]["wait"] is waited
