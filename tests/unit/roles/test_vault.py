# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may read which secret: the policies and logins of the role vault beside the stores that use them and what reads through these."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Site
from .test_secrets import ROLES, SETTINGS, elsewhere

FOLDER = "mastodon/example.org"
# Secrets that nobody in the cluster reads: the owner's first password, and the key that fingerprints of secrets are made with.
OURS_ALONE = {f"{FOLDER}/admin", f"{FOLDER}/fingerprint"}


def policies(site: Site) -> dict[str, set[str]]:
    """Return which paths each policy opens, and that it does not more."""
    found = {}
    for task in site.tasks("vault", "main.yml").values():
        if task["when"] and (policy := task.get("fediverse.mastodon.vault_policy")):
            rules = re.findall(r'path "secret/data/(\S+)" \{\s*capabilities = \["read"\]\s*\}', policy["rules"])
            assert len(rules) == policy["rules"].count("path")
            found[policy["name"]] = set(rules)
    return found


def logins(site: Site) -> dict[str, list[str]]:
    """Return the policies of each role of the Kubernetes login."""
    tasks = site.tasks("vault", "main.yml").values()
    roles = [role for task in tasks if task["when"] and (role := task.get("fediverse.mastodon.vault_kubernetes_role"))]
    return {role["name"]: role["policies"] for role in roles}


def stores(site: Site) -> dict[str, Any]:
    return {
        item["metadata"]["name"]: item["spec"]
        for item in site.objects("external_secrets").values()
        if "Store" in item["kind"]
    }


def readers(site: Site) -> list[dict[str, Any]]:
    applied = [item for role in ROLES for item in site.objects(role).values()]
    return [item for item in applied if item["kind"] == "ExternalSecret"]


@pytest.mark.parametrize("settings", [{}, elsewhere()], ids=["usual", "moved"])
def test_who_reads_a_secret_may_and_nobody_may_more(settings: dict[str, Any]) -> None:
    site = Site(**SETTINGS, **settings)
    opened, by_role, by_store = policies(site), logins(site), stores(site)
    read: dict[str, set[str]] = {name: set() for name in opened}
    lets: dict[str, set[str]] = {name: set() for name in by_store}
    for item in readers(site):
        store = item["spec"]["secretStoreRef"]["name"]
        [policy] = by_role[by_store[store]["provider"]["vault"]["auth"]["kubernetes"]["role"]]
        read[policy] |= {one["remoteRef"]["key"] for one in item["spec"]["data"]}
        lets[store].add(item["metadata"]["namespace"])
    assert read == opened
    assert lets == {name: set(spec["conditions"][0]["namespaces"]) for name, spec in by_store.items()}
    assert not any("*" in path or "+" in path or path in OURS_ALONE for paths in opened.values() for path in paths)


def test_controllers_read_the_credential_of_dns_and_no_other() -> None:
    site = Site(**SETTINGS)
    assert policies(site)["mastodon-example.org-dns"] == {f"{FOLDER}/dns"}
    assert f"{FOLDER}/dns" not in policies(site)["mastodon-example.org"]
    namespaces = {name: spec["conditions"][0]["namespaces"] for name, spec in stores(site).items()}
    assert namespaces == {"vault-mastodon": ["mastodon"], "vault-mastodon-dns": ["gateway-system", "external-dns"]}


def test_a_path_that_is_not_used_opens_nothing() -> None:
    assert all(policies(Site(rook_vault_path="", volsync_vault_path="")).values())
    assert "" not in set().union(*policies(Site(rook_vault_path="")).values())


def test_without_such_a_credential_nobody_logs_in_for_it() -> None:
    site = Site(external_dns_vault_path="")
    assert list(policies(site)) == list(logins(site)) == ["mastodon-example.org"]
    assert list(stores(site)) == ["vault-mastodon"]


@pytest.mark.parametrize("path", ["infra/dns", ""])
def test_the_token_needs_rights_on_what_is_written_and_no_other(path: str) -> None:
    site = Site(external_dns_vault_path=path)
    rights = {right["path"] for right in site.value("doctor_vault_rights")}
    written = {f"sys/policies/acl/{name}" for name in policies(site)}
    written |= {f"auth/kubernetes/role/{name}" for name in logins(site)}
    always = {"sys/mounts", "sys/auth", "secret/data/mastodon/example.org/app"}
    assert rights == written | always


def test_the_token_needs_rights_on_the_keys_wherever_they_are() -> None:
    rights = {right["path"] for right in Site(mastodon_vault_path="elsewhere").value("doctor_vault_rights")}
    assert "secret/data/elsewhere/app" in rights


@pytest.mark.parametrize(
    ("typed", "goes_on"),
    [
        ({"file": "backup.age", "identity_file": "key.txt"}, True),
        ({"file": "backup.age"}, False),
        ({"identity_file": "key.txt"}, False),
        ({"file": "", "identity_file": "key.txt"}, False),
        ({}, False),
    ],
)
def test_nothing_is_restored_or_made_without_a_backup_and_its_key(typed: dict[str, str], goes_on: bool) -> None:
    tasks = yaml.safe_load((ROOT / "roles/vault/tasks/restore.yml").read_text())
    name = tasks[0]["name"]
    assert Site(**typed).passes("vault", "restore.yml", name) is goes_on
