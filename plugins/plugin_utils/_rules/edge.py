# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the edge (hosts, certificates, DNS records) that contradict each other, found before anything is written.

The dangerous ones are external-dns': a wrong filter, policy or owner makes it rewrite or delete the records of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings

# Helm values and flags of external-dns that decide whose records it writes: they have options that are checked here, or there is none, as
# whatever selects none of Mastodon's routes would have all records deleted with policy sync.
# https://kubernetes-sigs.github.io/external-dns/latest/docs/flags/
_GUARDED = {
    "annotationFilter": "",
    "domainFilters": "external_dns_domain_filters",
    "excludeDomains": "external_dns_domain_filters",
    "gatewayNamespace": "gateway_namespace",
    "labelFilter": "",
    "namespaced": "mastodon_namespace",
    "policy": "external_dns_policy",
    "sourceNamespace": "mastodon_namespace",
    "sources": "external_dns_sources",
    "txtOwnerId": "external_dns_owner_id",
}
_GUARDED_FLAGS = {
    "annotation-filter": "",
    "domain-filter": "external_dns_domain_filters",
    "exclude-domains": "external_dns_domain_filters",
    "gateway-label-filter": "",
    "gateway-name": "gateway_name",
    "gateway-namespace": "gateway_namespace",
    "label-filter": "",
    "migrate-from-txt-owner": "",
    "namespace": "mastodon_namespace",
    "policy": "external_dns_policy",
    "regex-domain-exclusion": "external_dns_domain_filters",
    "regex-domain-filter": "external_dns_domain_filters",
    "registry": "registry beside extraArgs",
    "source": "external_dns_sources",
    "txt-owner-id": "external_dns_owner_id",
    "txt-prefix": "txtPrefix beside extraArgs",
    "txt-suffix": "txtSuffix beside extraArgs",
}

# external-dns reads each flag that it is not given from a variable:
# https://github.com/kubernetes-sigs/external-dns/blob/master/docs/faq.md
_GUARDED_VARIABLES = {
    f"EXTERNAL_DNS_{flag.upper().replace('-', '_')}": option for flag, option in _GUARDED_FLAGS.items()
}

# Of the annotations that role gateway writes.
_PREFIXES = (None, "external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")

RULES = Rules()


def _covered(host: str, names: Iterable[str]) -> bool:
    """Whether a certificate for `names` is valid for `host`. A wildcard stands for one label."""
    return any(name in (host, f"*.{host.partition('.')[2]}") for name in names)


def _below(host: str, domains: Iterable[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


@RULES.rule
def covered_hosts(settings: Settings) -> Iterator[str]:
    """Each host has a listener and a certificate."""
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


@RULES.rule
def served_domains(settings: Settings) -> Iterator[str]:
    """Mastodon's pages and its people's addresses are served."""
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


@RULES.rule
def wildcard_challenge(settings: Settings) -> Iterator[str]:
    """A wildcard is proved over DNS."""
    if settings["cert_manager_issuer"] != "acme" or not settings["gateway_install"]:
        return
    wildcards = [name for name in settings["gateway_certificate_hostnames"] if name.startswith("*.")]
    if wildcards and settings["cert_manager_acme_solver"] == "http01":
        yield (
            f"Variable gateway_certificate_hostnames: {wildcards[0]} can be proved over DNS only. "
            "Set cert_manager_acme_solver to rfc2136, cloudflare or route53, or leave the wildcard out."
        )


@RULES.rule
def dns_credential(settings: Settings) -> Iterator[str]:
    """Who writes records needs a credential."""
    asks = settings["cert_manager_issuer"] == "acme" and settings["gateway_install"]
    solver = settings["cert_manager_acme_solver"] if asks else "http01"
    provider = settings["external_dns_provider"] if settings["external_dns_install"] else ""
    for role, used in (("cert_manager", solver), ("external_dns", provider)):
        if used in ("rfc2136", "cloudflare") and not settings[f"{role}_vault_path"]:
            yield (
                f"Variable {role}_vault_path: empty, but {used} takes no writes without a credential. "
                "Set it to the path in Vault that holds one, or leave the variable out."
            )


@RULES.rule
def record_filters(settings: Settings) -> Iterator[str]:
    """external-dns writes Mastodon's records and nobody else's."""
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


@RULES.rule
def record_deletions(settings: Settings) -> Iterator[str]:
    """external-dns deletes what it made and nothing else."""
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


@RULES.rule
def past_the_checks(settings: Settings) -> Iterator[str]:
    """What has a setting that is checked is not given as a value, a flag or the variable of a flag."""
    values = settings["external_dns_values"]
    given = [(key, option) for key, option in _GUARDED.items() if key in values]
    flags = values.get("extraArgs", {})
    if isinstance(flags, Mapping):
        named = {flag.lstrip("-").partition("=")[0] for flag in flags}
        given += [(f"extraArgs {flag}", option) for flag, option in _GUARDED_FLAGS.items() if flag in named]
    else:
        yield (
            "Variable external_dns_values: extraArgs would replace the flags by which external-dns keeps to Mastodon's routes. Write it "
            "as a mapping, such as {log-level: debug}."
        )
    variables = {entry.get("name") for entry in values.get("env") or () if isinstance(entry, Mapping)}
    given += [(f"env {name}", option) for name, option in _GUARDED_VARIABLES.items() if name in variables]
    for what, option in given:
        remedy = f"Set {option} instead." if option else "Remove it."
        yield f"Variable external_dns_values: {what} decides whose records are written. {remedy}"


@RULES.rule
def one_affix(settings: Settings) -> Iterator[str]:
    """external-dns starts with a prefix or a suffix of its TXT records, and with both not at all."""
    values = settings["external_dns_values"]
    if values.get("txtPrefix") and values.get("txtSuffix"):
        yield "Variable external_dns_values: txtPrefix and txtSuffix exclude each other. Remove the one that your records do not have."


@RULES.rule
def read_target(settings: Settings) -> Iterator[str]:
    """external-dns reads where records must lead: unread, it writes the Gateway's own address, which may be private."""
    prefix = settings["external_dns_values"].get("annotationPrefix")
    if settings["external_dns_install"] and settings["gateway_dns_target"] and prefix not in _PREFIXES:
        yield (
            f"Variable external_dns_values: with annotationPrefix {prefix} external-dns does not read gateway_dns_target, "
            "and writes the Gateway's own address. Remove annotationPrefix."
        )


@RULES.rule
def shared_owner(settings: Settings) -> Iterator[str]:
    """Clusters of one owner would delete each other's records."""
    owner = settings["external_dns_owner_id"]
    for host, others in settings.neighbours.items():
        if owner and owner == others.get("external_dns_owner_id"):
            yield (
                f"Variable external_dns_owner_id: {owner} is the owner of {host} too, and each cluster would take the other's "
                "records for its own. Give each its own, or leave the variable out."
            )
