# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the edge that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import edge
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings

SOUND: dict[str, Any] = {
    "cert_manager_acme_solver": "http01",
    "cert_manager_issuer": "acme",
    "cert_manager_vault_path": "mastodon/example.org/dns",
    "external_dns_domain_filters": ["example.org"],
    "external_dns_install": True,
    "external_dns_owner_id": "",
    "external_dns_policy": "upsert-only",
    "external_dns_provider": "cloudflare",
    "external_dns_values": {},
    "external_dns_vault_path": "mastodon/example.org/dns",
    "external_dns_zones": ["example.org"],
    "gateway_certificate_hostnames": ["example.org", "media.example.org"],
    "gateway_dns_target": "",
    "gateway_hostnames": ["example.org", "media.example.org"],
    "gateway_install": True,
    "gateway_local_domain": True,
    "mastodon_local_domain": "example.org",
    "mastodon_web_domain": "",
}
ELSEWHERE: dict[str, Any] = {
    "gateway_local_domain": False,
    "mastodon_web_domain": "social.example.org",
    "gateway_hostnames": ["social.example.org"],
    "gateway_certificate_hostnames": ["social.example.org"],
}


def found(**settings: Any) -> list[str]:
    return edge.RULES.problems(Settings({**SOUND, **settings}.__getitem__, {}))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gateway_certificate_hostnames": ["example.org", "*.example.org"], "cert_manager_acme_solver": "rfc2136"},
        {"gateway_certificate_hostnames": ["example.org", "*.example.org"], "cert_manager_issuer": "private_ca"},
        {"gateway_certificate_hostnames": ["*.org", "*.example.org"], "gateway_install": False},
        {"external_dns_policy": "sync", "external_dns_owner_id": "mine"},
        ELSEWHERE,
        {"external_dns_values": {"registry": "noop"}},
        {"external_dns_values": {"txtPrefix": "", "txtSuffix": "-mine"}},
        {"external_dns_values": {"extraArgs": {"log-level": "debug"}, "logFormat": "json"}},
        {"external_dns_values": {"extraArgs": {}, "env": [{"name": "CF_API_TOKEN", "value": "x"}]}},
        {"external_dns_provider": "route53", "external_dns_zones": [], "external_dns_vault_path": ""},
        {"external_dns_domain_filters": ["example.org", "media.example.org"]},
        # Nobody writes records, so nothing can be wrong with how.
        {"external_dns_install": False, "external_dns_domain_filters": [], "external_dns_policy": "sync"},
    ],
)
def test_what_goes_together_is_let_pass(settings: dict[str, Any]) -> None:
    assert found(**settings) == []


@pytest.mark.parametrize(
    ("settings", "reported"),
    [
        ({"gateway_local_domain": True}, "without example.org other servers do not find its people."),
        (
            {"gateway_hostnames": ["media.example.org"]},
            "without social.example.org nobody reaches Mastodon's pages",
        ),
        (
            {"gateway_hostnames": ["example.org", "social.example.org"]},
            "it has example.org, which gateway_local_domain leaves to another web site.",
        ),
    ],
)
def test_a_bare_domain_is_served_or_left_to_another_web_site(settings: dict[str, Any], reported: str) -> None:
    certificate = {
        "gateway_certificate_hostnames": ["example.org", "*.example.org"],
        "cert_manager_acme_solver": "rfc2136",
    }
    (problem,) = found(**{**ELSEWHERE, **certificate, **settings})
    assert problem.startswith("Variable gateway_hostnames: ")
    assert reported in problem


