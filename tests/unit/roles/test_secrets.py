# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every secret in Vault has a Secret that follows it, and each of these is seen to be older when its value changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.secret_refresh import Source

from .conftest import ROOT, Site

# Everything that reads a secret; the bucket's keys come from Vault as those of the least that a user sets do.
SETTINGS: dict[str, Any] = {
    "cert_manager_acme_solver": "cloudflare",
    "cnpg_backup": True,
    "cnpg_backup_endpoint": "https://s3.example.org",
    "cnpg_backup_bucket": "backups",
    "rook_copy_endpoint": "https://s3.example.net",
    "rook_copy_bucket": "copy",
    "volsync_volumes": [{"name": "pages"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "backups",
}
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml"))


def elsewhere(**settings: Any) -> dict[str, Any]:
    """Settings with every path and namespace that can be moved somewhere else."""
    paths = [
        str(name) for name in Site().variables if name.endswith("_vault_path") and name != "mastodon_admin_vault_path"
    ]
    moved = {name: f"elsewhere/{name.removesuffix('_vault_path')}" for name in paths}
    spaces = (
        "cnpg_cluster_namespace",
        "dragonfly_instance_namespace",
        "rook_claim_namespace",
        "volsync_volumes_namespace",
    )
    return {**moved, **{name: name.replace("_", "-") for name in spaces}, **settings}


@pytest.fixture(scope="module", params=[{}, elsewhere()], ids=["usual", "moved"])
def site(request: pytest.FixtureRequest) -> Site:
    return Site(**SETTINGS, **request.param)


@pytest.fixture(scope="module")
def sources(site: Site) -> list[Source]:
    """What all roles apply of ExternalSecrets."""
    applied = [item for role in ROLES for item in site.objects(role).values()]
    return [Source.of(item) for item in applied if item["kind"] == "ExternalSecret"]


def test_every_path_is_followed_by_a_secret_as_far_as_anything_is_required_of_it(
    site: Site, sources: list[Source]
) -> None:
    wanted = {
        (one["path"], key)
        for one in site.value("vault_secrets")
        for key in {*one.get("generate", {}), *one.get("vapid", {}).values(), *one.get("required", [])}
    }
    followed = {(path, name) for source in sources for _key, path, name in source.values}
    assert followed == wanted
    assert {path for path, _name in wanted} == {one["path"] for one in site.value("vault_secrets")}


def test_two_who_write_records_share_a_path_or_have_one_each() -> None:
    rfc2136 = {
        "external_dns_provider": "rfc2136",
        "external_dns_rfc2136_nameserver": "ns",
        "external_dns_rfc2136_key_name": "key",
    }
    for moved, wanted in (
        ({}, {"mastodon/example.org/dns": {"api-token", "tsig-secret"}}),
        (
            {"cert_manager_vault_path": "infra/issuer"},
            {"mastodon/example.org/dns": {"tsig-secret"}, "infra/issuer": {"api-token"}},
        ),
        ({"external_dns_vault_path": ""}, {"mastodon/example.org/dns": {"api-token"}}),
    ):
        found = Site(**{**SETTINGS, **rfc2136, **moved}).value("vault_secrets")
        dns = [one for one in found if one["path"] == "infra/issuer" or one["path"].endswith("/dns")]
        assert [one["path"] for one in dns] == list(wanted)
        assert {one["path"]: {*one["required"]} for one in dns} == wanted


def test_what_is_given_is_written_where_it_is_read() -> None:
    keys = {"access-key-id": "key", "secret-access-key": "secret"}
    given = dict.fromkeys(("s3", "media-copy", "restic", "postgresql-backup"), keys) | {"dns": {"api-token": "token"}}
    found = Site(**SETTINGS, **elsewhere(), vault_given_secrets=given).value("vault_secrets")
    assert {one["path"]: one["given"] for one in found if one.get("given")} == {
        "elsewhere/rook": keys,
        "elsewhere/rook_copy": keys,
        "elsewhere/volsync": keys,
        "elsewhere/cnpg_backup": keys,
        "elsewhere/external_dns": given["dns"],
        "elsewhere/cert_manager": given["dns"],
    }


def test_each_value_that_changes_is_seen(sources: list[Source]) -> None:
    for source in sources:
        held: dict[str, dict[str, object]] = {path: {} for _key, path, _name in source.values}
        for key, path, name in source.values:
            held[path][name] = f"old {key}"
        secret = {key: f"old {key}" for key, _path, _name in source.values}
        assert source.older(secret, held) == ()
        for key, path, name in source.values:
            changed = {**held, path: {**held[path], name: "new"}}
            assert source.older(secret, changed) == (key,)


def test_all_of_them_read_from_the_stores_that_are_refreshed(site: Site) -> None:
    applied = [item for role in ROLES for item in site.objects(role).values() if item["kind"] == "ExternalSecret"]
    [refreshed] = [
        options["stores"]
        for task in site.tasks("external_secrets", "instance.yml").values()
        if (options := task.get("fediverse.mastodon.secret_refresh"))
    ]
    assert {item["spec"]["secretStoreRef"]["kind"] for item in applied} == {"ClusterSecretStore"}
    assert {item["spec"]["secretStoreRef"]["name"] for item in applied} == set(refreshed)
