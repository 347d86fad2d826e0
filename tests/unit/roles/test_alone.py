# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role alone does what it does in site.yml, and all of them follow the one place in Vault."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from .conftest import ROOT, TYPED, Site

EVERYTHING: dict[str, Any] = {
    **TYPED,
    "mastodon_name": "social",
    "mastodon_namespace": "people",
    "mastodon_web_domain": "www.example.org",
    "mastodon_size": "large",
    "mastodon_admin_username": "alice",
    "mastodon_admin_email": "alice@example.org",
    "rook_backend": "rook",
    "rook_storage": {"deviceFilter": "^sdb$"},
    "gateway_name": "edge",
    "gateway_namespace": "edge-system",
    "gateway_http_listener": "web",
    "gateway_https_listener": "websecure",
    "gateway_media_hostname": "media.example.org",
    "gateway_dns_target": "192.0.2.1",
    "cert_manager_namespace": "certificates",
    "cert_manager_acme_solver": "rfc2136",
    "cert_manager_acme_staging": True,
    "external_dns_provider": "rfc2136",
    "external_dns_namespace": "records",
    "external_dns_rfc2136_nameserver": "ns.example.org",
    "external_dns_rfc2136_port": 5353,
    "external_dns_rfc2136_key_name": "mastodon",
    "external_dns_rfc2136_algorithm": "hmac-sha512",
    "external_secrets_namespace": "eso",
    "external_secrets_service_account": "eso",
    "external_secrets_store": "company",
    "vault_mount": "kv",
    "vault_role": "company",
    "vault_auth_mount": "cluster",
    "vault_audience": "company",
    "cnpg_cluster_name": "people",
    "cnpg_database": "people",
    "cnpg_username": "people",
    "cnpg_backup": True,
    "cnpg_backup_endpoint": "https://s3.example.org",
    "cnpg_backup_bucket": "backups",
    "dragonfly_name": "jobs",
    "dragonfly_memory": "1Gi",
    "volsync_volumes": [{"name": "pages"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "volumes",
}
INVENTORIES: dict[str, dict[str, Any]] = {
    "the least": {**TYPED},
    "everything": EVERYTHING,
    "servers of others": {
        **EVERYTHING,
        "rook_backend": "external",
        "cnpg_backend": "external",
        "cnpg_external_host": "db.example.org",
        "cnpg_external_port": 6432,
        "dragonfly_backend": "external",
        "dragonfly_external_host": "redis.example.org",
        "dragonfly_external_port": 6380,
        "cert_manager_issuer": "private_ca",
        "gateway_hostnames": ["example.org", "www.example.org"],
    },
}
INVENTORIES["in namespaces of their own"] = {
    **EVERYTHING,
    "rook_backend": "external",
    "rook_claim_namespace": "buckets",
    "cnpg_cluster_namespace": "databases",
    "dragonfly_instance_namespace": "caches",
}
FILES = sorted((path.parents[1].name, path.name) for path in ROOT.glob("roles/*/tasks/*.yml"))


@cache
def site(alone: str, inventory: str) -> Site:
    return Site(alone=alone, **INVENTORIES[inventory])


@pytest.mark.parametrize("inventory", INVENTORIES)
@pytest.mark.parametrize(("role", "file"), FILES, ids=["/".join(one) for one in FILES])
def test_a_role_alone_does_what_it_does_in_the_whole(role: str, file: str, inventory: str) -> None:
    assert site(role, inventory).tasks(role, file) == site("", inventory).tasks(role, file)


MOVED = "people/example"


def remote_keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["remoteRef"]["key"]] if "remoteRef" in value else []
        return here + [key for item in value.values() for key in remote_keys(item)]
    return [key for item in value for key in remote_keys(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_the_path_in_vault_set_alone_moves_all_that_is_written_and_read_there(inventory: str) -> None:
    settings = {**INVENTORIES[inventory], "vault_path": MOVED}
    sites = {role: Site(alone=role, **settings) for role, _unused in FILES}
    done = {one: sites[one[0]].tasks(*one) for one in FILES}
    text = json.dumps(list(done.values()))
    assert re.findall(r"(?<!fediverse\.)mastodon/example\.org[^\"]*", text) == []
    keys = {key for tasks in done.values() for key in remote_keys(list(tasks.values()))}
    assert {key.rpartition("/")[0] for key in keys} == {MOVED}
    assert len(keys) >= {"everything": 7}.get(inventory, 5)


def test_policy_secrets_fingerprint_account_and_status_use_the_same_path_in_vault() -> None:
    settings = {**EVERYTHING, "vault_path": MOVED}
    vault = Site(alone="vault", **settings).tasks("vault", "main.yml")
    mastodon = Site(alone="mastodon", **settings)
    files = (mastodon.tasks("mastodon", file) for file in ("launched.yml", "main.yml"))
    options = {name: one for tasks in (vault, *files) for task in tasks.values() for name, one in task.items()}
    assert f'path "kv/data/{MOVED}/dns"' in options["fediverse.mastodon.vault_policy"]["rules"]
    made = options["fediverse.mastodon.vault_secret"]
    assert {one["path"].rpartition("/")[0] for one in made["secrets"]} == {MOVED}
    looked = options["fediverse.mastodon.launch_check"]
    assert made["fingerprint_key"] == looked["fingerprint_key"] == f"{MOVED}/fingerprint"
    assert {one["path"].rpartition("/")[0] for one in looked["secrets"]} == {MOVED}
    assert options["fediverse.mastodon.account"]["path"] == f"{MOVED}/admin"


def test_the_playbook_that_tells_how_things_are_reads_where_the_roles_write() -> None:
    (play,) = yaml.safe_load((ROOT / "playbooks/status.yml").read_text())
    assert play["roles"] == ["fediverse.mastodon.common"]
    _check, task = play["tasks"]
    options = task["fediverse.mastodon.status_info"]
    assert (options["mount"], options["path"]) == ("{{ vault_mount }}", "{{ vault_path }}")


def test_a_role_shows_no_other_the_variables_of_a_third_that_it_imports() -> None:
    files = [ROOT / "roles" / role / "tasks" / file for role, file in FILES]
    tasks = [task for file in files for task in yaml.safe_load(file.read_text())]
    imports = [task["ansible.builtin.import_role"] for task in tasks if "ansible.builtin.import_role" in task]
    assert imports
    assert [one for one in imports if one.get("public") is not False] == []
