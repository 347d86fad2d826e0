# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.chart_values import RULES, TRAPS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings


def problems(values: Any, ceph: Any = None) -> list[str]:
    return RULES.problems(Settings({"mastodon_values": values, "rook_cluster_spec": ceph}.__getitem__, {}))


def nested(path: str, value: Any) -> dict[str, Any]:
    for part in reversed(path.split(".")):
        value = {part: value}
    found: dict[str, Any] = value
    return found


BITING = {
    "mastodon.extraEnvVars.DB_SSLMODE": nested("mastodon.extraEnvVars.DB_SSLMODE", "require"),
    "mastodon.s3.enabled": nested("mastodon.s3.enabled", False),
    "mastodon.hooks.s3Upload.rclone.env": nested("mastodon.hooks.s3Upload.rclone.env", {"RCLONE_S3_PROVIDER": "Ceph"}),
    "mastodon.smtp.bulk.tls": nested("mastodon.smtp.bulk.tls", True),
    "mastodon.smtp.tls": nested("mastodon.smtp", {"tls": True, "enableStartTls": "auto"}),
    **{
        f"{part}image.repository": nested(f"{part}image.repository", repository)
        for part, repository in {
            "": "ghcr.io/mastodon/mastodon:v4.7.4",
            "mastodon.web.": "ghcr.io/mastodon/mastodon@sha256:0000",
            "mastodon.streaming.": "mastodon-streaming:v4.7.4",
        }.items()
    },
}


@pytest.mark.parametrize("path", [trap.path for trap in TRAPS])
def test_each_trap_is_refused_by_name_in_one_sentence(path: str) -> None:
    [reported] = problems(BITING[path] if path in BITING else nested(path, "x"))
    assert reported.startswith(f"Variable mastodon_values: {path} does not do what it says: ")
    assert reported.endswith(".")
    assert "\n" not in reported


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"mastodon": None},
        {"mastodon": "text"},
        nested("mastodon.extraEnvVars.DB_SSLMODE", "prefer"),
        nested("mastodon.hooks.s3Upload.rclone.env", [{"name": "A", "value": "b"}]),
        nested("mastodon.createAdmin.enabled", False),
        nested("mastodon.smtp.tls", True),
        nested("mastodon.smtp.bulk", {"tls": True, "enableStartTls": "never"}),
        nested("mastodon.smtp.bulk", {"tls": False}),
        nested("mastodon.smtp", {"tls": True, "enableStartTls": "never"}),
        nested("mastodon.smtp", {"tls": False, "enableStartTls": "auto"}),
        nested("httproute.enabled", False),
        nested("image.repository", "registry.example.org:5000/mastodon/mastodon"),
        {"postgresql": {"readReplica": {"hostname": "replica", "existingSecret": "login"}}},
        {"mastodon": {"otel": {"exporterUri": "http://x", "endpointUri": "http://x"}}},
        {"mastodon": {"limitedFederationMode": True}},
        {"redis": {"sidekiq": {"enabled": True, "hostname": "queue", "existingSecret": "queue"}}},
    ],
)
def test_what_does_what_it_says_is_let_through(values: dict[str, Any]) -> None:
    assert problems(values) == []


@pytest.mark.parametrize(
    ("path", "setting"),
    [("mastodon.s3.bucket", "mastodon_s3_bucket"), ("postgresql.hostname", "mastodon_postgresql_host")],
)
def test_what_a_setting_decides_is_refused_with_its_name(path: str, setting: str) -> None:
    [said] = problems(nested(path, "x"))
    assert said == (
        f"Variable mastodon_values: {path} is decided by a setting: the checks use that. Set {setting} instead."
    )


@pytest.mark.parametrize(
    ("path", "setting"),
    [("cephVersion.image", "rook_image"), ("dataDirHostPath", "rook_data_path"), ("storage", "rook_storage")],
)
def test_what_a_setting_decides_of_ceph_is_refused_with_its_name(path: str, setting: str) -> None:
    [said] = problems({}, nested(path, "x"))
    assert said == (
        f"Variable rook_cluster_spec: {path} is decided by a setting: the checks use that. Set {setting} instead."
    )
    assert problems({}, {"cephVersion": {"allowUnsupported": True}, "dashboard": {"enabled": False}}) == []


@pytest.mark.parametrize(
    "path",
    [
        "mastodon.secrets.existingSecretKeys.arePrimaryKey",
        "mastodon.s3.existingSecretKeys.accessKeyId",
        "mastodon.smtp.existingSecretKeys.password",
        "postgresql.existingSecretKeys.password",
        "redis.existingSecretKeys.password",
    ],
)
def test_other_keys_of_a_secret_of_ours_are_refused(path: str) -> None:
    section = path.rpartition(".")[0]
    assert problems(nested(path, "secret-key-base")) == [
        f"Variable mastodon_values: {section} names other keys of a Secret: Mastodon would encrypt, or log in, with other ones than the "
        "checks compare with Vault. Remove it."
    ]


@pytest.mark.parametrize(
    "path",
    [
        "mastodon.secrets.arePrimaryKey",
        "mastodon.secrets.areKeyDerivationSalt",
        "mastodon.secrets.secretKeyBase",
        "mastodon.secrets.vapidPrivateKey",
        "mastodon.s3.secretAccessKey",
        "mastodon.smtp.password",
        "mastodon.smtp.bulk.password",
        "postgresql.readReplica.password",
        "redis.sidekiq.password",
        "elasticsearch.password",
        "mastodon.deepl.apiKey",
        "externalAuth.oidc.clientSecret",
        "mastodon.extraEnvVars.LDAP_PASSWORD",
        "mastodon.sidekiq.extraEnvVars.DEEPL_API_KEY",
        "mastodon.extraEnvVars.AWS_SECRET_ACCESS_KEY",
    ],
)
def test_a_secret_is_refused_and_not_shown(path: str) -> None:
    [said] = problems(nested(path, "hunter2"))
    assert said.startswith(f"Variable mastodon_values: {path} holds a secret: ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "values",
    [
        nested("postgresql.readReplica.existingSecretKeys.password", "pass"),
        nested("mastodon.deepl.existingSecret", "deepl"),
        nested("mastodon.smtp.bulk.existingSecretKeys.password", "pass"),
        nested("redis.sidekiq.existingSecretKeys.password", "pass"),
        nested("mastodon.extraEnvVars.S3_KEY_PREFIX", "media/"),
        nested("mastodon.smtp.password", ""),
        nested("mastodon.web.port", 3000),
    ],
)
def test_names_of_secrets_and_defaults_are_let_through(values: dict[str, Any]) -> None:
    assert problems(values) == []


def test_all_traps_are_reported_at_once() -> None:
    assert len(problems({"service": {"port": 80}, "volumeMounts": {"web": []}})) == 2


def test_a_path_leads_to_a_value_or_to_none() -> None:
    assert at({"a": {"b": 0}}, "a.b") == 0
    assert at({"a": []}, "a.b") is None
