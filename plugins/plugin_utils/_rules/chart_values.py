# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm values that the official chart takes and that do not do what they say, and what settings decide, refused by name.

Each was seen with `helm template` of chart 1.0.2 (https://github.com/mastodon/helm-charts). Values that a setting of this
collection decides are refused too, here and in the spec of a CephCluster: the checks of the settings and of a launched instance
would look at something else than what the pods get. So are secrets, which stand in the release for everybody who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Trap:
    """A value by its path, when it is a trap, what happens then, and what to do instead."""

    path: str
    why: str
    remedy: str
    bites: Callable[[Any, Values], bool] = lambda value, _values: bool(value)


def _is_not(default: int) -> Callable[[Any, Values], bool]:
    return lambda value, _values: value not in (None, default, str(default))


def _without(path: str) -> Callable[[Any, Values], bool]:
    return lambda value, values: bool(value) and not at(values, path)


def _is_more_than_a_repository(value: Any, _values: Values) -> bool:
    return "@" in str(value) or ":" in str(value).rpartition("/")[2]


_TAGGED = "the chart adds the tag to it"
_DEAD = "no template of the chart reads it"
_OURS = "Remove it; this collection installs that itself"
_REMOVE = "Remove it."
_NAMES = "routes, budgets, policies and the checks of a launched instance look for the names that follow mastodon_name"

TRAPS = (
    Trap("volumeMounts", "the chart writes invalid Deployments with it", "Mount nothing into Mastodon's pods."),
    Trap(
        "elasticsearch.caSecret", "the chart does not mount it", "Use a certificate of a public authority for search."
    ),
    Trap(
        "mastodon.createAdmin.enabled",
        "its owner is never approved and nobody sees the password",
        f"{_OURS}: set mastodon_admin_username.",
    ),
    Trap(
        "mastodon.extraEnvVars.DB_SSLMODE",
        "streaming takes it for full verification and crashes with a private authority",
        "Set it below mastodon.web and mastodon.sidekiq, and mastodon.streaming.extraCerts.",
        lambda value, _values: str(value) in ("require", "verify-ca", "verify-full"),
    ),
    Trap(
        "postgresql.readReplica.hostname",
        "the chart gives it no login without a Secret of its own",
        "Set postgresql.readReplica.existingSecret, too.",
        _without("postgresql.readReplica.existingSecret"),
    ),
    *(
        Trap(
            f"redis.{part}.enabled",
            "the chart does not copy the password of the other Redis",
            f"Set redis.{part}.existingSecret, too.",
            _without(f"redis.{part}.existingSecret"),
        )
        for part in ("sidekiq", "cache")
    ),
    Trap("mastodon.web.pdb", _DEAD, f"{_OURS} from two replicas on."),
    Trap("mastodon.streaming.pdb", _DEAD, f"{_OURS} from two replicas on."),
    Trap("mastodon.forceLocale", _DEAD, "Set FORCE_DEFAULT_LOCALE in mastodon.extraEnvVars."),
    Trap("service.port", _DEAD, _REMOVE),
    Trap(
        "mastodon.otel.exporterUri",
        "the chart reads mastodon.otel.endpointUri",
        "Set that one, too.",
        _without("mastodon.otel.endpointUri"),
    ),
    Trap(
        "mastodon.hooks.s3Upload.rclone.env",
        "the chart needs a list of name and value, and writes an invalid Job from a mapping",
        "Write it as a list.",
        lambda value, _values: isinstance(value, Mapping) and bool(value),
    ),
    *(
        Trap(f"{part}image.repository", _TAGGED, "Name the repository alone.", _is_more_than_a_repository)
        for part in ("", "mastodon.web.", "mastodon.streaming.")
    ),
    Trap("mastodon.web.image.tag", "migrations would run in another version", "Set mastodon_image_tag."),
    Trap("mastodon.streaming.image.tag", "it would run beside another version", "Set mastodon_image_tag."),
    Trap("fullnameOverride", _NAMES, _REMOVE),
    Trap("nameOverride", _NAMES, _REMOVE),
    Trap("mastodon.web.port", "routes and network policies lead to 3000", _REMOVE, _is_not(3000)),
    Trap("mastodon.streaming.port", "routes and network policies lead to 4000", _REMOVE, _is_not(4000)),
    Trap("mastodon.metrics.prometheus.port", "network policies open 9394", _REMOVE, _is_not(9394)),
    Trap("mastodon.pvc.enabled", "the chart refuses it beside the bucket, where media are", _REMOVE),
    Trap("mastodon.s3.enabled", "media would be lost with the pods", _REMOVE, lambda value, _values: value is False),
    Trap("mastodon.secrets.existingSecret", "the keys that may never change would not be managed", _REMOVE),
    Trap(
        "mastodon.smtp.tls",
        "beside STARTTLS, which is on unless enableStartTls is never, Mastodon sends no mail at all",
        "Remove one of the two; both follow from mastodon_smtp_port.",
        lambda value, values: value is True and at(values, "mastodon.smtp.enableStartTls") not in (None, "never"),
    ),
    Trap(
        "mastodon.smtp.bulk.tls",
        "beside STARTTLS, which is on unless enableStartTls is never, no mail to all is sent",
        "Set mastodon.smtp.bulk.enableStartTls to never.",
        lambda value, values: value is True and at(values, "mastodon.smtp.bulk.enableStartTls") != "never",
    ),
    Trap("mastodon.smtp.existingSecret", "its login comes from Vault", _REMOVE),
    Trap("httproute.enabled", "there would be two routes for one host", f"{_OURS}."),
    Trap("httproute.streamingHostnames", "the chart makes that route even when routes are off", f"{_OURS}."),
)

# What a setting of its own decides: in which setting it may not stand, by its path.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "mastodon_values": {
        "image.tag": "mastodon_image_tag",
        "mastodon.localDomain": "mastodon_local_domain",
        "mastodon.webDomain": "mastodon_web_domain",
        "mastodon.locale": "mastodon_locale",
        "mastodon.trustedProxyIp": "mastodon_trusted_proxies",
        "mastodon.metrics.prometheus.enabled": "mastodon_monitoring",
        "mastodon.s3.aliasHost": "gateway_media_hostname",
        "mastodon.s3.bucket": "mastodon_s3_bucket",
        "mastodon.s3.endpoint": "mastodon_s3_endpoint",
        "mastodon.s3.existingSecret": "mastodon_s3_secret",
        "mastodon.s3.hostname": "mastodon_s3_hostname",
        "mastodon.s3.permission": "rook_anonymous_read",
        "mastodon.s3.protocol": "mastodon_s3_protocol",
        "mastodon.s3.region": "mastodon_s3_region",
        "mastodon.smtp.fromAddress": "mastodon_smtp_from_address",
        "mastodon.smtp.port": "mastodon_smtp_port",
        "mastodon.smtp.server": "mastodon_smtp_server",
        "postgresql.database": "mastodon_postgresql_database",
        "postgresql.direct.database": "mastodon_postgresql_database",
        "postgresql.direct.hostname": "mastodon_postgresql_direct_host",
        "postgresql.direct.port": "mastodon_postgresql_direct_port",
        "postgresql.existingSecret": "mastodon_postgresql_secret",
        "postgresql.hostname": "mastodon_postgresql_host",
        "postgresql.port": "mastodon_postgresql_port",
        "postgresql.preparedStatements": "mastodon_postgresql_prepared_statements",
        "redis.existingSecret": "mastodon_redis_secret",
        "redis.hostname": "mastodon_redis_host",
        "redis.port": "mastodon_redis_port",
    },
    "rook_cluster_spec": {
        "cephVersion.image": "rook_image",
        "dataDirHostPath": "rook_data_path",
        "storage": "rook_storage",
    },
}

