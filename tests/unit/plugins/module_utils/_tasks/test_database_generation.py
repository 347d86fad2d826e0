# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Cluster is the database is read from what a restore keeps, and nobody works with one that is about to change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import database_generation
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

BEGUN = {"began": "2026-11-29T13:00:00Z", "current": "mastodon-db-2", "former": "mastodon-db", "restored_from": "old"}


class Place:
    """A namespace, and whether a restore asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = FakeApi()
        monkeypatch.setattr(database_generation, "connect", lambda *_unused: None)
        monkeypatch.setattr(database_generation, "open_objects", lambda *_unused: self.api)

    def keep(self, **data: str) -> None:
        self.api.put(generation.place_of("mastodon", "mastodon-db").body(data))

    def run(self, *, restoring: bool = False) -> dict[str, Any]:
        given = {"namespace": "mastodon", "cluster": "mastodon-db", "restoring": restoring}
        return database_generation.run_task(given, Run(check=False, diff=False, say=print, environment={}))


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_without_a_restore_it_is_the_one_of_the_settings(place: Place) -> None:
    found = place.run()
    assert found == {
        "changed": False,
        "place": "mastodon/mastodon-db",
        "current": "mastodon-db",
        "former": "",
        "restoring": False,
    }


def test_after_a_restore_it_is_the_one_that_was_restored(place: Place) -> None:
    place.keep(**BEGUN, ended="2026-11-29T13:09:00Z")
    found = place.run()
    assert (found["current"], found["former"], found["restoring"]) == ("mastodon-db-2", "mastodon-db", False)
    assert place.api.writes == []


def test_while_it_is_restored_nobody_else_goes_on(place: Place) -> None:
    place.keep(**BEGUN, asked="2026-11-29T03:00:00Z")
    with pytest.raises(MastodonError) as caught:
        place.run()
    assert str(caught.value) == (
        "Database mastodon/mastodon-db: is being restored: restoring the backup of old as of 2026-11-29T03:00:00Z into Cluster "
        "mastodon-db-2 began at 2026-11-29T13:00:00Z and has not ended. Run ansible-playbook -i inventories/mine "
        "fediverse.mastodon.restore again with the same settings: it goes on where it stopped."
    )
    assert place.run(restoring=True)["restoring"] is True


def test_somebodys_of_the_name_of_its_record_is_not_taken_for_it(place: Place) -> None:
    body = generation.place_of("mastodon", "mastodon-db").body({"current": "another"})
    body["metadata"]["labels"] = {}
    place.api.put(body)
    with pytest.raises(MastodonError, match="ConfigMap mastodon/mastodon-db-generation: is in the way"):
        place.run()


@pytest.mark.parametrize(
    ("taken", "following"),
    [
        ([], "mastodon-db-2"),
        (["mastodon-db"], "mastodon-db-2"),
        (["mastodon-db", "mastodon-db-2"], "mastodon-db-3"),
        (["mastodon-db-4", "mastodon-db-rehearsal", "mastodon-db-x-9", "other-7"], "mastodon-db-5"),
    ],
)
def test_the_next_has_a_name_after_all_that_were(taken: list[str], following: str) -> None:
    assert generation.next_name("mastodon-db", taken) == following


def test_it_is_told_what_was_done() -> None:
    ended = generation.Generation(**BEGUN, ended="2026-11-29T13:09:00Z", seconds="540")
    assert ended.line() == (
        "restoring the backup of old into Cluster mastodon-db-2 took 540 s; Cluster mastodon-db is kept"
    )
    stopped = generation.Generation(began="x", current="a", former="a-2", back="true", failure="it broke")
    assert stopped.line() == "going back from Cluster a-2 to a has not ended: it broke"
