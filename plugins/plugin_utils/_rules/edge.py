# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the edge (hosts, certificates, DNS records) that contradict each other, found before anything is written.

The dangerous ones are external-dns': a wrong filter, policy or owner makes it rewrite or delete the records of others.
This plugin util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Settings = Mapping[str, Any]

# Helm values and flags of external-dns that decide whose records it writes: they have options that are checked here.
_GUARDED = {
    "domainFilters": "external_dns_domain_filters",
    "policy": "external_dns_policy",
    "txtOwnerId": "external_dns_owner_id",
}
_GUARDED_FLAGS = {
    "domain-filter": "external_dns_domain_filters",
    "regex-domain-filter": "external_dns_domain_filters",
    "policy": "external_dns_policy",
    "registry": "registry beside extraArgs",
    "txt-owner-id": "external_dns_owner_id",
}

# What the rules below read.
SETTINGS = (
    "cert_manager_acme_solver",
    "cert_manager_issuer",
    "cert_manager_vault_path",
    "external_dns_domain_filters",
    "external_dns_install",
    "external_dns_owner_id",
    "external_dns_policy",
    "external_dns_provider",
    "external_dns_values",
    "external_dns_vault_path",
    "external_dns_zones",
    "gateway_certificate_hostnames",
    "gateway_hostnames",
    "gateway_install",
    "gateway_local_domain",
    "mastodon_local_domain",
    "mastodon_web_domain",
)
ROLES = ("common", "cert_manager", "external_dns", "gateway")


def contradictions(settings: Settings, neighbours: Mapping[str, Settings]) -> list[str]:
    """Return one sentence for each contradiction.

    `settings` are the values of SETTINGS, defaults included. `neighbours` are the settings that the inventory's other
    clusters have of their own, by host.
    """
    found = [problem for rule in _RULES for problem in rule(settings)]
    return [*found, *_shared_owner(settings, neighbours)]


def _covered(host: str, names: Iterable[str]) -> bool:
    """Whether a certificate for `names` is valid for `host`. A wildcard stands for one label."""
    return any(name in (host, f"*.{host.partition('.')[2]}") for name in names)


def _below(host: str, domains: Iterable[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _hosts(settings: Settings) -> Iterator[str]:
    for host in settings["gateway_hostnames"]:
        if host.startswith("*."):
            yield (
                f"Variable gateway_hostnames: {host} is a wildcard, but each host has a listener of its own. "
                "Name the hosts here, and the wildcard in gateway_certificate_hostnames."
            )
        elif not _covered(host, settings["gateway_certificate_hostnames"]):
            yield (
                f"Variable gateway_certificate_hostnames: nothing in it covers {host}, so browsers would refuse that host. "
                "Add it, or a wildcard."
            )


def _served(settings: Settings) -> Iterator[str]:
    domain, hosts = settings["mastodon_local_domain"], settings["gateway_hostnames"]
    pages = settings["mastodon_web_domain"] or domain
    if pages not in hosts:
        yield f"Variable gateway_hostnames: without {pages} nobody reaches Mastodon's pages. Add it."
    elif domain not in hosts and settings["gateway_local_domain"]:
        yield (
            f"Variable gateway_hostnames: without {domain} other servers do not find its people. Add it, or set "
            "gateway_local_domain to false where another web site serves it and sends them on."
        )
    elif domain in hosts and not settings["gateway_local_domain"]:
        yield (
            f"Variable gateway_hostnames: it has {domain}, which gateway_local_domain leaves to another web site. "
            "Remove it, or set gateway_local_domain to true."
        )


def _challenge(settings: Settings) -> Iterator[str]:
    if settings["cert_manager_issuer"] != "acme" or not settings["gateway_install"]:
        return
    wildcards = [name for name in settings["gateway_certificate_hostnames"] if name.startswith("*.")]
    if wildcards and settings["cert_manager_acme_solver"] == "http01":
        yield (
            f"Variable gateway_certificate_hostnames: {wildcards[0]} can be proved over DNS only. "
            "Set cert_manager_acme_solver to rfc2136, cloudflare or route53, or leave the wildcard out."
        )


def _credential(settings: Settings) -> Iterator[str]:
    asks = settings["cert_manager_issuer"] == "acme" and settings["gateway_install"]
    solver = settings["cert_manager_acme_solver"] if asks else "http01"
    provider = settings["external_dns_provider"] if settings["external_dns_install"] else ""
    for role, used in (("cert_manager", solver), ("external_dns", provider)):
        if used in ("rfc2136", "cloudflare") and not settings[f"{role}_vault_path"]:
            yield (
                f"Variable {role}_vault_path: empty, but {used} takes no writes without a credential. "
                "Set it to the path in Vault that holds one, or leave the variable out."
            )


def _filters(settings: Settings) -> Iterator[str]:
    if not settings["external_dns_install"] or not settings["external_dns_provider"]:
        return
    filters = settings["external_dns_domain_filters"]
    if not filters:
        yield (
            "Variable external_dns_domain_filters: empty, so external-dns would manage all records of all zones that its "
            "credential reaches. Name Mastodon's domains, such as example.org."
        )
        return
    for wide in (name for name in filters if "." not in name.strip(".")):
        yield (
            f"Variable external_dns_domain_filters: {wide!r} takes in domains that are not yours. "
            "Name Mastodon's domains, such as example.org."
        )
    for name in ("external_dns_domain_filters", "external_dns_zones"):
        for host in settings["gateway_hostnames"]:
            if settings[name] and not _below(host, settings[name]):
                yield f"Variable {name}: nothing in it takes in {host}, so its record would never be written. Add it."


def _deletions(settings: Settings) -> Iterator[str]:
    if not settings["external_dns_install"] or settings["external_dns_policy"] != "sync":
        return
    if not settings["external_dns_owner_id"]:
        yield (
            "Variable external_dns_owner_id: missing: with external_dns_policy sync, external-dns deletes all records of its "
            "owner that no route asks for. Name the owner, or set external_dns_policy to upsert-only."
        )
    if settings["external_dns_values"].get("registry", "txt") == "noop":
        yield (
            "Variable external_dns_values: with registry noop external-dns takes all records for its own, and with "
            "external_dns_policy sync it deletes them. Remove registry, or set external_dns_policy to upsert-only."
        )


def _bypasses(settings: Settings) -> Iterator[str]:
    values = settings["external_dns_values"]
    flags = values.get("extraArgs") or {}
    named = [flag.lstrip("-").partition("=")[0] for flag in flags]
    given = [(key, option) for key, option in _GUARDED.items() if key in values]
    given += [(f"extraArgs {flag}", option) for flag, option in _GUARDED_FLAGS.items() if flag in named]
    for what, option in given:
        yield f"Variable external_dns_values: {what} decides whose records are written. Set {option} instead."


def _shared_owner(settings: Settings, neighbours: Mapping[str, Settings]) -> Iterator[str]:
    owner = settings["external_dns_owner_id"]
    for host, others in neighbours.items():
        if owner and owner == others.get("external_dns_owner_id"):
            yield (
                f"Variable external_dns_owner_id: {owner} is the owner of {host} too, and each cluster would take the other's "
                "records for its own. Give each its own, or leave the variable out."
            )


_RULES: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _hosts,
    _served,
    _challenge,
    _credential,
    _filters,
    _deletions,
    _bypasses,
)
