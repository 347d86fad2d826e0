# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database begins, asked of a cluster in memory, a Vault in memory and an S3 server on the loopback."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import database_beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import archives
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import World
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.test_beginning import (
    archived,
    cluster,
    restored,
)

from ..s3_server import KEYS, S3

PATH = "mastodon/example.org/postgresql-backup"
ASKED = {"namespace": "mastodon", "cluster": "mastodon-db", "domain": "example.org", "bucket": "media", "path": PATH}
EMPTY = dict.fromkeys(
    ("region", "access_key", "secret_key", "server_name", "restore_from", "restore_at", "begin_anew"), ""
)
HELD = dict.fromkeys(["mastodon-db/base/20261101T030000/backup.info", "mastodon-db/wals/0000000100000000/x"], b"")


class Place:
    """A cluster, a Vault, and a bucket."""

    def __init__(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.s3 = World(), s3
        self.world.store(PATH, {"access-key-id": KEYS.access_key, "secret-access-key": KEYS.secret_key})
        monkeypatch.setattr(database_beginning, "connect", lambda *_unused: None)
        monkeypatch.setattr(database_beginning, "open_objects", lambda *_unused: self.world.api)
        monkeypatch.setattr(database_beginning.vault, "connect", self.world.connect)

    def put(self, item: dict[str, Any]) -> None:
        self.world.api.put({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", **item})

    def run(self, *, check: bool = False, **asked: Any) -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.world.said.append, environment={})
        usual = {**ASKED, **EMPTY, "mount": "secret", "endpoint": self.s3.endpoint, "wait_timeout": 0}
        found = database_beginning.run_task({**usual, **asked}, run)
        assert found.pop("changed") is False
        return found

    def refused(self, **asked: Any) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(**asked)
        assert KEYS.secret_key not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def place(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(s3, monkeypatch)


def began(server_name: str, restored_from: str = "", restored_at: str = "") -> dict[str, str]:
    return {"server_name": server_name, "restored_from": restored_from, "restored_at": restored_at, "imported_from": ""}


def test_an_empty_bucket_lets_it_begin_empty_and_nothing_is_said(place: Place) -> None:
    assert place.run() == began("mastodon-db")
    assert place.world.said == []


@pytest.mark.parametrize("check", [False, True])
def test_a_backup_in_the_bucket_is_not_passed_over(place: Place, check: bool) -> None:
    place.s3.objects = HELD
    assert "would be created empty, and a backup of mastodon-db is there" in place.refused(check=check)


def test_what_is_to_be_restored_is_said(place: Place) -> None:
    place.s3.objects = HELD
    asked = {"restore_from": "mastodon-db", "restore_at": "2026-11-02T00:00:00Z"}
    assert place.run(check=True, **asked) == began("mastodon-db-2", "mastodon-db", "2026-11-02T00:00:00Z")
    assert place.world.said == [
        "would create Cluster mastodon/mastodon-db from the backup of mastodon-db as of 2026-11-02T00:00:00Z",
        "Cluster mastodon/mastodon-db is backed up as mastodon-db-2, beside what was backed up before",
    ]


def test_a_cluster_that_is_there_is_as_it_is_and_the_bucket_is_not_asked(place: Place) -> None:
    place.put({**restored(plugins=archived("mastodon-db-2")), "status": {"currentPrimary": "mastodon-db-1"}})
    place.s3.accepts = "another"
    for asked in ({}, {"restore_from": "mastodon-db"}, {"begin_anew": "example.org"}):
        assert place.run(**asked) == began("mastodon-db-2", "mastodon-db")
    assert place.run(server_name="chosen")["server_name"] == "chosen"


def test_one_that_is_backed_up_from_now_on_gets_a_name_of_its_own(place: Place) -> None:
    place.put(cluster())
    place.s3.objects = HELD
    assert place.run() == began("mastodon-db-2")
    place.s3.accepts = "another"
    assert place.run() == began("mastodon-db")
    assert place.world.said[-1].startswith("skipped the look for backups of others: Bucket media at ")


def test_who_cannot_be_asked_is_not_taken_to_hold_nothing(place: Place) -> None:
    place.s3.accepts = "another"
    said = place.refused()
    assert (
        "could not be asked whether it holds a backup of this Mastodon: listing it failed: 403 InvalidAccessKeyId"
        in said
    )
    assert said.endswith("If you know that there is none, set cnpg_begin_anew to example.org.")
    assert place.run(begin_anew="example.org") == began("mastodon-db")
    assert place.world.said[-1].startswith("skipped the look for backups of Cluster mastodon/mastodon-db: ")


def test_what_is_restored_needs_the_bucket_to_be_asked(place: Place) -> None:
    place.s3.accepts = "another"
    assert "could not be asked" in place.refused(restore_from="mastodon-db", begin_anew="example.org")


def test_keys_that_are_given_count_until_vault_has_them(place: Place) -> None:
    place.world.lose(PATH)
    assert "has no keys of the bucket of backups" in place.refused()
    # An earlier task would have written them.
    assert place.run(check=True) == began("mastodon-db")
    assert "has no keys" in place.refused(check=True, restore_from="mastodon-db")
    given = {"access_key": KEYS.access_key, "secret_key": KEYS.secret_key}
    assert place.run(**given) == began("mastodon-db")


def test_a_store_of_this_cluster_that_is_not_there_yet_holds_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = forward.NotThereError("Service a/b", "does not exist")
    monkeypatch.setattr(archives.forward, "way_to_url", lambda *_unused: raising(error))
    assert place.run() == began("mastodon-db")


def test_a_store_of_this_cluster_that_does_not_come_up_is_not_taken_to_hold_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = forward.NoPodError("Service a/b", "cannot be reached", "no pod behind it is ready")
    monkeypatch.setattr(archives.forward, "way_to_url", lambda *_unused: raising(error))
    assert "no pod behind it is ready" in place.refused()


def raising(error: MastodonError) -> Any:
    def dial() -> None:
        raise error

    return dial
