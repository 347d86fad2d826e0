# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are needed only because of another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings, missing

RULES = Rules()

_OF_RFC2136 = "cert_manager_acme_solver and external_dns_provider to something else than rfc2136"
_THIS_MACHINE = re.compile(r"https?://(localhost|127([.][0-9]+){3}|[^a-z0-9]::1[^a-z0-9])(:|/|$)")
# By a name without a dot, or one of Kubernetes' own.
_INSIDE = re.compile(r"https?://([^./:]+|[^/:]+[.](svc|cluster[.]local))(:[0-9]+)?/?")


@RULES.needed(
    "cert_manager_acme_email",
    because="Let's Encrypt asks for an address",
    unless="cert_manager_issuer to private_ca or existing",
)
def acme_account(settings: Settings) -> bool:
    return bool(settings["cert_manager_issuer"] == "acme" and settings["gateway_install"])


@RULES.needed(
    "external_dns_provider",
    because="external-dns writes the DNS records there",
    unless="external_dns_install to false, to write them by yourself",
)
def dns_provider(settings: Settings) -> bool:
    return bool(settings["external_dns_install"])


@RULES.needed(
    "external_dns_zones",
    because="the provider must be given the zones that hold Mastodon's hosts",
    unless="external_dns_provider to route53",
)
def dns_zones(settings: Settings) -> bool:
    return settings["external_dns_install"] and settings["external_dns_provider"] not in ("", "route53")


@RULES.needed("external_dns_rfc2136_nameserver", because="updates are sent to a name server", unless=_OF_RFC2136)
def update_server(settings: Settings) -> bool:
    return _updates(settings)


@RULES.needed("external_dns_rfc2136_key_name", because="updates are signed with a TSIG key", unless=_OF_RFC2136)
def update_key(settings: Settings) -> bool:
    return _updates(settings)


def _updates(settings: Settings) -> bool:
    if settings["external_dns_install"] and settings["external_dns_provider"] == "rfc2136":
        return True
    own = settings["cert_manager_rfc2136_nameserver"] and settings["cert_manager_rfc2136_key_name"]
    return acme_account(settings) and settings["cert_manager_acme_solver"] == "rfc2136" and not own


@RULES.needed(
    "gateway_class",
    because="the Gateway is created here and needs a controller",
    unless="gateway_install to false, to use your own Gateway",
)
def gateway_controller(settings: Settings) -> bool:
    return bool(settings["gateway_install"])


@RULES.needed(
    "mastodon_web_domain",
    because="gateway_local_domain is false, so Mastodon is at a host of its own",
    unless="gateway_local_domain to true, to have Mastodon at its domain",
)
def host_of_its_own(settings: Settings) -> bool:
    return not settings["gateway_local_domain"]


@RULES.needed(
    "mastodon_admin_email",
    because="the owner signs in with it",
    unless="mastodon_admin_username to an empty text",
)
def owner_address(settings: Settings) -> bool:
    return bool(settings["mastodon_admin_username"])


@RULES.needed(
    "gateway_media_hostname",
    because="browsers cannot reach the S3 server, which is inside the cluster",
    unless="rook_backend to external and rook_external_endpoint to an address that they reach",
)
def media_host(settings: Settings) -> bool:
    inside = settings["rook_backend"] == "rook" or _INSIDE.fullmatch(settings["rook_external_endpoint"])
    return bool(inside) and not (settings["gateway_https_listener"] and settings["mastodon_s3_alias_host"])


@RULES.needed(
    "mastodon_federation_watch",
    because="its pod says what mastodon_federation_echo is for",
    unless="mastodon_federation_echo to false",
)
def pod_that_echoes(settings: Settings) -> bool:
    return bool(settings["mastodon_federation_echo"])


@RULES.needed("rook_external_endpoint", because="rook_backend is external", unless="rook_backend to rook")
def external_endpoint(settings: Settings) -> bool:
    return bool(settings["rook_backend"] == "external")


@RULES.needed("rook_external_bucket", because="rook_backend is external", unless="rook_backend to rook")
def external_bucket(settings: Settings) -> bool:
    return external_endpoint(settings)


@RULES.needed(
    "rook_copy_bucket", because="rook_copy_endpoint names an S3 server", unless="rook_copy_endpoint to an empty text"
)
def copy_bucket(settings: Settings) -> bool:
    return bool(settings["rook_copy_endpoint"])


