# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbook rotate replaces is what roles make and read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import rotated
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

from .conftest import Site
from .test_alone import INVENTORIES


def rotations(inventory: str, **settings: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = Site(**{**INVENTORIES[inventory], **settings}).value("mastodon_rotations")
    return found


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_each_path_and_key_is_one_that_secrets_are_made_of(inventory: str) -> None:
    read = {
        (one["path"], key) for one in Site(**INVENTORIES[inventory]).value("mastodon_mirrors") for key in one["keys"]
    }
    # Keys that Rook gives are in no path.
    named = {(one["path"], key) for one in rotations(inventory).values() for key in one["keys"] if one["path"]}
    assert named <= read


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_what_role_vault_makes_is_made_again_as_that_does(inventory: str) -> None:
    site = Site(**INVENTORIES[inventory])
    makes = {one["path"]: one.get("generate") or {} for one in site.value("vault_secrets")}
    for name, one in rotations(inventory).items():
        if name not in rotated.NEVER and name != "vapid":
            wanted = {key: how for key, how in makes.get(one["path"], {}).items() if key in one["keys"]}
            assert one.get("generate", {}) == wanted, name


@pytest.mark.parametrize(
    ("setting", "name"), [("postgresql", "database"), ("redis", "redis"), ("s3", "s3"), ("smtp", "smtp")]
)
def test_what_the_inventory_gives_is_passed_on_to_be_refused(setting: str, name: str) -> None:
    given = {setting: {"password": "x", "access-key-id": "y"}}
    assert rotations("servers of others", vault_given_secrets=given)[name]["given"] == ["access-key-id", "password"]


def test_whoever_has_a_consequence_or_cannot_be_replaced_is_known_by_name() -> None:
    assert {*rotated.CONSEQUENCES, *rotated.NEVER} <= rotations("the least").keys()


def test_servers_of_others_are_given_no_second_login() -> None:
    found = rotations("servers of others")
    assert "secret_name" not in found["database"]["database"]
    assert "name" not in found["redis"]["redis"]


def test_mastodon_uses_the_second_login_as_long_as_it_is_given_that() -> None:
    site = Site(mastodon_postgresql_secret="mastodon-db-rotation", mastodon_postgresql_path="")
    assert site.value("mastodon_second_login") == "mastodon-db-rotation"
    [used] = [one for one in site.value("mastodon_used_secrets") if one["name"] == "mastodon-db-rotation"]
    assert used["path"] == ""
    release = site.objects("mastodon")["HelmRelease mastodon"]
    assert at(release, "spec.values.postgresql.existingSecret", "") == "mastodon-db-rotation"
