# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each mistake is told is in tests/wrong_config; here is what must not be refused, and what is peculiar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._settings import wrong
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._variables import load

ROOT = Path(__file__).parents[4]
OPTIONS = load(ROOT / "roles").options
MISTAKES = {
    file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / "tests/wrong_config/mistakes").glob("*.yml")
}
OF_VALUES = {
    name: mistake
    for name, mistake in MISTAKES.items()
    if "does not add up" not in mistake["says"]
    and (" is no" in mistake["says"] or " is less" in mistake["says"] or " is neither" in mistake["says"])
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mastodon_local_domain", "example.org"),
        ("mastodon_local_domain", "xn--mnchen-3ya.example"),
        ("mastodon_web_domain", ""),
        ("mastodon_web_replicas", "3"),
        ("mastodon_web_replicas", 3),
        ("mastodon_smtp_server", "smtp.example.org"),
        ("mastodon_smtp_server", "192.0.2.7"),
        ("mastodon_smtp_server", "2001:db8::7"),
        ("rook_external_endpoint", "http://s3.object-store.svc:8333"),
        ("mastodon_chart_repository", "oci://ghcr.io/mastodon/charts"),
        ("mastodon_chart_version", "6.1.0-rc.1"),
        ("mastodon_trusted_proxies", ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]),
        ("mastodon_release_timeout", "1h30m"),
        ("gateway_hostnames", ["example.org", "*.example.org"]),
        ("cnpg_cluster_storage_size", "1.5Ti"),
        ("cnpg_cluster_storage_size", 1000000),
        ("cnpg_cluster_image", "ghcr.io/cloudnative-pg/postgresql:17.6"),
        ("cnpg_cluster_image", "registry.example:5000/postgresql@sha256:0123"),
        ("cnpg_cluster_image", "registry.example:5000/postgresql:14-minimal-trixie@sha256:0123"),
        ("cnpg_backup_endpoint", "https://s3.example.org"),
        ("flux_install", "no"),
        ("cert_manager_values", {"replicaCount": 2}),
        ("vault_address", "https://vault.example.org"),
    ],
)
def test_a_value_that_can_be_meant_is_let_through(name: str, value: Any) -> None:
    assert wrong({name: value}, OPTIONS) == []


@pytest.mark.parametrize("mistake", OF_VALUES)
def test_a_value_that_cannot_be_meant_is_refused(mistake: str) -> None:
    assert wrong(OF_VALUES[mistake]["settings"], OPTIONS) == [OF_VALUES[mistake]["says"]]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(wrong({"mastodon_web_replicas": 0, "mastodon_local_domain": "x", "flux_install": "?"}, OPTIONS)) == 3


def test_the_defaults_of_every_role_pass() -> None:
    defaults: dict[str, Any] = {}
    for file in ROOT.glob("roles/*/defaults/main.yml"):
        defaults.update(yaml.safe_load(file.read_text()) or {})
    plain = {name: value for name, value in defaults.items() if name in OPTIONS and "{{" not in str(value)}
    assert plain
    assert wrong(plain, OPTIONS) == []
