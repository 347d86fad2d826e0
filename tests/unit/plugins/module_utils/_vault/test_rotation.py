# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret on its way to another value, in a Vault in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import rotation
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.rotation import Rotation

from .conftest import FakeVault

PATH = "m/redis"
OLD, NEW, THIRD = "canary-old", "canary-new", "canary-third"


def put(server: FakeVault, **data: str) -> None:
    named = {key.replace("_", "-"): value for key, value in data.items()}
    server.versions.setdefault(f"secret/data/{PATH}", []).append(named)


def held(server: FakeVault) -> dict[str, Any]:
    found = server.versions[f"secret/data/{PATH}"][-1]
    assert found is not None
    return found


def read(vault: Vault, keys: tuple[str, ...] = ("password",)) -> Rotation:
    return rotation.read(vault, "secret", PATH, keys)


def test_a_new_value_comes_beside_takes_the_place_and_the_old_one_goes(server: FakeVault, vault: Vault) -> None:
    put(server, password=OLD, note="kept")
    begun = rotation.begin(vault, read(vault), {"password": NEW})
    assert held(server) == {"password": OLD, "password-next": NEW, "note": "kept"}
    promoted = rotation.promote(vault, begun)
    assert held(server) == {"password": NEW, "password-previous": OLD, "note": "kept"}
    assert promoted.is_promoted
    rotation.finish(vault, promoted)
    assert held(server) == {"password": NEW, "note": "kept"}
    assert [one and one["password"] for one in server.versions[f"secret/data/{PATH}"]] == [OLD, OLD, NEW, NEW]


def test_what_somebody_else_prepared_meanwhile_is_taken_and_not_replaced(server: FakeVault, vault: Vault) -> None:
    put(server, password=OLD)
    before = read(vault)
    put(server, password=OLD, password_next=THIRD)
    assert rotation.begin(vault, before, {"password": NEW}).following == {"password": THIRD}
    assert held(server)["password-next"] == THIRD


@pytest.mark.parametrize(
    "step", [rotation.promote, rotation.finish, lambda one, two: rotation.begin(one, two, {"password": NEW})]
)
def test_a_path_that_somebody_else_wrote_meanwhile_stays_as_it_is(server: FakeVault, vault: Vault, step: Any) -> None:
    put(server, password=OLD, **({"password_next": NEW} if step is rotation.promote else {}))
    before = read(vault)
    put(server, password=THIRD)
    with pytest.raises(MastodonError, match="was written by somebody else meanwhile"):
        step(vault, before)
    assert held(server) == {"password": THIRD}


@pytest.mark.parametrize(
    ("data", "gives", "sentence"),
    [
        ({}, True, "password-next missing: only you can give it. Run bao kv patch -mount=secret m/redis - and type"),
        ({"password_next": "x\n"}, True, "cannot be used: password-next: it begins or ends with a blank"),
        ({"password_next": "x\n"}, False, "cannot be used: password-next: it begins or ends with a blank"),
        ({"password_next": OLD}, False, "password-next is what is in use already. Write another value."),
    ],
)
def test_a_next_value_that_cannot_be_used_is_refused_without_showing_it(
    server: FakeVault, vault: Vault, data: dict[str, str], gives: bool, sentence: str
) -> None:
    put(server, password=OLD, **data)
    with pytest.raises(MastodonError) as refused:
        rotation.refuse_unusable(read(vault), gives=gives)
    assert f"Vault path secret/{PATH}: {sentence}" in str(refused.value)
    assert OLD not in str(refused.value)


def test_half_a_pair_is_refused(server: FakeVault, vault: Vault) -> None:
    put(server, one=OLD, two=OLD, one_next=NEW)
    with pytest.raises(MastodonError, match="two-next missing"):
        rotation.refuse_unusable(read(vault, ("one", "two")), gives=False)


def test_a_path_without_a_value_has_none_that_could_be_replaced(server: FakeVault, vault: Vault) -> None:
    with pytest.raises(MastodonError, match="password missing"):
        read(vault)
    server.versions[f"secret/data/{PATH}"] = [None]
    with pytest.raises(MastodonError, match="password missing: version 1 was deleted at 2026-11-01T00:00:00Z"):
        read(vault)


def test_nothing_of_it_is_in_its_text(server: FakeVault, vault: Vault) -> None:
    put(server, password=OLD, password_next=NEW)
    assert "canary" not in repr(read(vault))


def test_a_name_that_may_stay_needs_no_new_one(server: FakeVault, vault: Vault) -> None:
    put(server, username="alice", password=OLD, password_next=NEW)
    found = rotation.read(vault, "secret", PATH, ("username", "password"), ("username",))
    rotation.refuse_unusable(found, gives=True)
    rotation.finish(vault, rotation.promote(vault, found))
    assert held(server) == {"username": "alice", "password": NEW}
