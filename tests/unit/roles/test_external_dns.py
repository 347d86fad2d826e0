# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role external_dns applies for each provider."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Site

RFC2136 = {
    "external_dns_provider": "rfc2136",
    "external_dns_rfc2136_nameserver": "ns.example.org",
    "external_dns_rfc2136_key_name": "mastodon",
}


def values(**settings: Any) -> Any:
    return Site(**settings).objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]["values"]


def test_nothing_is_deleted_and_what_is_ours_is_remembered_unless_the_user_says_otherwise() -> None:
    found = values()
    assert (found["policy"], found["registry"]) == ("upsert-only", "txt")
    assert found["txtOwnerId"] == "production.example.org"
    assert values(external_dns_owner_id="mine")["txtOwnerId"] == "mine"


def test_two_clusters_and_two_mastodons_are_different_owners() -> None:
    owners = {
        values(inventory_hostname=host, mastodon_local_domain=domain)["txtOwnerId"]
        for host in ("one", "two")
        for domain in ("example.org", "example.net")
    }
    assert len(owners) == 4


def test_only_mastodons_routes_on_its_gateway_ask_for_records() -> None:
    found = values(mastodon_namespace="social", gateway_name="edge", gateway_namespace="edge-system")
    assert found["sources"] == ["gateway-httproute"]
    assert found["extraArgs"] == {"namespace": "social", "gateway-name": "edge", "gateway-namespace": "edge-system"}


@pytest.mark.parametrize(
    ("settings", "filters"),
    [
        # A zone of Cloudflare is found by its own name only.
        ({"external_dns_provider": "cloudflare"}, ["example.org"]),
        ({"external_dns_provider": "route53"}, ["social.example.org", "media.example.org"]),
        (RFC2136, ["social.example.org", "media.example.org"]),
    ],
)
def test_records_are_written_for_mastodons_domains_only(settings: dict[str, Any], filters: list[str]) -> None:
    hosts = {"mastodon_local_domain": "social.example.org", "gateway_media_hostname": "media.example.org"}
    assert values(**hosts, **settings)["domainFilters"] == filters


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({"external_dns_provider": "cloudflare"}, {"CF_API_TOKEN": "api-token"}),
        (
            {"external_dns_provider": "route53"},
            {"AWS_ACCESS_KEY_ID": "access-key-id", "AWS_SECRET_ACCESS_KEY": "secret-access-key"},
        ),
        (RFC2136, {"EXTERNAL_DNS_RFC2136_TSIG_SECRET": "tsig-secret"}),
    ],
)
def test_the_credential_comes_from_vault(settings: dict[str, Any], variables: dict[str, str]) -> None:
    objects = Site(**settings).objects("external_dns")
    secret = objects["ExternalSecret external-dns-mastodon"]
    release = objects["HelmRelease external-dns-mastodon"]
    assert [one["remoteRef"] for one in secret["spec"]["data"]] == [
        {"key": "mastodon/example.org/dns", "property": key} for key in variables.values()
    ]
    given = [one for one in release["spec"]["values"]["env"] if "valueFrom" in one]
    references = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in given}
    assert references == {name: {"name": "external-dns-mastodon", "key": key} for name, key in variables.items()}
    assert release["metadata"]["annotations"]["config.kubernetes.io/depends-on"].endswith(
        "external-dns/ExternalSecret/external-dns-mastodon"
    )


def test_a_service_account_may_be_credential_enough() -> None:
    objects = Site(external_dns_provider="route53", external_dns_vault_path="").objects("external_dns")
    assert "ExternalSecret external-dns-mastodon" not in objects
    release = objects["HelmRelease external-dns-mastodon"]
    assert "annotations" not in release["metadata"]
    assert release["spec"]["values"]["env"] == [{"name": "AWS_REGION", "value": "us-east-1"}]


def test_external_dns_and_the_issuer_sign_for_one_region_of_route_53() -> None:
    site = Site(
        external_dns_provider="route53",
        cert_manager_acme_solver="route53",
        external_dns_route53_region="cn-northwest-1",
    )
    release = site.objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]["values"]
    issuer = site.objects("cert_manager")["Issuer example-org-acme"]["spec"]["acme"]
    assert {"name": "AWS_REGION", "value": "cn-northwest-1"} in release["env"]
    assert issuer["solvers"][0]["dns01"]["route53"]["region"] == "cn-northwest-1"


def test_a_zone_of_route_53_above_the_hosts_is_theirs() -> None:
    assert values(external_dns_provider="route53")["extraArgs"]["aws-zone-match-parent"] is True


