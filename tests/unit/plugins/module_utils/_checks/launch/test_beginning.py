# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is created: no empty database and no new keys where a backup of an earlier database is in the bucket."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import archives
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    World,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks.test_database_beginning import (
    ASKED,
    EMPTY,
    HELD,
    PATH,
    raising,
)

from ...s3_server import KEYS as OF_BUCKET
from ...s3_server import S3


class Lost:
    """A world of which Vault and the bucket may be left."""

    def __init__(self, world: World, s3: S3) -> None:
        self.world, self.s3 = world, s3
        world.store(PATH, {"access-key-id": OF_BUCKET.access_key, "secret-access-key": OF_BUCKET.secret_key})

    def asked(self, **other: Any) -> dict[str, Any]:
        return {"beginning": {**ASKED, **EMPTY, "endpoint": self.s3.endpoint, **other}}


@pytest.fixture
def lost(world: World, s3: S3) -> Lost:
    return Lost(world, s3)


def test_an_empty_bucket_lets_a_first_mastodon_begin(lost: Lost) -> None:
    assert lost.world.check(**lost.asked())["launched"] is False


def test_keys_are_not_created_again_that_a_backup_needs(lost: Lost) -> None:
    lost.s3.objects = HELD
    [keys, empty] = lost.world.refused(**lost.asked())
    assert keys == (
        f"Vault path secret/{APP}: is empty: backup mastodon-db in bucket media could not be read without it, so it is not created "
        "again. Restore it from a backup of Vault, or write it there. To begin without that backup, set cnpg_begin_anew to the domain."
    )
    assert "would be created empty" in empty
    # Restoring it does not bring them back.
    assert lost.world.refused(**lost.asked(restore_from="mastodon-db")) == [keys]


def test_with_its_keys_it_may_be_restored_and_is_not_begun_empty(lost: Lost) -> None:
    lost.s3.objects = HELD
    lost.world.store(APP, KEYS)
    [empty] = lost.world.refused(**lost.asked())
    assert "Set cnpg_restore_from to mastodon-db to restore it" in empty
    assert lost.world.check(**lost.asked(restore_from="mastodon-db"))["launched"] is False


def test_who_says_so_begins_anew_with_new_keys(lost: Lost) -> None:
    lost.s3.objects = HELD
    assert lost.world.check(**lost.asked(begin_anew="example.org"))["launched"] is False
    lost.s3.accepts = "another"
    assert lost.world.check(**lost.asked(begin_anew="example.org"))["launched"] is False


def test_a_bucket_that_cannot_be_asked_is_not_taken_to_be_empty(lost: Lost) -> None:
    lost.s3.accepts = "another"
    assert any("could not be asked whether it holds a backup" in line for line in lost.world.refused(**lost.asked()))


def test_as_long_as_it_has_no_keys_the_bucket_is_not_asked(lost: Lost) -> None:
    lost.world.lose(PATH)
    lost.s3.objects = HELD
    assert lost.world.check(**lost.asked())["launched"] is False


def test_a_store_of_the_cluster_that_starts_is_asked_later_but_not_for_keys(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = forward.NoPodError("Service a/b", "cannot be reached", "no pod behind it is ready")
    monkeypatch.setattr(archives.forward, "way_to_url", lambda *_unused: raising(error))
    [keys] = lost.world.refused(**lost.asked())
    assert "no pod behind it is ready" in keys
    lost.world.store(APP, KEYS)
    assert lost.world.check(**lost.asked())["launched"] is False


@pytest.mark.parametrize("runs", [True, False])
def test_where_a_database_is_the_bucket_is_not_asked(lost: Lost, runs: bool) -> None:
    if runs:
        lost.world.launch()
    else:
        lost.world.store(APP, KEYS)
        lost.world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db")
    lost.s3.accepts = "another"
    assert lost.world.check(**lost.asked())["launched"] is runs
