# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database is imported by another major of PostgreSQL, by the steps of a restore: nothing is emptied, and the former one ends last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation, major
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks import test_database_restore
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks.test_database_restore import (
    NOW,
    backup,
    healthy,
    kill,
)

OLD, NEW = "ghcr.io/cloudnative-pg/postgresql:15", "ghcr.io/cloudnative-pg/postgresql:17"
ASKED = {"major": True, "image": NEW, "storage": "10Gi"}


class Place(test_database_restore.Place):
    """A living Mastodon's database of PostgreSQL 15."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch)
        self.database = Database("UTF8", "C", "C", "c", 2**20)
        item = healthy()
        item["spec"]["imageName"] = OLD
        self.api.put(item)

    def ask(self, _cluster: str, _question: Callable[..., Any]) -> Database:
        return self.database

    def rehearsed_import(self, image: str = NEW, *, ago: timedelta = timedelta(hours=2)) -> None:
        ended = (NOW - ago).isoformat().replace("+00:00", "Z")
        self.api.put(major.place_of("mastodon", "mastodon-db").body({"ended": ended, "image": image}))

    def imported(self) -> None:
        """Do what roles do between the steps: the new Cluster is there and runs, while the former one does."""
        there = ObjectRef("postgresql.cnpg.io", "Cluster", "mastodon", self.kept.current) in self.api.objects
        assert there or not self.is_asleep("mastodon-db")
        self.restored(self.kept.current)
        self.cluster(self.kept.current)["spec"]["imageName"] = NEW

    def import_through(self, **asked: Any) -> None:
        if not self.run(**{**ASKED, **asked})["restore"]:
            return
        for state in ("switched", "emptied", "ended"):
            if state == "emptied":
                self.imported()
            self.run(state, **{**ASKED, **asked})


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(monkeypatch)
    found.rehearsed_import()
    return found


def test_the_former_one_runs_until_all_is_imported_and_nothing_is_emptied(place: Place) -> None:
    for kind in ("ScheduledBackup", "Pooler"):
        place.bound(kind, "bound", ours=True)
    result = place.run(**ASKED)
    assert (result["current"], result["former"], result["image"], result["restored_from"]) == (
        "mastodon-db-2",
        "mastodon-db",
        NEW,
        "",
    )
    place.run("switched", **ASKED)
    assert not place.is_asleep("mastodon-db")
    deleted = [call for call in place.api.writes if call.startswith("delete") and "Lease" not in call]
    assert deleted == ["delete ScheduledBackup mastodon/bound", "delete Pooler mastodon/bound"]
    place.imported()
    place.run("emptied", **ASKED)
    assert (place.is_asleep("mastodon-db"), place.emptied) == (True, 0)
    place.run("ended", **ASKED)
    kept = place.kept
    assert (kept.current, kept.is_open) == ("mastodon-db-2", False)
    assert kept.line().startswith(f"importing Cluster mastodon-db into Cluster mastodon-db-2 by {NEW} took ")
    assert any(
        f"The way back, with cnpg_cluster_image set back to {OLD}: ansible-playbook" in line for line in place.said
    )


def test_what_a_dump_does_not_carry_is_said(place: Place) -> None:
    place.database = replace(place.database, left=("role reader",))
    place.run(**ASKED)
    assert "not imported, make them again where you need them: role reader" in place.said


def test_the_same_again_and_a_database_of_that_major_change_nothing(place: Place) -> None:
    place.import_through()
    writes = len(place.api.writes)
    assert place.run(**ASKED)["restore"] is False
    assert place.run(**{**ASKED, "image": f"{NEW}.9"})["restore"] is False
    assert len(place.api.writes) == writes


def test_a_database_that_never_was_of_another_needs_no_import(place: Place) -> None:
    assert place.run(**{**ASKED, "image": f"{OLD}.9"})["restore"] is False
    assert "Database mastodon/mastodon-db is as asked for already" in place.said
    assert "cannot go back to PostgreSQL 14" in place.refusal(**{**ASKED, "image": OLD.replace("15", "14")})
    assert place.api.writes == []


def test_killed_at_any_write_the_same_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Place(monkeypatch)
    whole.rehearsed_import()
    whole.import_through()
    for moment in range(len(whole.api.writes)):
        place = Place(monkeypatch)
        place.rehearsed_import()
        kill(place, moment, place.import_through)
        place.import_through()
        kept = place.kept
        assert (kept.current, kept.former, kept.is_open) == ("mastodon-db-2", "mastodon-db", False), moment
        assert (place.is_asleep("mastodon-db"), place.is_asleep("mastodon-db-2"), place.emptied) == (True, False, 0)


def test_half_way_nothing_else_is_begun_and_site_names_what_goes_on(place: Place) -> None:
    place.run(**ASKED)
    for other in ({}, {**ASKED, "image": f"{NEW}.9"}):
        said = place.refusal(**other)
        assert f"Go on with it, {generation.IMPORT} with cnpg_cluster_image: {NEW}, or go back from it" in said
    with pytest.raises(MastodonError, match=r"is being imported.*fediverse\.mastodon\.database_major again"):
        generation.refuse_open("mastodon", "mastodon-db", place.kept)


def test_half_way_it_is_gone_back_from_and_the_former_one_goes_on(place: Place) -> None:
    place.run(**ASKED)
    place.run("switched", **ASKED)
    back = {"back": "mastodon-db", "image": OLD}
    place.imported()
    place.through(**back)
    assert (place.kept.current, place.kept.former, place.kept.is_open) == ("mastodon-db", "mastodon-db-2", False)
    assert (place.is_asleep("mastodon-db"), place.is_asleep("mastodon-db-2")) == (False, True)


def test_the_way_back_wants_the_former_image(place: Place) -> None:
    place.import_through()
    writes = len(place.api.writes)
    said = place.refusal(back="mastodon-db", image=NEW)
    assert (
        said
        == f"Cluster mastodon/mastodon-db: is PostgreSQL 15: cnpg_cluster_image is one of 17. Set cnpg_cluster_image to {OLD}."
    )
    assert len(place.api.writes) == writes
    place.through(back="mastodon-db", image=OLD)
    assert (place.is_asleep("mastodon-db"), place.is_asleep("mastodon-db-2")) == (False, True)
    # And forward again, as a new one.
    place.rehearsed_import()
    assert place.run(**ASKED)["current"] == "mastodon-db-3"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (backup, "a backup of it runs"),
        (lambda place: place.rehearsed_import(OLD), "its import was not rehearsed within a day"),
        (lambda place: place.rehearsed_import(ago=timedelta(hours=25)), "more than a day ago"),
        (
            lambda place: setattr(place, "database", replace(place.database, collate="de_DE.utf8")),
            "sorts text otherwise",
        ),
        (
            lambda place: setattr(place, "database", replace(place.database, size=9 * 2**30)),
            "has no room to be imported",
        ),
        (lambda place: place.cluster("mastodon-db")["status"].update(readyInstances=0), "does not run"),
    ],
)
def test_what_speaks_against_it_is_said_before_anything_is_written(
    place: Place, other: Callable[[Place], None], why: str
) -> None:
    other(place)
    assert why in place.refusal(**ASKED)
    assert place.api.writes == []


def test_a_rehearsal_of_a_restore_is_none_of_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(monkeypatch)
    place.rehearsed()
    assert "nothing of it was rehearsed" in place.refusal(**ASKED)
    assert place.run(**ASKED, unrehearsed=True)["restore"] is True


def test_of_what_it_stopped_is_said_that_it_was_an_import(place: Place) -> None:
    place.run(**ASKED)
    assert "stopped while it was imported: it broke. Mastodon is stopped meanwhile." in place.refusal(
        "stopped", why="it broke"
    )
