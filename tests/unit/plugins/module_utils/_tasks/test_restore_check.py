# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was restored for good is waited for and read through once; what did not come up is explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import wait
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import restore_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import Databases, Found
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks.test_scratch import (
    DATABASE,
    Cluster,
    item,
)

PARAMETERS = {
    **DATABASE,
    "restored_from": "mastodon-old",
    "restored_at": "",
    "imported_from": "",
    "wait_timeout": 600,
}
CONDITIONS = [{"type": "Ready", "status": "True", "reason": "ClusterIsReady", "message": "Cluster is Ready"}]
READY = {"status": {"phase": "Cluster in healthy state", "readyInstances": 1, "conditions": CONDITIONS}}
RESTORING = {"status": {"phase": "Setting up primary"}}
FAILED = {"status": {"phase": "Cluster is unrecoverable and needs manual intervention"}}
JOB = {"cnpg.io/cluster": "mastodon-db", "cnpg.io/jobRole": "full-recovery"}
WELL = Found(
    "2026-11-29T02:58:00Z", None, ("rows that were restored: 3 users", "encrypted rows that today's keys open: 3")
)


class Place:
    """A cluster with a database that is restored, and how reading it goes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.said, self.read = Cluster(), list[str](), 0
        self.look: Callable[[], Found] = lambda: WELL
        # A second passes whenever somebody looks at the clock.
        monkeypatch.setattr(restore_check, "Deadline", partial(Deadline, clock=partial(next, count())))
        monkeypatch.setattr(wait, "_LOOK_AGAIN", 0.001)
        monkeypatch.setattr(restore_check, "connect", lambda *_unused: None)
        monkeypatch.setattr(restore_check, "open_objects", lambda *_unused: self.api)
        monkeypatch.setattr(restore_check, "opener_of", lambda *_unused: Opener("key", "salt"))
        monkeypatch.setattr(restore_check, "read_through", self._read)

    def _read(self, databases: Databases, cluster: str, _opener: Opener) -> Found:
        assert (cluster, databases.login.owner) == ("mastodon-db", "mastodon")
        self.read += 1
        return self.look()

    def put(self, status: dict[str, Any] = READY, **metadata: Any) -> None:
        self.api.put(item("Cluster", "mastodon-db", "postgresql.cnpg.io/v1", **metadata) | status)

    def run(self, *, check: bool = False, **other: Any) -> dict[str, Any]:
        return restore_check.run_task(
            {**PARAMETERS, **other}, Run(check=check, diff=False, say=self.said.append, environment={})
        )

    def refused(self, **other: Any) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(**other)
        return str(caught.value)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_it_is_read_through_once_and_that_is_kept(place: Place) -> None:
    place.put(uid="one")
    first = place.run()
    assert (first.pop("changed"), place.read) == (True, 1)
    assert (first["cluster_uid"], first["restored_from"], first["newest"]) == ("one", "mastodon-old", WELL.newest)
    assert place.said[-3:] == [
        *WELL.lines,
        "Cluster mastodon/mastodon-db: restored from the backup of mastodon-old up to 2026-11-29T02:58:00Z",
    ]
    again = place.run()
    assert (again.pop("changed"), place.read) == (False, 1)
    assert again == first


def test_what_is_imported_is_compared_with_where_it_comes_from_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"mastodon-db-0": {"rows of public.users": 3}, "mastodon-db": {"rows of public.users": 2}}
    monkeypatch.setattr(Databases, "ask", lambda _databases, cluster, _question: counts[cluster])
    place.put(uid="one")
    said = place.refused(restored_from="", imported_from="mastodon-db-0")
    assert "Cluster mastodon/mastodon-db: is not all of mastodon-db-0: rows of public.users: 2 in place of 3." in said
    assert (place.api.writes, place.read) == ([], 0)
    counts["mastodon-db"] = counts["mastodon-db-0"]
    first = place.run(restored_from="", imported_from="mastodon-db-0")
    assert (first["changed"], first["restored_from"]) == (True, "mastodon-db-0")
    assert (
        "the same in both: 3 rows of 1 tables, 0 sequences, 0 indexes, 0 constraints, 0 views, 0 functions"
        in place.said
    )
    assert (
        place.said[-1]
        == "Cluster mastodon/mastodon-db: imported from Cluster mastodon/mastodon-db-0 up to 2026-11-29T02:58:00Z"
    )
    counts.clear()
    assert place.run(restored_from="", imported_from="mastodon-db-0")["changed"] is False


def test_what_could_not_be_imported_is_explained(place: Place) -> None:
    place.put(FAILED)
    pod = item("Pod", "mastodon-db-1-import-abc", labels={**JOB, "cnpg.io/jobRole": "import"})
    place.api.put(pod | {"spec": {"containers": [{"name": "import"}]}})
    place.api.logs["import"] = json.dumps({"msg": "pg_dump: error: permission denied for table accounts"})
    said = place.refused(restored_from="", imported_from="mastodon-db-0")
    assert said.startswith("Cluster mastodon/mastodon-db-0: cannot be imported: permission denied for table accounts.")


def test_another_cluster_of_that_name_is_read_through_as_well(place: Place) -> None:
    place.put(uid="one")
    place.run()
    place.put(uid="two")
    assert (place.run()["changed"], place.read) == (True, 2)


def test_what_cannot_be_read_is_not_kept_as_well_restored(place: Place) -> None:
    place.put(uid="one")

    def fails() -> Found:
        raise MastodonError("Cluster mastodon/mastodon-db", "was restored, and Mastodon could not read all of it")

    place.look = fails
    assert "could not read all of it" in place.refused()
    assert place.api.writes == []
    place.look = lambda: WELL
    assert place.run()["changed"] is True


def test_what_did_not_come_up_is_explained_with_what_to_do(place: Place) -> None:
    place.put(FAILED)
    pod = item("Pod", "mastodon-db-1-full-recovery-abc", labels=JOB)
    place.api.put(pod | {"spec": {"containers": [{"name": "full-recovery"}]}})
    place.api.logs["full-recovery"] = json.dumps({"level": "error", "error": "no target backup found"})
    said = place.refused()
    assert said.startswith(
        "The backup of mastodon-old: cannot be restored: no base backup that ended before that time is in the bucket."
    )
    assert said.endswith(
        "Then delete what did not come up, kubectl delete clusters.postgresql.cnpg.io -n mastodon mastodon-db, and run again."
    )
    assert place.read == 0


def test_what_is_restored_still_is_not_to_be_deleted(place: Place) -> None:
    place.put(RESTORING)
    said = place.refused(wait_timeout=0)
    assert "not ready after 0 s" in said
    assert "delete" not in said


def test_in_check_mode_nothing_is_waited_for(place: Place) -> None:
    assert place.run(check=True)["changed"] is True
    assert (place.api.writes, place.read) == ([], 0)
    assert place.said == ["would wait until Cluster mastodon/mastodon-db is restored, and open what is encrypted in it"]


def test_somebodys_of_the_name_of_its_record_is_not_touched(place: Place) -> None:
    place.put(uid="one")
    place.api.put(item("ConfigMap", "mastodon-db-restored"))
    assert "ConfigMap mastodon/mastodon-db-restored: is in the way" in place.refused()
    assert (place.api.writes, place.read) == ([], 0)