def test_updates_go_to_the_named_server_and_zone() -> None:
    flags = values(**RFC2136, external_dns_rfc2136_algorithm="hmac-sha512")["extraArgs"]
    assert {name: value for name, value in flags.items() if name.startswith("rfc2136-")} == {
        "rfc2136-host": "ns.example.org",
        "rfc2136-port": 53,
        "rfc2136-zone": ["example.org"],
        "rfc2136-tsig-keyname": "mastodon",
        "rfc2136-tsig-secret-alg": "hmac-sha512",
        "rfc2136-axfr": True,
    }


def test_any_other_provider_is_set_by_helm_values() -> None:
    given = {"provider": {"name": "hetzner"}, "extraArgs": {"log-level": "debug"}}
    found = values(external_dns_provider="other", external_dns_values=given)
    assert found["provider"] == {"name": "hetzner"}
    assert found["extraArgs"]["log-level"] == "debug"
    assert found["extraArgs"]["namespace"] == "mastodon"
    assert found["domainFilters"] == ["example.org"]


@pytest.mark.parametrize(
    ("sources", "crds"), [(["gateway-httproute"], "Skip"), (["gateway-httproute", "crd"], "Create")]
)
def test_the_kinds_of_another_external_dns_are_left_alone(sources: list[str], crds: str) -> None:
    release = Site(external_dns_sources=sources).objects("external_dns")["HelmRelease external-dns-mastodon"]
    assert {release["spec"][step]["crds"] for step in ("install", "upgrade")} == {crds}


def test_two_mastodons_have_an_external_dns_each() -> None:
    assert "HelmRelease external-dns-other" in Site(mastodon_name="other").objects("external_dns")


def test_nothing_is_applied_where_records_are_others_work() -> None:
    assert Site(external_dns_install=False).objects("external_dns") == {}


def test_what_it_gets_is_what_is_checked_before_it_gets_it() -> None:
    site = Site(external_dns_provider="cloudflare", external_dns_values={"txtPrefix": "txt-", "logFormat": "json"})
    given = site.objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]["values"]
    checked = site.tasks("external_dns", "instance.yml")["Check what external-dns depends on"][
        "fediverse.mastodon.doctor"
    ]
    assert checked["external_dns"]["values"] == given
    assert given["txtPrefix"] == "txt-"
    records = site.tasks("external_dns", "records.yml")["Check the DNS records of the routes"]
    named = records["fediverse.mastodon.dns_check"]
    assert (named["owner"], named["txt_prefix"]) == ("production.example.org", "txt-")


@pytest.mark.parametrize(
    ("chosen", "prefix", "suffix"),
    [
        ({}, "edns-%{record_type}.", ""),
        ({"txtPrefix": ""}, "", ""),
        ({"txtPrefix": None}, "", ""),
        ({"txtPrefix": "txt-"}, "txt-", ""),
        ({"txtSuffix": "-txt"}, "", "-txt"),
        ({"txtSuffix": ""}, "edns-%{record_type}.", ""),
    ],
)
def test_where_it_says_whose_a_record_is_follows_from_its_values_everywhere(
    chosen: dict[str, Any], prefix: str, suffix: str
) -> None:
    site = Site(external_dns_values=chosen)
    given = site.objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]["values"]
    assert (given.get("txtPrefix") or "", given.get("txtSuffix") or "") == (prefix, suffix)
    named = site.tasks("external_dns", "records.yml")["Check the DNS records of the routes"][
        "fediverse.mastodon.dns_check"
    ]
    assert (named["txt_prefix"], named["txt_suffix"]) == (prefix, suffix)
    [look] = site.tasks("mastodon", "federation.yml").values()
    declared = look["fediverse.mastodon.federation_check"]
    assert (declared["external_dns_txt_prefix"], declared["external_dns_txt_suffix"]) == (prefix, suffix)


@pytest.mark.parametrize(
    ("checked", "asks"),
    [
        ({}, True),
        ({"doctor_settings": {"subject": "social/mastodon"}}, True),
        ({"doctor_settings": {"subject": ""}}, True),
        ({"doctor_settings": {"subject": "mastodon/mastodon"}}, False),
    ],
)
def test_settings_are_compared_unless_the_doctor_has_compared_them(checked: dict[str, Any], asks: bool) -> None:
    task = Site(**checked).tasks("external_dns", "instance.yml")["Check what external-dns depends on"]
    assert task["fediverse.mastodon.doctor"]["edge"] is asks
    subject = Site().tasks("doctor", "checks.yml")["Check the settings"]["fediverse.mastodon.doctor"]["subject"]
    assert subject == "mastodon/mastodon"
