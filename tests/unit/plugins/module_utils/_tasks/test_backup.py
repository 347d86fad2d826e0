# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A base backup is made only when it can be, is over only when it can be restored, and is kept however it ends."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import base_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import backing_up
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_origin import (
    CLUSTER,
    STORE,
    changed,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
KINDS = (
    *(one for one in SERVED if one.kind != "Cluster"),
    Resource("postgresql.cnpg.io", "v1", "Cluster", "clusters", namespaced=True),
    kind("postgresql.cnpg.io", "Backup"),
    kind("barmancloud.cnpg.io", "ObjectStore"),
    LEASE,
)
# As CloudNativePG 1.30 writes it.
DONE = {
    "phase": "completed",
    "beginWal": "000000010000000000000004",
    "endWal": "000000010000000000000005",
    "startedAt": "2026-11-29T03:00:00Z",
    "stoppedAt": "2026-11-29T03:00:05Z",
}


class Place:
    """A cluster with a database, and what becomes of a Backup there: one status after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.statuses: list[dict[str, Any]] = [{}, {"phase": "running"}, DONE]
        self.archived = ["000000010000000000000003", "000000010000000000000003", "000000010000000000000005"]
        store = {"apiVersion": "barmancloud.cnpg.io/v1", "kind": "ObjectStore", **copy.deepcopy(STORE)}
        store["spec"]["configuration"]["destinationPath"] = "s3://mastodon/"
        self.api = FakeApi(NAMESPACE, copy.deepcopy(CLUSTER), store)
        self.api.served = list(KINDS)
        self.denied: set[tuple[str, str]] = set()
        monkeypatch.setattr(backup, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(backup, "open_objects", lambda connection, limit, say: self.api)
        monkeypatch.setattr(backup, "Client", lambda connection, limit, say: self)
        monkeypatch.setattr(backup, "asking", lambda connection, namespace: self.ask)
        monkeypatch.setattr(backing_up, "_PAUSE", 0.0)
        self._monkeypatch, read = monkeypatch, self.api.read

        def moving(selection: Any) -> Any:
            if selection.resource.kind == "Backup" and selection.name:
                self.move(selection.name)
            return read(selection)

        monkeypatch.setattr(self.api, "read", moving)

    def move(self, name: str) -> None:
        """Let the Backup become what it becomes next."""
        for subject, item in self.api.objects.items():
            if (subject.kind, subject.name) == ("Backup", name) and self.statuses:
                item["status"] = self.statuses.pop(0)
                if item["status"].get("phase") == "completed":
                    self.window(item["status"]["stoppedAt"])

    def window(self, last: str) -> None:
        """Let the plugin report its last backup."""
        for subject, item in self.api.objects.items():
            if subject.kind == "ObjectStore":
                item["status"]["serverRecoveryWindow"]["server-2"]["lastSuccessfulBackupTime"] = last

    def ask(self, pod: str, sql: str) -> str:
        self.asked.append(f"{pod}: {sql}")
        if "pg_switch_wal" in sql:
            return "000000010000000000000005"
        return self.archived.pop(0) if len(self.archived) > 1 else self.archived[0]

    def run(self, *, check: bool = False, wait_timeout: int = 60) -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        return backup.run_task({"namespace": "mastodon", "cluster": "mastodon-db", "wait_timeout": wait_timeout}, run)

    def request(self, method: str, path: str, *, body: Any, read: Callable[[object], bool], **_about: Any) -> bool:
        """Answer what its user may do, as the API server would."""
        asked = body["spec"]["resourceAttributes"]
        allowed = asked["resource"] != "*" and (asked["verb"], asked["resource"]) not in self.denied
        return read({"status": {"allowed": allowed}})

    def refusal(self, *, check: bool = False, wait_timeout: int = 60) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(check=check, wait_timeout=wait_timeout)
        return str(caught.value)

    def change(self, part: str, **fields: Any) -> None:
        """Give the Cluster other fields."""
        self.api.put(changed(CLUSTER, part, **fields))

    @property
    def made(self) -> list[dict[str, Any]]:
        return [item for subject, item in self.api.objects.items() if subject.kind == "Backup"]

    @property
    def kept(self) -> base_backup.BaseBackup | None:
        return base_backup.read_all(self.api).get(("mastodon", "mastodon-db"))

    @property
    def leases(self) -> list[str]:
        return [subject.name for subject in self.api.objects if subject.kind == "Lease"]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def existing(name: str, status: dict[str, Any], *, ours: bool = False) -> dict[str, Any]:
    labels = {base_backup.LABEL: "mastodon-db"} if ours else {}
    metadata = {"name": name, "namespace": "mastodon", "labels": labels, "creationTimestamp": "2026-11-29T02:59:00Z"}
    spec = {"cluster": {"name": "mastodon-db"}, "method": "plugin"}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Backup",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


NAME = "Cluster mastodon/mastodon-db"
GOOD = f"{NAME}: Backup mastodon-db-now-"


def test_it_is_over_when_it_is_complete_its_wal_archived_and_the_plugin_knows_it(place: Place) -> None:
    result = place.run()
    [made] = place.made
    assert made["spec"] == {
        "cluster": {"name": "mastodon-db"},
        "method": "plugin",
        "pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
    }
    assert result == {
        "changed": True,
        "backup": made["metadata"]["name"],
        "ended": DONE["stoppedAt"],
        "wal": "000000010000000000000005",
    }
    assert [one.partition(": SELECT ")[2][:20] for one in place.asked] == [
        "coalesce(last_archiv",
        "pg_walfile_name(pg_s",
        "coalesce(last_archiv",
        "coalesce(last_archiv",
    ]
    assert place.kept
    assert (place.kept.backup, place.kept.wal, place.kept.failure) == (result["backup"], result["wal"], "")
    assert place.said[-1].startswith(GOOD)
    assert place.said[-1].endswith(
        "with its WAL up to 000000010000000000000005, in s3://mastodon/server-2 at https://s3.example.org"
    )
    assert place.leases == []


def test_wal_that_is_archived_already_is_not_ended_early(place: Place) -> None:
    # The label of a backup is archived after its WAL, and a later timeline has all of an earlier one.
    place.archived = ["000000020000000000000005.00000028.backup"]
    assert place.run()["wal"] == "000000020000000000000005.00000028.backup"
    assert len(place.asked) == 1


def test_a_backup_that_the_plugin_does_not_know_is_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "window", lambda last: None)
    place.statuses, place.archived = [{**DONE, "stoppedAt": "2026-11-30T03:00:05Z"}], [DONE["endWal"]]
    assert "ObjectStore mastodon/store: was waited for in vain to know of it" in place.refusal(wait_timeout=0)
    assert place.kept
    assert place.kept.failure.startswith("ObjectStore mastodon/store")


def test_wal_that_is_never_archived_is_named(place: Place) -> None:
    place.statuses, place.archived = [DONE], ["000000010000000000000003"]
    assert place.refusal(wait_timeout=0).startswith(
        "WAL 000000010000000000000005: was waited for in vain to be archived"
    )


def test_archiving_that_breaks_meanwhile_is_quoted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.archived = ["000000010000000000000003"]
    broken = [{"type": "ContinuousArchiving", "status": "False", "reason": "Failing", "message": "no such bucket"}]
    ask = place.ask

    def breaking(pod: str, sql: str) -> str:
        place.change("status", conditions=broken)
        return ask(pod, sql)

    monkeypatch.setattr(place, "ask", breaking)
    assert "does not archive its WAL: no such bucket" in place.refusal()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            {"phase": "failed", "error": "exit status 2"},
            "failed: exit status 2. Read the log of the plugin, and run again.",
        ),
        (
            {"phase": "completed", "stoppedAt": "2026-11-29T03:00:05Z"},
            "does not say which WAL it needs: nothing proves that it can be restored. Upgrade the plugin, and run again.",
        ),
        ({"phase": "walArchivingFailing"}, "waits: WAL of its database does not reach the archive. Mend the archiving"),
    ],
)
def test_a_backup_that_fails_is_named_and_kept(place: Place, status: dict[str, Any], sentence: str) -> None:
    place.statuses = [{"phase": "running"}, status]
    assert sentence in place.refusal()
    assert place.kept
    assert sentence in place.kept.failure
    assert place.leases == []


def test_one_that_is_deleted_meanwhile_is_no_backup(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.statuses = [{"phase": "running"}]
    move = place.move

    def vanish(name: str) -> None:
        if not place.statuses:
            for item in place.made:
                place.api.put(item, "DELETED")
        move(name)

    monkeypatch.setattr(place, "move", vanish)
    assert "was deleted meanwhile. Run again." in place.refusal()


@pytest.mark.parametrize("check", [True, False])
def test_beside_another_none_is_made(place: Place, check: bool) -> None:
    place.api.put(existing("mastodon-db-20261129025900", {"phase": "running"}))
    assert place.refusal(check=check) == (
        f"{NAME}: another backup of it runs: Backup mastodon/mastodon-db-20261129025900 began at 2026-11-29T02:59:00Z. Wait until it"
        " has ended."
    )
    # What is known of the last one still holds.
    assert (len(place.made), place.kept, place.leases) == (1, None, [])


def test_one_that_has_ended_is_not_in_the_way(place: Place) -> None:
    place.api.put(existing("old", {"phase": "failed"}))
    place.api.put(existing("older", DONE))
    place.run()
    assert len(place.made) == 3


def test_a_run_that_was_killed_goes_on_with_what_it_had_begun(place: Place) -> None:
    place.api.put(existing("mastodon-db-now-1", {"phase": "running"}, ours=True))
    place.run(check=True)
    assert place.said == [
        f"would go on with Backup mastodon/mastodon-db-now-1 of {NAME} to s3://mastodon/server-2 at https://s3.example.org, and wait until"
        " its WAL is archived"
    ]
    assert place.run()["backup"] == "mastodon-db-now-1"
    assert len(place.made) == 1
    assert place.kept
    assert place.kept.backup == "mastodon-db-now-1"


def test_in_check_mode_nothing_is_written(place: Place) -> None:
    place.run(check=True)
    assert place.said == [
        f"would make a base backup of {NAME} to s3://mastodon/server-2 at https://s3.example.org, and wait until its WAL is archived"
    ]
    assert (place.made, place.kept, place.leases) == ([], None, [])


@pytest.mark.parametrize(
    ("part", "fields", "sentence"),
    [
        ("spec", {"plugins": []}, "is not backed up. Set cnpg_backup: true and run fediverse.mastodon.site."),
        (
            "status",
            {"conditions": [{"type": "ContinuousArchiving", "status": "False", "message": "403"}]},
            "does not archive its WAL: 403. Read why: kubectl logs",
        ),
        ("status", {"readyInstances": 0, "phase": "Failing over"}, "does not run: Failing over. Bring it up first."),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_cannot_be_backed_up_is_refused_and_that_is_kept(
    place: Place, part: str, fields: dict[str, Any], sentence: str, check: bool
) -> None:
    place.change(part, **fields)
    assert place.refusal(check=check).startswith(f"{NAME}: {sentence}")
    assert (place.made, place.leases) == ([], [])
    assert (place.kept is None) is check


def test_who_may_not_is_told_so_before_anything_is_written(place: Place) -> None:
    place.denied = {("create", "pods")}
    assert "pods/exec" in place.refusal()
    assert (place.made, place.kept) == ([], None)


def test_a_record_of_somebody_elses_is_not_overwritten(place: Place) -> None:
    metadata = {"name": "mastodon-db-backup", "namespace": "mastodon"}
    place.api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mine": "yes"}})
    assert "ConfigMap mastodon/mastodon-db-backup: is in the way" in place.refusal()
    assert place.made == []
