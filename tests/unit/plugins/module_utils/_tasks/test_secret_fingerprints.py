# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotation by which pods are created again when a Secret changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import secret_fingerprints
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored

LOGIN = {"username": "canary-user", "password": "canary-password"}


class World:
    """What the cluster and Vault hold."""

    def __init__(self) -> None:
        self.vault = {"m/fingerprint": Stored(1, {"key": "ab" * 32}), "m/smtp": Stored(1, dict(LOGIN))}
        self.secrets: dict[str, dict[str, str]] = {"smtp": dict(LOGIN), "s3": {"id": "canary-id"}}
        self.said: list[str] = []

    def read(self, _vault: Any, _mount: str, path: str) -> Stored:
        return self.vault.get(path, Stored())

    def annotations(self, *, check: bool = False) -> dict[str, str]:
        secrets = [
            {"name": "smtp", "path": "m/smtp", "keys": ["username", "password"]},
            {"name": "s3", "path": "", "keys": []},
        ]
        parameters = {
            "namespace": "mastodon",
            "mount": "secret",
            "fingerprint_key": "m/fingerprint",
            "secrets": secrets,
        }
        result = secret_fingerprints.run_task(
            parameters, Run(check=check, diff=False, say=self.said.append, environment={})
        )
        assert not result["changed"]
        assert "canary" not in f"{result}{self.said}"
        found: dict[str, str] = result["annotations"]
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    here = World()
    monkeypatch.setattr(secret_fingerprints, "connect", lambda *_unused: None)
    monkeypatch.setattr(secret_fingerprints.vault, "connect", lambda *_unused: None)
    monkeypatch.setattr(secret_fingerprints.kv, "read", here.read)
    monkeypatch.setattr(
        secret_fingerprints,
        "read_secret",
        lambda _connection, _namespace, name: Secret(name, here.secrets[name]) if name in here.secrets else None,
    )
    return here


def test_it_names_each_secret_and_stays_as_long_as_they_do(world: World) -> None:
    first = world.annotations()
    assert list(first) == ["fediverse.mastodon/secrets"]
    assert [pair.partition("=")[0] for pair in first["fediverse.mastodon/secrets"].split()] == ["s3", "smtp"]
    assert world.annotations() == first
    assert world.said == []


def test_it_is_of_what_pods_start_with_and_says_what_is_older_than_vault(world: World) -> None:
    before = world.annotations()
    world.vault["m/smtp"] = Stored(2, {**LOGIN, "password": "canary-other"})
    assert world.annotations() == before
    assert world.said == [
        "Secret mastodon/smtp has an older password than Vault path m/smtp, and so have pods that start with it. "
        "Run with --tags external_secrets as well."
    ]
    assert world.annotations(check=True) == before
    assert len(world.said) == 1


@pytest.mark.parametrize("name", ["smtp", "s3"])
def test_a_changed_value_changes_the_part_of_its_secret_only(world: World, name: str) -> None:
    before = world.annotations()["fediverse.mastodon/secrets"].split()
    world.secrets[name][next(iter(world.secrets[name]))] = "canary-other"
    after = world.annotations()["fediverse.mastodon/secrets"].split()
    assert [pair.partition("=")[0] for pair in set(after) - set(before)] == [name]


def test_it_cannot_be_guessed_without_the_key(world: World) -> None:
    before = world.annotations()
    world.vault["m/fingerprint"] = Stored(1, {"key": "cd" * 32})
    assert not set(before["fediverse.mastodon/secrets"].split()) & set(
        world.annotations()["fediverse.mastodon/secrets"].split()
    )


def test_of_a_secret_that_is_not_made_yet_it_is_what_it_will_be(world: World) -> None:
    made = world.annotations()
    del world.secrets["smtp"]
    assert world.annotations() == made


def test_there_is_none_before_there_is_anything_to_make_it_of(world: World) -> None:
    world.secrets.clear()
    world.vault = {"m/fingerprint": Stored(1, {"key": "ab" * 32})}
    assert world.annotations() == {}
    world.secrets["smtp"] = dict(LOGIN)
    world.vault.clear()
    assert world.annotations() == {}
