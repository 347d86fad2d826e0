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
    "volsync_volumes": [{"name": "pages"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "backups",
}
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml"))


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(**SETTINGS)


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