@pytest.mark.parametrize(
    ("settings", "variable", "reported"),
    [
        ({"gateway_hostnames": ["*.example.org"]}, "gateway_hostnames", "*.example.org is a wildcard"),
        (
            {"gateway_certificate_hostnames": ["example.org"]},
            "gateway_certificate_hostnames",
            "nothing in it covers media.example.org",
        ),
        (
            # A wildcard stands for one label, and not for none.
            {"gateway_certificate_hostnames": ["*.example.org"], "cert_manager_acme_solver": "cloudflare"},
            "gateway_certificate_hostnames",
            "nothing in it covers example.org",
        ),
        (
            {"gateway_certificate_hostnames": ["example.org", "*.example.org"]},
            "gateway_certificate_hostnames",
            "*.example.org can be proved over DNS only. Set cert_manager_acme_solver",
        ),
        (
            {"cert_manager_acme_solver": "rfc2136", "cert_manager_vault_path": ""},
            "cert_manager_vault_path",
            "rfc2136 takes no writes without a credential",
        ),
        ({"external_dns_vault_path": ""}, "external_dns_vault_path", "cloudflare takes no writes without a credential"),
        ({"external_dns_domain_filters": []}, "external_dns_domain_filters", "manage all records of all zones"),
        (
            {"external_dns_domain_filters": ["org"]},
            "external_dns_domain_filters",
            "'org' takes in domains that are not yours",
        ),
        (
            {"external_dns_domain_filters": ["", "example.org"]},
            "external_dns_domain_filters",
            "'' takes in domains that are not yours",
        ),
        (
            {"external_dns_domain_filters": ["media.example.org"]},
            "external_dns_domain_filters",
            "nothing in it takes in example.org",
        ),
        (
            {"external_dns_zones": ["example.net"]},
            "external_dns_zones",
            "nothing in it takes in example.org",
        ),
        (
            {"external_dns_zones": ["ample.org"], "gateway_hostnames": ["example.org"]},
            "external_dns_zones",
            "nothing in it takes in example.org",
        ),
        ({"external_dns_policy": "sync"}, "external_dns_owner_id", "missing: with external_dns_policy sync"),
        (
            {
                "external_dns_policy": "sync",
                "external_dns_owner_id": "mine",
                "external_dns_values": {"registry": "noop"},
            },
            "external_dns_values",
            "takes all records for its own",
        ),
        (
            {"external_dns_values": {"policy": "sync"}},
            "external_dns_values",
            "policy decides whose records are written. Set external_dns_policy instead",
        ),
        (
            {"external_dns_values": {"domainFilters": []}},
            "external_dns_values",
            "domainFilters decides whose records are written",
        ),
        (
            {"external_dns_values": {"txtOwnerId": "default"}},
            "external_dns_values",
            "txtOwnerId decides whose records are written",
        ),
        (
            {"external_dns_values": {"extraArgs": {"policy": "sync"}}},
            "external_dns_values",
            "extraArgs policy decides whose records are written",
        ),
        (
            {"external_dns_values": {"extraArgs": {"txt-owner-id": "default"}}},
            "external_dns_values",
            "extraArgs txt-owner-id decides whose records are written",
        ),
        (
            {"external_dns_values": {"extraArgs": {"txt-prefix": "mine-"}}},
            "external_dns_values",
            "extraArgs txt-prefix decides whose records are written. Set txtPrefix beside extraArgs instead",
        ),
        (
            {"external_dns_values": {"txtPrefix": "mine-", "txtSuffix": "-mine"}},
            "external_dns_values",
            "txtPrefix and txtSuffix exclude each other",
        ),
    ],
)
def test_a_contradiction_is_reported_with_what_to_do(settings: dict[str, Any], variable: str, reported: str) -> None:
    sentences = found(**settings)
    assert sentences, "nothing was found"
    assert sentences[0].startswith(f"Variable {variable}: ")
    assert reported in sentences[0]
    assert sentences[0].endswith(".")


WIDE = "Variable external_dns_values: {} decides whose records are written. {}"


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("namespace", "Set mastodon_namespace instead."),
        ("gateway-name", "Set gateway_name instead."),
        ("gateway-namespace", "Set gateway_namespace instead."),
        ("source", "Set external_dns_sources instead."),
        ("exclude-domains", "Set external_dns_domain_filters instead."),
        ("label-filter", "Remove it."),
        ("annotation-filter", "Remove it."),
        ("gateway-label-filter", "Remove it."),
        ("migrate-from-txt-owner", "Remove it."),
    ],
)
@pytest.mark.parametrize("value", ["", "a=b", None])
def test_which_routes_are_read_is_set_by_no_flag_nor_its_variable(what: str, remedy: str, value: str | None) -> None:
    assert found(external_dns_values={"extraArgs": {what: value}}) == [WIDE.format(f"extraArgs {what}", remedy)]
    name = f"EXTERNAL_DNS_{what.upper().replace('-', '_')}"
    assert found(external_dns_values={"env": [{"name": name, "value": value}]}) == [WIDE.format(f"env {name}", remedy)]


@pytest.mark.parametrize(
    "what",
    [
        "labelFilter",
        "annotationFilter",
        "namespaced",
        "sourceNamespace",
        "gatewayNamespace",
        "sources",
        "excludeDomains",
    ],
)
def test_which_routes_are_read_is_set_by_no_value(what: str) -> None:
    [said] = found(external_dns_values={what: "a=b"})
    assert said.startswith(WIDE.format(what, ""))


@pytest.mark.parametrize("flags", [["--log-level=debug"], "--log-level=debug", None])
def test_flags_that_would_replace_ours_are_refused(flags: Any) -> None:
    assert found(external_dns_values={"extraArgs": flags}) == [
        "Variable external_dns_values: extraArgs would replace the flags by which external-dns keeps to Mastodon's routes. Write it as a "
        "mapping, such as {log-level: debug}."
    ]


def test_all_contradictions_are_reported_at_once() -> None:
    assert len(found(external_dns_policy="sync", gateway_certificate_hostnames=["example.org"])) == 2


def test_clusters_that_share_an_owner_learn_of_each_other() -> None:
    settings = {**SOUND, "external_dns_owner_id": "mine"}
    neighbours = {"west": {"external_dns_owner_id": "mine"}, "east": {"external_dns_owner_id": "theirs"}, "north": {}}
    assert edge.RULES.problems(Settings(settings.__getitem__, {}, neighbours=neighbours)) == [
        "Variable external_dns_owner_id: mine is the owner of west too, and each cluster would take the other's records for "
        "its own. Give each its own, or leave the variable out."
    ]
    assert (
        edge.RULES.problems(Settings(SOUND.__getitem__, {}, neighbours={"west": {"external_dns_owner_id": ""}})) == []
    )


def test_a_target_that_external_dns_would_not_read_is_named() -> None:
    prefix = {"external_dns_values": {"annotationPrefix": "dns.example.org/"}}
    (problem,) = found(gateway_dns_target="203.0.113.7", **prefix)
    assert problem.startswith(
        "Variable external_dns_values: with annotationPrefix dns.example.org/ external-dns does not read"
    )
    assert found(**prefix) == []
    old = {"external_dns_values": {"annotationPrefix": "external-dns.alpha.kubernetes.io/"}}
    assert found(gateway_dns_target="203.0.113.7", **old) == []