# Values of the chart that are secrets, and variables of the environment that are called like one.
_SECRET = re.compile(
    r"(?<!existing)([pP]assword|secretAccessKey|secretKeyBase|(vapid|are)\w+(Key|Salt)|apiKey|authToken|[cC]lientSecret|secretKey)"
    r"|[A-Z0-9_]+_(PASS|PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY|SECRET_ACCESS_KEY|KEY_BASE|PRIMARY_KEY|DETERMINISTIC_KEY|SALT)"
)
# Below these stand names of keys in Secrets, and no secrets.
_KEY_NAMES = "existingSecretKeys"
# Whose Secrets are made here or named by a setting, under names of keys that the checks know.
_OF_OURS = ("mastodon.secrets", "mastodon.s3", "mastodon.smtp", "postgresql", "redis")


RULES = Rules()


@RULES.rule
def traps(settings: Settings) -> Iterator[str]:
    """A value that does not do what it says is not given."""
    values = settings["mastodon_values"] or {}
    for trap in TRAPS:
        if trap.bites(at(values, trap.path), values):
            yield refusal(f"{trap.path} does not do what it says", trap.why, trap.remedy)


@RULES.rule
def decided_elsewhere(settings: Settings) -> Iterator[str]:
    """What a setting decides is not given as a value."""
    for name, decided in SETTINGS.items():
        for path, setting in decided.items():
            if at(settings[name] or {}, path) not in (None, ""):
                why = "the checks use that"
                yield refusal(f"{path} is decided by a setting", why, f"Set {setting} instead.", name)


@RULES.rule
def key_names(settings: Settings) -> Iterator[str]:
    """Pods start with the keys that the checks compare with Vault."""
    for section in _OF_OURS:
        path = f"{section}.{_KEY_NAMES}"
        if at(settings["mastodon_values"] or {}, path):
            why = "Mastodon would encrypt, or log in, with other ones than the checks compare with Vault"
            yield refusal(f"{path} names other keys of a Secret", why, _REMOVE)


@RULES.rule
def secrets(settings: Settings) -> Iterator[str]:
    """A secret is not given as a value."""
    remedy = "Keep it in Vault, and name the Secret that it is in by existingSecret or extraEnvFrom."
    for path in _secrets(settings["mastodon_values"] or {}):
        yield refusal(f"{path} holds a secret", "it would stand in the release and in the output of runs", remedy)


def refusal(what: str, why: str, remedy: str, name: str = "mastodon_values") -> str:
    """Return the sentence about a value."""
    return str(MastodonError(f"Variable {name}", what, why, remedy))


def _secrets(values: Any, path: str = "") -> Iterator[str]:
    """Return the paths of all that holds a secret."""
    entries = values.items() if isinstance(values, Mapping) else enumerate(values) if isinstance(values, list) else ()
    for key, value in entries:
        place = f"{path}.{key}" if path else str(key)
        if isinstance(value, (Mapping, list)):
            yield from () if key == _KEY_NAMES else _secrets(value, place)
        elif value and _SECRET.fullmatch(str(key)):
            yield place
