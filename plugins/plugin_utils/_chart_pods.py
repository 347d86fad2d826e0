# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of our own that get what the official chart gives Sidekiq's by its values: image, place, rights, environment and logins.

The mapping is the chart's, `charts/mastodon/templates/` of https://github.com/mastodon/helm-charts. Mail's login is left out, as nothing
of ours sends any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.chart_values import Values

_IMAGE = "ghcr.io/mastodon/mastodon"
_USER = {"runAsUser": 991, "runAsGroup": 991, "fsGroup": 991}


@dataclass(frozen=True)
class Login:
    """A part of the chart with a Secret: where its values are, what turns it on, and variables by what names their keys."""

    path: str
    enabled: str
    variables: Mapping[str, tuple[str, str]]


_PASSWORD = ("password", "password")
_USERNAME = ("username", "username")
_LOGINS = (
    Login(
        "mastodon.secrets",
        "existingSecret",
        {
            "SECRET_KEY_BASE": ("secretKeyBase", "secret-key-base"),
            "VAPID_PRIVATE_KEY": ("vapidPrivateKey", "vapid-private-key"),
            "VAPID_PUBLIC_KEY": ("vapidPublicKey", "vapid-public-key"),
            "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY": ("arePrimaryKey", "are-primary-key"),
            "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": ("areDeterministicKey", "are-deterministic-key"),
            "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT": ("areKeyDerivationSalt", "are-derivation-salt"),
        },
    ),
    Login("postgresql", "existingSecret", {"DB_USER": _USERNAME, "DB_PASS": _PASSWORD}),
    Login(
        "postgresql.readReplica",
        "existingSecret",
        {"REPLICA_DB_USER": _USERNAME, "REPLICA_DB_PASS": _PASSWORD},
    ),
    Login("redis", "existingSecret", {"REDIS_PASSWORD": _PASSWORD}),
    Login("redis.sidekiq", "enabled", {"SIDEKIQ_REDIS_PASSWORD": _PASSWORD}),
    Login("redis.cache", "enabled", {"CACHE_REDIS_PASSWORD": _PASSWORD}),
    Login(
        "mastodon.s3",
        "existingSecret",
        {
            "AWS_ACCESS_KEY_ID": ("accessKeyId", "access-key-id"),
            "AWS_SECRET_ACCESS_KEY": ("secretAccessKey", "secret-access-key"),
        },
    ),
    Login("externalAuth.ldap", "enabled", {"LDAP_PASSWORD": _PASSWORD}),
    Login("elasticsearch", "enabled", {"ES_USER": _USERNAME, "ES_PASS": _PASSWORD}),
    Login("mastodon.deepl", "enabled", {"DEEPL_API_KEY": ("apiKey", "api-key")}),
    Login("mastodon.cacheBuster", "enabled", {"CACHE_BUSTER_SECRET": ("authToken", "auth-token")}),
)


def pod_template(values: Values, fullname: str, container: Values) -> dict[str, Any]:
    """Return the template of a pod that runs once, with one container."""
    labels = _texts({**_map(values, "labels"), **_map(values, "podLabels")})
    annotations = _texts(_map(values, "jobAnnotations"))
    return {
        "metadata": {
            **({"labels": labels} if labels else {}),
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "serviceAccountName": _service_account(values, fullname),
            "securityContext": _first(values, "podSecurityContext") or _USER,
            **_given(values, "imagePullSecrets", "hostAliases"),
            **{key: found for key in ("nodeSelector", "affinity", "tolerations") if (found := _first(values, key))},
            "containers": [_container(values, fullname, container)],
        },
    }


def secrets(values: Values) -> list[str]:
    """Return the names of the Secrets that values name, as pods start with what is in them."""
    return sorted(set(_named(values)))


def _container(values: Values, fullname: str, own: Values) -> dict[str, Any]:
    context = _first(values, "securityContext")
    more = at(values, "mastodon.extraEnvFrom")
    return {
        **own,
        "image": f"{at(values, 'image.repository') or _IMAGE}:{at(values, 'image.tag')}",
        "imagePullPolicy": at(values, "image.pullPolicy") or "IfNotPresent",
        "envFrom": [{"configMapRef": {"name": name}} for name in (f"{fullname}-env", more) if name],
        "env": [*_environment(values)],
        **({"securityContext": context} if context else {}),
    }


def _environment(values: Values) -> Iterator[dict[str, Any]]:
    for login in _LOGINS:
        section = at(values, login.path)
        if not isinstance(section, Mapping) or not section.get(login.enabled):
            continue
        keys = section.get("existingSecretKeys") or {}
        for variable, (name, usual) in login.variables.items():
            source = {"name": section.get("existingSecret") or "", "key": keys.get(name) or usual}
            yield {"name": variable, "valueFrom": {"secretKeyRef": source}}
    for name, value in _texts(_map(values, "mastodon.sidekiq.extraEnvVars")).items():
        yield {"name": name, "value": value}


def _first(values: Values, key: str) -> Any:
    """Return what Sidekiq's pods get: the part's own value, or that of all."""
    return at(values, f"mastodon.sidekiq.{key}") or at(values, key)


def _given(values: Values, *keys: str) -> dict[str, Any]:
    return {key: values[key] for key in keys if values.get(key)}


def _map(values: Values, path: str) -> Values:
    found = at(values, path)
    return found if isinstance(found, Mapping) else {}


def _texts(found: Values) -> dict[str, str]:
    # As Helm's `quote` writes them.
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in found.items()}


def _service_account(values: Values, fullname: str) -> str:
    account = _map(values, "serviceAccount")
    return str(account.get("name") or (fullname if account.get("create", True) else "default"))


def _named(values: Any) -> Iterator[str]:
    entries = values.items() if isinstance(values, Mapping) else ()
    for key, value in entries:
        if key == "existingSecret" and isinstance(value, str) and value:
            yield value
        else:
            yield from _named(value)