@RULES.rule
def copy_elsewhere(settings: Settings) -> Iterator[str]:
    """What is deleted in a bucket is not kept in that bucket."""
    endpoint, bucket = settings["rook_copy_endpoint"], settings["rook_copy_bucket"]
    if endpoint and (endpoint.rstrip("/"), bucket) == (settings["rook_endpoint"].rstrip("/"), settings["rook_bucket"]):
        yield (
            f"Variable rook_copy_bucket: {bucket!r} at {endpoint} holds the media themselves. Name a bucket that is to hold nothing but "
            "their copy, best on a server elsewhere."
        )


@RULES.needed("cnpg_external_host", because="cnpg_backend is external", unless="cnpg_backend to cnpg")
def external_database(settings: Settings) -> bool:
    return bool(settings["cnpg_backend"] == "external")


@RULES.needed(
    "dragonfly_external_host", because="dragonfly_backend is external", unless="dragonfly_backend to dragonfly"
)
def external_cache(settings: Settings) -> bool:
    return bool(settings["dragonfly_backend"] == "external")


@RULES.rule
def backup_to_restore(settings: Settings) -> Iterator[str]:
    """What is restored goes on to be backed up where it came from."""
    asked = [name for name in ("cnpg_restore_from", "cnpg_restore_at") if settings[name]]
    if asked and not (settings["cnpg_backup"] and settings["cnpg_backend"] == "cnpg"):
        yield (
            f"Variable {asked[0]}: {str(settings[asked[0]])!r}, but nothing is restored without cnpg_backup: true, which says where the "
            "backup is, and cnpg_backend: cnpg. Set these, or remove it."
        )
    elif asked == ["cnpg_restore_at"]:
        yield "Variable cnpg_restore_from: missing, because cnpg_restore_at asks for a time. Set it, or remove cnpg_restore_at."


@RULES.rule
def beginning_anew(settings: Settings) -> Iterator[str]:
    """It is typed so that no other Mastodon begins anew by mistake."""
    anew = settings["cnpg_begin_anew"]
    if anew and settings["cnpg_restore_from"]:
        yield "Variable cnpg_begin_anew: cnpg_restore_from is set, too, and a database begins in one way. Remove one of them."
    if anew and anew != (domain := settings["mastodon_local_domain"]):
        yield f"Variable cnpg_begin_anew: {anew!r}, but the domain of this Mastodon is {domain}. Set it to that, or remove it."


@RULES.needed("cnpg_backup_endpoint", because="cnpg_backup is true", unless="cnpg_backup to false")
def backup_endpoint(settings: Settings) -> bool:
    return bool(settings["cnpg_backup"])


@RULES.needed("cnpg_backup_bucket", because="cnpg_backup is true", unless="cnpg_backup to false")
def backup_bucket(settings: Settings) -> bool:
    return backup_endpoint(settings)


@RULES.rule
def metrics_of_alerts(settings: Settings) -> Iterator[str]:
    """On what is not collected no alert ever fires."""
    if settings["mastodon_alerts"] and not settings["mastodon_monitoring"]:
        yield (
            "Variable mastodon_monitoring: false, but alerts look at these metrics. "
            "Remove it, as it follows mastodon_alerts, or set mastodon_alerts to false."
        )


_VOLUMES = "volsync_volumes names volumes to back up"


@RULES.needed("volsync_endpoint", because=_VOLUMES, unless="volsync_volumes to an empty list")
def volumes_endpoint(settings: Settings) -> bool:
    return bool(settings["volsync_volumes"])


@RULES.needed("volsync_bucket", because=_VOLUMES, unless="volsync_volumes to an empty list")
def volumes_bucket(settings: Settings) -> bool:
    return volumes_endpoint(settings)


@RULES.needed(
    "vault_address",
    because="secrets are made and kept in Vault or OpenBao",
    unless="VAULT_ADDR or BAO_ADDR in the environment",
)
def vault(_settings: Settings) -> bool:
    return True


@RULES.rule
def vault_for_pods(settings: Settings) -> Iterator[str]:
    """An address of this machine, as that of a port-forward is, leads pods to themselves."""
    address = settings["external_secrets_vault_address"] if settings["vault_address"] else ""
    if _THIS_MACHINE.match(address.lower()):
        because = f"pods that are given this machine's own address, {address}, ask themselves"
        yield missing("external_secrets_vault_address", because, "vault_address to one that pods reach too")


@RULES.needed(
    "vault_audience",
    because="without an audience whoever creates a SecretStore in a namespace of their own logs in to Vault as this Mastodon",
    unless="it to vault",
)
def audience(_settings: Settings) -> bool:
    # A store of anybody's sends the token that External Secrets itself has for the API server, where it names no account.
    return True
