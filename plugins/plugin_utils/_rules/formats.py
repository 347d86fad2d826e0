# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the text of a setting must be like: domains, hosts, URLs, names, schedules."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.schedules import is_schedule

# What Mastodon 4.5 and later ask for: https://github.com/mastodon/mastodon/blob/main/lib/tasks/db.rake
OLDEST_POSTGRESQL = 14
# https://github.com/mastodon/mastodon/blob/main/config/settings.yml
_RESERVED = frozenset(["admin", "administrator", "help", "mod", "moderator", "root", "support", "webmaster"])
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_public_name(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None and "." in text and not _is_network(text)


def _is_host(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None or (_is_network(text) and "/" not in text)


def _is_address(text: str) -> bool:
    return "/" not in text and _is_network(text)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_block(text: str) -> bool:
    """Whether a NetworkPolicy takes it: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/"""
    if not re.fullmatch(r"[0-9a-f.:]+/(0|[1-9]\d{0,2})", text, re.IGNORECASE):
        return False
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_new_enough_postgresql(image: str) -> bool:
    tag = re.search(r":(\d+)[^/]*$", image.partition("@")[0])
    return tag is None or int(tag[1]) >= OLDEST_POSTGRESQL


def _is_url(*schemes: str, path: str = ".*") -> Callable[[str], bool]:
    def is_url(text: str) -> bool:
        try:
            parts = urlsplit(text)
            named = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False
        return named and not parts.username and re.fullmatch(path, parts.path) is not None

    return is_url


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _fits_cronjobs(name: str) -> bool:
    # As the chart names what belongs to a release; the longest CronJob is called `…-preview-cards-remove`.
    fullname = name if "mastodon" in name else f"{name}-mastodon"
    return len(fullname) <= 31


@dataclass(frozen=True)
class Format:
    """What a text must be like, said as what it is otherwise, and one that is right."""

    accepts: Callable[[str], bool]
    otherwise: str
    example: str


def _at_most(length: int, because: str, example: str) -> Format:
    return Format(lambda text: len(text) <= length, f"longer than {length} characters, {because}", example)


_PUBLIC_NAME = Format(_is_public_name, "not a domain name, in small letters and without https://", "example.org")
_WILDCARD = Format(lambda text: _is_public_name(text.removeprefix("*.")), _PUBLIC_NAME.otherwise, "example.org")
_HOST = Format(_is_host, "not a host name or address, without scheme and port", "host.example.org")
_ADDRESS = Format(_is_address, "not an address, without port", "192.0.2.53")
_NETWORK = Format(_is_network, "not a range of addresses", "10.0.0.0/8")
_LABEL_NAME = Format(_matches(_LABEL), "not a name that Kubernetes takes (small letters, digits, dashes)", "mastodon")
_PEER = Format(
    lambda text: _is_block(text) or re.fullmatch(_LABEL, text) is not None,
    "neither a namespace nor a range of addresses, by its first one and the length of its prefix",
    "192.0.2.0/24",
)
_OBJECT_NAME = Format(_matches(_DNS_NAME.pattern), _LABEL_NAME.otherwise, "mastodon")
# Services are called after it: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names
_SERVICE = Format(
    _matches(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"),
    "not a name that Services may have (small letters, digits and dashes, a letter first)",
    "mastodon",
)
_QUANTITY = Format(_matches(r"[0-9]+(\.[0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?"), "not a Kubernetes quantity", "10Gi")
_HTTP = Format(_is_url("http", "https"), "not a URL", "https://example.org")
_CHARTS = Format(_is_url("http", "https", "oci"), "not a URL of a chart repository", "https://charts.example.org")
# The bucket is a setting of its own: https://github.com/mastodon/mastodon/discussions/27015
_S3 = Format(
    _is_url("http", "https", path="/?"),
    "not the URL of an S3 server, without bucket and path",
    "https://s3.example.org",
)
_VAULT = Format(
    _is_url("http", "https", path="(?!/ui|/v1).*"),
    "not Vault's own address, without the path of its pages or API",
    "https://vault.example.org:8200",
)
_EMAIL = Format(_matches(r"[^@\s]+@[^@\s]+\.[^@\s.]+"), "not a mail address", "admin@example.org")
# https://github.com/mastodon/mastodon/blob/main/app/models/account.rb
_ACCOUNT = Format(_matches(r"[a-zA-Z0-9_]{1,30}"), "not an account name (letters, digits, underscores)", "alice")
_FREE = Format(lambda text: text.lower() not in _RESERVED, "a name that Mastodon keeps for itself", "alice")
_VERSION = Format(_matches(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?"), "not a version of a chart", "1.2.3")
_RELEASE = Format(_matches(r"v?\d+\.\d+\.\d+([-_.][-\w.]*)?"), "not a release, as images are tagged", "v4.7.4")
_TAG = Format(
    lambda text: "@" not in text,
    "not a tag alone: web and streaming are two images of two digests, and of a digest the chart makes a label that Kubernetes refuses",
    "v4.7.4",
)
_LABEL_VALUE = Format(_matches(r"(?=.{1,63}$).*[A-Za-z0-9]"), "not what a label may be", "v4.7.4")
_SCHEDULE = Format(is_schedule(5), "not a cron schedule of five fields", "17 3 * * *")
# https://cloudnative-pg.io/documentation/current/backup/#scheduled-backups
_BACKUP_SCHEDULE = Format(
    is_schedule(6), "not a schedule of six fields: CloudNativePG wants the seconds first", "0 17 3 * * *"
)
_MOMENT = Format(_is_moment, "not a time with its time zone", "2026-11-29T03:00:00Z")
_FOLDER = Format(_matches(r"[A-Za-z0-9][-\w.]*"), "not the name of a folder", "mastodon-db")
_DURATION = Format(_matches(r"(\d+(h|m|s|ms))+"), "not a duration", "30m")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = Format(_matches(r"[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]"), "not a bucket name", "mastodon")
# The number behind the name decides; an image that is named by a digest alone is left to the check of the running server.
_POSTGRESQL = Format(
    _is_new_enough_postgresql, "not PostgreSQL 14 or newer", "ghcr.io/cloudnative-pg/postgresql:17.11-standard-bookworm"
)
_PORT = Format(lambda text: text.isdecimal() and 1 <= int(text) <= 65535, "not a port", "587")
_COUNT = Format(lambda text: text.isdecimal() and int(text) >= 1, "less than one", "1")
_ACCEPTED = Format(
    _matches(r"[0-9]+\.[0-9]+:(no_way_back|duplicates|unrehearsed)|postgresql:([0-9]+|[a-z]+)"),
    "nothing that an upgrade asks for",
    "4.7:no_way_back",
)
_PERCENT = Format(lambda text: text.isdecimal() and 1 <= int(text) <= 99, "not between 1 and 99", "80")
# Of X25519, and of SSH's keys: https://c2sp.org/age
_RECIPIENT = Format(
    _matches(r"\s*(age1[a-z0-9]+|ssh-(ed25519|rsa) [A-Za-z0-9+/=]+( .*)?)\s*"),
    "no public key that age knows",
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
)
# https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ProberSpec
_PLACE = Format(
    lambda text: _is_url("http")(f"http://{text}") and re.fullmatch(r"[^/]+:[0-9]+", text) is not None,
    "not a host with a port, without a scheme and a path",
    "blackbox.monitoring.svc:9115",
)
_WHOLE = Format(lambda text: text.isdecimal(), "not a whole number from zero on", "2")
_MINUTES = Format(
    lambda text: text.isdecimal() and 5 <= int(text) <= 1440, "not a number of minutes from 5 to 1440", "15"
)
_SECONDS = Format(lambda text: text.isdecimal() and int(text) >= 1, "not a number of seconds", "600")
# https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
_SHORT = Format(_fits_cronjobs, "too long: the CronJobs called after it may have 52 characters", "mastodon")

# The first that does not accept an entry says why. A setting that is not here takes any text.
FORMATS: dict[str, tuple[Format, ...]] = {}


def _are(names: str, *formats: Format) -> None:
    FORMATS.update(dict.fromkeys(names.split(), formats))


_are("mastodon_local_domain mastodon_web_domain mastodon_s3_alias_host gateway_media_hostname", _PUBLIC_NAME)
_are("external_dns_zones", _PUBLIC_NAME)
_are("gateway_hostnames gateway_certificate_hostnames", _WILDCARD)
_are("cnpg_external_host cnpg_host cnpg_direct_host dragonfly_external_host dragonfly_host mastodon_smtp_server", _HOST)
_are("mastodon_postgresql_host mastodon_postgresql_direct_host mastodon_redis_host", _HOST)
_are("cert_manager_rfc2136_nameserver external_dns_rfc2136_nameserver", _HOST)
_are("external_dns_verify_nameserver federation_nameserver", _ADDRESS)
_are("mastodon_trusted_proxies", _NETWORK)
_are("cert_manager_acme_server vault_kubernetes_host flux_operator_manifest", _HTTP)
_are(
    "cnpg_backup_endpoint mastodon_s3_endpoint rook_endpoint rook_copy_endpoint rook_external_endpoint volsync_endpoint",
    _HTTP,
    _S3,
)
_are("vault_address external_secrets_vault_address", _HTTP, _VAULT)
_are("mastodon_chart_repository", _CHARTS)
_are("cert_manager_chart_repository external_dns_chart_repository external_secrets_chart_repository", _CHARTS)
_are("cnpg_chart_repository dragonfly_chart_repository rook_chart_repository volsync_chart_repository", _CHARTS)
_are("cert_manager_chart_version external_dns_chart_version external_secrets_chart_version", _VERSION)
_are("cnpg_chart_version cnpg_backup_chart_version dragonfly_chart_version rook_chart_version", _VERSION)
_are("volsync_chart_version mastodon_chart_version", _VERSION)
# The chart labels objects with it: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_are("mastodon_image_tag", _TAG, _RELEASE, _LABEL_VALUE)
_are("cnpg_cluster_image", _POSTGRESQL)
_are("cert_manager_acme_email mastodon_admin_email mastodon_smtp_from_address", _EMAIL)
_are("mastodon_admin_username", _ACCOUNT, _FREE)
_are("cnpg_backup_bucket mastodon_s3_bucket rook_bucket rook_copy_bucket rook_external_bucket volsync_bucket", _BUCKET)
_are("cnpg_cluster_storage_size cnpg_cluster_wal_storage_size cnpg_cluster_memory", _QUANTITY)
_are("dragonfly_memory dragonfly_storage_size rook_bucket_size rook_copy_memory", _QUANTITY)
_are("cert_manager_namespace cnpg_cluster_namespace cnpg_namespace dragonfly_instance_namespace", _LABEL_NAME)
_are("dragonfly_namespace external_dns_namespace external_secrets_namespace flux_namespace", _LABEL_NAME)
_are("gateway_namespace mastodon_gateway_namespace mastodon_namespace rook_claim_namespace", _LABEL_NAME)
_are("rook_namespace volsync_namespace volsync_volumes_namespace gateway_route_namespaces", _LABEL_NAME)
_are("external_secrets_allowed_namespaces", _LABEL_NAME)
_are("cnpg_cluster_allowed_clients", _PEER)
_are("mastodon_name", _SERVICE, _SHORT)
# https://github.com/cloudnative-pg/cloudnative-pg/blob/main/internal/webhook/v1/cluster_webhook.go
_are("cnpg_cluster_name", _SERVICE, _at_most(50, "which CloudNativePG refuses", "mastodon-db"))
# A StatefulSet's pods have a label of its name and eleven characters more.
_are("dragonfly_name", _SERVICE, _at_most(52, "and its pods' labels may have 63", "mastodon-redis"))
_are("cnpg_pooler_name", _SERVICE)
# https://helm.sh/docs/chart_template_guide/getting_started/#adding-a-simple-template-call
_are("external_dns_name", _SERVICE, _at_most(53, "which Helm refuses", "external-dns"))
_are("cert_manager_issuer_name gateway_certificate_name gateway_name mastodon_gateway_name", _OBJECT_NAME)
_are("rook_cluster_name rook_claim_name rook_bucket_class external_secrets_store", _OBJECT_NAME)
# https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/object/rgw.go
_are("rook_store_name", _SERVICE, _at_most(49, "and a Service is called rook-ceph-rgw- and so", "media"))
_are("cnpg_external_port cnpg_port cnpg_direct_port dragonfly_external_port dragonfly_port", _PORT)
_are("mastodon_smtp_port mastodon_postgresql_port mastodon_postgresql_direct_port mastodon_redis_port", _PORT)
_are("cert_manager_rfc2136_port external_dns_rfc2136_port gateway_http_port gateway_https_port", _PORT)
_are("mastodon_release_timeout", _DURATION)
_are("cert_manager_wait_timeout cnpg_wait_timeout dragonfly_wait_timeout external_dns_wait_timeout", _SECONDS)
_are("external_secrets_wait_timeout flux_wait_timeout gateway_wait_timeout mastodon_wait_timeout", _SECONDS)
_are("rook_wait_timeout volsync_wait_timeout", _SECONDS)
_are("mastodon_web_replicas mastodon_web_max_replicas mastodon_web_threads mastodon_streaming_replicas", _COUNT)
_are("mastodon_streaming_connections cnpg_cluster_instances cnpg_pooler_instances", _COUNT)
_are("dragonfly_replicas dragonfly_threads", _COUNT)
_are("mastodon_web_processes mastodon_media_retention_days mastodon_preview_cards_retention_days", _WHOLE)
_are("mastodon_upgrade_accept", _ACCEPTED)
_are("vault_backup_recipients", _RECIPIENT)
_are("volsync_prune_days mastodon_alerts_backup_hours mastodon_alerts_certificate_days", _COUNT)
_are("mastodon_alerts_rehearsal_days mastodon_alerts_copy_hours rook_copy_days", _COUNT)
_are("mastodon_alerts_queue_seconds", _SECONDS)
_are("mastodon_federation_watch_minutes", _MINUTES)
_are("mastodon_alerts_memory_percent mastodon_alerts_volume_percent", _PERCENT)
_are("mastodon_alerts_prober", _PLACE)
_are("mastodon_media_removal_schedule mastodon_preview_cards_removal_schedule", _SCHEDULE)
_are("dragonfly_snapshot_schedule rook_copy_schedule volsync_schedule", _SCHEDULE)
_are("cnpg_backup_schedule", _BACKUP_SCHEDULE)
_are("cnpg_backup_server_name cnpg_restore_from", _FOLDER)
_are("cnpg_restore_at", _MOMENT)
_are("cnpg_begin_anew", _PUBLIC_NAME)


def malformed(name: str, value: object) -> str:
    """Return what is wrong with the text, number or list of texts of the setting `name`; an empty text when nothing is.

    An empty text turns off what it names, or stands for what follows from other settings.
    """
    for item in value if isinstance(value, list) else [value]:
        text = str(item)
        for wanted in FORMATS.get(name, ()) if text else ():
            if not wanted.accepts(text):
                return f"{_shown(item)} is {wanted.otherwise}. Write it like {_meant(text, wanted)}."
    return ""


def _shown(item: object) -> str:
    # A URL may hold a login, and where a public key belongs there may be the private one.
    return "its value" if re.search(r"://[^/]*@|SECRET-KEY|PRIVATE KEY", str(item), re.IGNORECASE) else repr(item)


def _meant(text: str, wanted: Format) -> str:
    """Return a domain of other letters as DNS writes it, where that is beyond doubt; else the example."""
    if wanted in (_PUBLIC_NAME, _WILDCARD, _HOST) and not text.isascii():
        with suppress(UnicodeError):
            written = text.encode("idna")
            # The codec follows the older standard, which writes some letters as others.
            if written.decode("idna") == text and wanted.accepts(written.decode()):
                return written.decode()
    return wanted.example
