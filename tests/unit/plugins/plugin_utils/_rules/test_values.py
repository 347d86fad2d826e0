# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported of each mistake is in tests/wrong_config; here is what must not be refused, and what is peculiar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.formats import FORMATS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.of_plays import FEDERATION
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.types import mistyped
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

ROOT = Path(__file__).parents[5]
OPTIONS = {**load(ROOT / "roles").options, **FEDERATION}
MISTAKES = {
    file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / "tests/wrong_config/mistakes").glob("*.yml")
}
OF_VALUES = {
    name: mistake
    for name, mistake in MISTAKES.items()
    if "does not add up" not in mistake["says"]
    # What follows from them is worked out by the task, and what is about more than one is another rule.
    and "Variable rook_bucket:" not in mistake["says"]
    and "Variable rook_claim_namespace:" not in mistake["says"]
    and "Variable rook_storage:" not in mistake["says"]
    # What connects says that.
    and not mistake["says"].startswith(("Kubeconfig ", "Option kubeconfig"))
    and (
        " is no" in mistake["says"]
        or " is less" in mistake["says"]
        or " is neither" in mistake["says"]
        or "cannot be used" in mistake["says"]
    )
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
        ("cnpg_cluster_allowed_clients", ["monitoring", "10.0.0.0/8", "192.0.2.7/32", "FD00::/8", "0.0.0.0/0"]),
        ("mastodon_release_timeout", "1h30m"),
        ("gateway_hostnames", ["example.org", "*.example.org"]),
        ("cnpg_cluster_storage_size", "1.5Ti"),
        ("cnpg_cluster_storage_size", "1000000"),
        ("cnpg_backup_schedule", "0 */15 3-5 * JAN mon,fri"),
        ("volsync_schedule", "0 3 * * 7"),
        ("external_dns_rfc2136_key_name", "acme_update."),
        ("cnpg_backup_server_name", "Backups_2026"),
        ("mastodon_name", "m"),
        ("mastodon_name", "mastodon-of-a-very-long-name-01"),
        ("mastodon_admin_username", "Rooty"),
        ("mastodon_image_tag", "v4.7.4-glitch_2026.11"),
        ("rook_external_endpoint", "https://s3.example.org/"),
        ("vault_address", "https://example.org/vault"),
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
    assert wrong({name: value}, OPTIONS) == {}


@pytest.mark.parametrize("mistake", OF_VALUES)
def test_a_value_that_cannot_be_meant_is_refused(mistake: str) -> None:
    assert [*wrong(OF_VALUES[mistake]["settings"], OPTIONS).values()] == [OF_VALUES[mistake]["says"]]


def test_all_mistakes_are_reported_at_once() -> None:
    assert len(wrong({"mastodon_web_replicas": 0, "mastodon_local_domain": "x", "flux_install": "?"}, OPTIONS)) == 3


def test_the_defaults_of_every_role_pass() -> None:
    defaults: dict[str, Any] = {}
    for file in ROOT.glob("roles/*/defaults/main.yml"):
        defaults.update(yaml.safe_load(file.read_text()) or {})
    plain = {
        name: value
        for name, value in defaults.items()
        if name in OPTIONS and value is not None and "{{" not in str(value)
    }
    assert plain
    assert wrong(plain, OPTIONS) == {}


# One value of each type, as YAML has them, and the types of settings that it is right for.
TYPES: list[tuple[Any, set[str]]] = [
    ("text", {"str"}),
    ("7", {"str", "int"}),
    ("yes", {"str", "bool"}),
    (7, {"int", "float"}),
    (7.5, {"float"}),
    (True, {"bool"}),
    (None, set()),
    (["text"], {"list"}),
    ([7], set()),
    ({}, {"dict"}),
    ({"a": 1}, {"dict"}),
]
# Lists of mappings, for which no text is right.
OF_MAPPINGS = {name for name, spec in OPTIONS.items() if spec.get("elements") == "dict"}


@pytest.mark.parametrize("name", [name for name, spec in OPTIONS.items() if not spec.get("required")])
def test_only_values_of_its_own_type_pass_for_a_setting(name: str) -> None:
    spec = {key: value for key, value in OPTIONS[name].items() if key != "options"}
    passed = [value for value, _types in TYPES if not mistyped(value, spec, "ansible-doc")]
    wanted = {"path": "str"}.get(spec.get("type", "str"), spec.get("type", "str"))
    right = [value for value, types in TYPES if wanted in types and name not in OF_MAPPINGS]
    assert passed == right


@pytest.mark.parametrize("name", [name for name, spec in OPTIONS.items() if spec.get("type") == "list"])
def test_one_text_in_place_of_a_list_is_refused_with_the_list(name: str) -> None:
    [said] = wrong({name: "10.0.0.0/8, fd00::/8"}, OPTIONS).values()
    assert said == (
        f'Variable {name}: \'10.0.0.0/8, fd00::/8\' is not a list. Write it as a list: ["10.0.0.0/8", "fd00::/8"].'
    )


def test_what_is_inside_of_a_mapping_has_its_type_too() -> None:
    worker = {"name": "all", "concurrency": 25, "queues": "default"}
    [said] = wrong({"mastodon_sidekiq_workers": [worker]}, OPTIONS).values()
    assert "entry 1: queues: 'default' is not a list" in said


def test_a_login_in_a_url_is_refused_and_not_shown() -> None:
    [said] = wrong({"rook_external_endpoint": "https://alice:hunter2@s3.example.org"}, OPTIONS).values()
    assert "is not a URL" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("value", "offered"), [("bücher.example", "xn--bcher-kva.example"), ("straße.example", "example.org")]
)
def test_a_domain_of_other_letters_is_offered_as_dns_writes_it(value: str, offered: str) -> None:
    [said] = wrong({"mastodon_local_domain": value}, OPTIONS).values()
    assert said.endswith(f"Write it like {offered}.")


# What settings that end so have in common. A namespace of Vault is a path of any names.
OF_ONE_FORM = (
    *("_bucket", "_chart_repository", "_chart_version", "_email", "_endpoint", "_memory", "_nameserver", "_namespace"),
    *("_namespaces", "_port", "_schedule", "_storage_size", "_timeout"),
)


def test_a_number_and_what_is_of_one_form_in_every_role_has_that_form() -> None:
    formed = {name for name, spec in OPTIONS.items() if name.endswith(OF_ONE_FORM) or spec.get("type") == "int"}
    formed.remove("vault_namespace")
    assert len(formed) > 60
    assert sorted(name for name in formed if name not in FORMATS) == []


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("cert_manager_values", "ansible-doc -t role fediverse.mastodon.cert_manager"),
        ("federation_reports", "ansible-doc fediverse.mastodon.federation_check"),
        ("force_conflicts", "ansible-doc fediverse.mastodon.apply"),
    ],
)
def test_a_type_is_explained_by_a_command_that_works_as_it_is_shown(name: str, command: str) -> None:
    said = wrong({name: 5}, {name: {"type": "list"}})
    assert said == {name: f"Variable {name}: 5 is not a list. `{command}` explains it."}
