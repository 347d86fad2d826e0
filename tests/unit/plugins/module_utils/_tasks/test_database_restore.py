# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database is restored into a Cluster of its own: refused before anything is written, gone on with after any kill, and gone back from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP, POD, RESOURCE_QUOTA
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.redis_server import Emptied
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import database_restore
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import (
    archives,
    emptying,
    generations,
    restore_gate,
    rotating,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_origin import (
    CLUSTER,
    STORE,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

NOW = datetime(2026, 11, 29, 13, 0, tzinfo=UTC)
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
KINDS = (
    *(one for one in SERVED if one.kind not in ("Cluster", "ConfigMap")),
    *(CONFIG_MAP, POD, RESOURCE_QUOTA, LEASE),
    Resource("postgresql.cnpg.io", "v1", "Cluster", "clusters", namespaced=True),
    *(kind("postgresql.cnpg.io", name) for name in ("Backup", "ScheduledBackup", "Pooler")),
    kind("barmancloud.cnpg.io", "ObjectStore"),
)
SEGMENT = "000000010000000000000005"
REDIS = {"host": "redis", "port": 6379, "secret_namespace": "mastodon", "secret_name": "r", "namespace": "", "name": ""}


def healthy() -> dict[str, Any]:
    found = copy.deepcopy(CLUSTER)
    found["status"]["phase"] = "Cluster in healthy state"
    return found


class KilledError(BaseException):
    """The run ends here, without a word."""


class Place:
    """A living Mastodon's database. `look` is when it archived last, `held` the folders of the bucket."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.denied: set[tuple[str, str]] = set()
        self.held: dict[str, list[datetime]] = {"server-2": [NOW - timedelta(days=1)]}
        self.emptied, self.saved, self.sql, self.now, self.its_run = 0, 0, list[str](), NOW, ""
        self.vault: dict[str, str] = {"password": "x"}
        self.api = FakeApi(NAMESPACE, healthy(), self.store())
        self.api.served = list(KINDS)
        self.pod("mastodon-db")
        self.api.on_apply = self.react
        monkeypatch.setattr(emptying, "must_have_secret", self.must_have_secret)
        for name in ("connect", "open_objects", "Client", "asking"):
            monkeypatch.setattr(database_restore, name, getattr(self, name))
        for module in (database_restore, restore_gate):
            monkeypatch.setattr(module, "now", lambda: self.now)
        monkeypatch.setattr(database_restore.vault, "connect", lambda *_unused: None)
        monkeypatch.setattr(emptying.forward, "way_to", lambda *_unused: None)
        monkeypatch.setattr(restore_gate.kv, "read", lambda *_unused: type("Stored", (), {"data": self.vault}))
        monkeypatch.setattr(restore_gate, "Databases", lambda *_unused: self)
        monkeypatch.setattr(archives, "keys_of", lambda *_unused: "keys")
        monkeypatch.setattr(archives, "read", lambda *_unused: self.held)
        monkeypatch.setattr(emptying.redis_server, "empty", self.empty)
        for module in (generations, rotating):
            monkeypatch.setattr(module, "_PAUSE", 0.0)

    def connect(self, *_unused: Any) -> None:
        return None

    def open_objects(self, *_unused: Any) -> FakeApi:
        return self.api

    def Client(self, *_unused: Any, **_more: Any) -> Place:  # noqa: N802 as the class is called
        return self

    def request(self, method: str, path: str, *, body: Any, read: Callable[[object], bool], **_about: Any) -> bool:
        asked = body["spec"]["resourceAttributes"]
        return read(
            {"status": {"allowed": asked["resource"] != "*" and (asked["verb"], asked["resource"]) not in self.denied}}
        )

    def asking(self, *_unused: Any) -> Callable[[str, str], str]:
        def ask(pod: str, sql: str) -> str:
            self.sql.append(f"{pod}: {sql}")
            return SEGMENT

        return ask

    def must_have_secret(self, *_unused: Any) -> Secret:
        return Secret("Secret mastodon/r", {"password": "secret"})

    def look(self, _cluster: str) -> Any:
        archived = type("Archived", (), {"moment": NOW - timedelta(minutes=2)})
        return type("Before", (), {"archived": archived})

    def empty(self, _server: Any, password: str) -> Emptied:
        assert password == "secret"
        self.emptied += 1
        return Emptied(7, 20)

    def store(self, *known: str) -> dict[str, Any]:
        found = {"apiVersion": "barmancloud.cnpg.io/v1", "kind": "ObjectStore", **copy.deepcopy(STORE)}
        for name in known:
            window = {
                "firstRecoverabilityPoint": "2026-11-29T13:03:00Z",
                "lastSuccessfulBackupTime": "2026-11-29T13:03:00Z",
            }
            found["status"]["serverRecoveryWindow"][name] = window
        return found

    def pod(self, cluster: str) -> None:
        self.put("v1", "Pod", f"{cluster}-1", labels={"cnpg.io/cluster": cluster, "cnpg.io/podRole": "instance"})

    def put(
        self, api_version: str, kind_: str, name: str, *, labels: dict[str, str] | None = None, **other: Any
    ) -> None:
        metadata = {"name": name, "namespace": "mastodon", "labels": labels or {}}
        self.api.put({"apiVersion": api_version, "kind": kind_, "metadata": metadata, **other})

    def bound(self, kind_: str, name: str, *, ours: bool = False, to: str = "mastodon-db", **spec: Any) -> None:
        """Let something be bound to the database, which this collection applied or somebody else."""
        self.put("postgresql.cnpg.io/v1", kind_, name, spec={"cluster": {"name": to}, **spec})
        if ours:
            subject = ObjectRef("postgresql.cnpg.io", kind_, "mastodon", name)
            self.api.objects[subject]["metadata"]["managedFields"] = [
                {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:cluster": {}}}}
            ]

    def shared(self, kind_: str, manager: str, operation: str = "Apply") -> None:
        """Let somebody else apply it, too."""
        item = self.api.objects[ObjectRef("postgresql.cnpg.io", kind_, "mastodon", "bound")]
        notes = {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}}}
        item["metadata"]["managedFields"].append({"manager": manager, "operation": operation, "fieldsV1": notes})

    def owned(self, kind_: str, name: str, owner: str) -> ObjectRef:
        """Let something be owned by what is bound to the database."""
        uid = self.api.objects[ObjectRef("postgresql.cnpg.io", owner, "mastodon", "bound")]["metadata"]["uid"]
        group = "apps" if kind_ == "Deployment" else "postgresql.cnpg.io"
        self.put(f"{group}/v1", kind_, name, spec={}, status={"phase": "completed"})
        found = ObjectRef(group, kind_, "mastodon", name)
        self.api.objects[found]["metadata"]["ownerReferences"] = [{"uid": uid}]
        return found

    def cluster(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects[ObjectRef("postgresql.cnpg.io", "Cluster", "mastodon", name)]
        return found

    def react(self, subject: ObjectRef) -> None:
        """End the pods of a Cluster that is hibernated, as CloudNativePG does: of a healthy one only."""
        if subject.kind != "Cluster" or self.cluster(subject.name)["status"].get("phase") != "Cluster in healthy state":
            return
        if self.is_asleep(subject.name):
            self.api.objects.pop(ObjectRef("", "Pod", "mastodon", f"{subject.name}-1"), None)

    def is_asleep(self, name: str) -> bool:
        return bool(self.cluster(name)["metadata"].get("annotations", {}).get("cnpg.io/hibernation") == "on")

    def rehearsed(
        self, asked: str = "", *, ago: timedelta = timedelta(minutes=5), failure: str = "", schema: str = ""
    ) -> None:
        ended = (NOW - ago).isoformat().replace("+00:00", "Z")
        data = {"ended": ended, "asked": asked, "failure": failure, "schema": schema}
        self.api.put(record.place_of("mastodon", "mastodon-db").body(data))

    def suspended(self, name: str) -> bool:
        item = self.api.objects[ObjectRef("postgresql.cnpg.io", "ScheduledBackup", "mastodon", name)]
        return bool(item["spec"].get("suspend", False))

    def restored(self, name: str) -> None:
        """Do what roles do between the steps: the new Cluster is there, runs, and was backed up by a schedule of its own."""
        self.bound("ScheduledBackup", name, ours=True, to=name)
        item = healthy()
        item["metadata"]["name"] = name
        item["spec"]["plugins"][0]["parameters"]["serverName"] = name
        self.api.put(item)
        self.pod(name)
        self.api.put(self.store(name))

    @property
    def kept(self) -> generation.Generation:
        return generation.read(self.api, "mastodon", "mastodon-db")[0]

    def run(self, state: str = "begun", *, check: bool = False, **other: Any) -> dict[str, Any]:
        given = {
            "namespace": "mastodon",
            "cluster": "mastodon-db",
            "database": "mastodon",
            "owner": "mastodon",
            "secret": "mastodon-db-owner",
            "state": state,
            "domain": "example.org",
            "at": "",
            "back": "",
            "major": False,
            "image": "",
            "storage": "",
            "unrehearsed": False,
            "mastodon": "mastodon",
            "mastodon_namespace": "mastodon",
            "version": "v4.6.5",
            "run": "" if state == "begun" else self.its_run,
            "mount": "secret",
            "login_path": "p",
            "redis": REDIS,
            "why": "",
            "wait_timeout": 5,
            "beginning": {
                "namespace": "mastodon",
                "cluster": "mastodon-db",
                "domain": "example.org",
                "bucket": "b",
                "server_name": "",
                "restore_from": "",
                "restore_at": "",
                "begin_anew": "",
                "path": "b",
            },
        }
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        result = database_restore.run_task({**given, **other}, run)
        if state == "begun":
            self.its_run = result["run"]
        return result

    def refusal(self, state: str = "begun", **other: Any) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(state, **other)
        return str(caught.value)

    def through(self, **asked: Any) -> None:
        """All steps, as the playbook takes them."""
        if not self.run(**asked)["restore"]:
            return
        self.run("switched", **asked)
        if not self.kept.back:
            self.restored(self.kept.current)
        self.run("emptied", **asked)
        self.run("ended", **asked)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_it_goes_into_a_new_cluster_and_the_former_one_is_hibernated(place: Place) -> None:
    place.rehearsed()
    for kind_ in ("ScheduledBackup", "Pooler"):
        place.bound(kind_, "bound", ours=True)
        place.bound(kind_, "yours")
        place.put("postgresql.cnpg.io/v1", kind_, "of-others", spec={"cluster": {"name": "others"}})
    # Those of a pooler, and of the Job that made it, have the Cluster's label, too, and end with what owns them.
    place.put("v1", "Pod", "pooler-1", labels={"cnpg.io/cluster": "mastodon-db", "cnpg.io/podRole": "pooler"})
    place.put(
        "v1", "Pod", "mastodon-db-1-initdb", labels={"cnpg.io/cluster": "mastodon-db", "cnpg.io/jobRole": "initdb"}
    )
    owned = place.owned("Backup", "made", "ScheduledBackup"), place.owned("Deployment", "pooler", "Pooler")
    place.through()
    kept = place.kept
    assert (kept.current, kept.former, kept.restored_from, kept.is_open) == (
        "mastodon-db-2",
        "mastodon-db",
        "server-2",
        False,
    )
    assert place.is_asleep("mastodon-db")
    deleted = [call for call in place.api.writes if call.startswith("delete") and "Lease" not in call]
    assert deleted == ["delete ScheduledBackup mastodon/bound", "delete Pooler mastodon/bound"]
    assert [one in place.api.objects for one in owned] == [True, False]
    assert (
        "Pooler mastodon/yours is yours and bound to Cluster mastodon/mastodon-db: make one for mastodon-db-2"
        in place.said
    )
    assert place.emptied == 1
    assert any("pg_switch_wal" in sql for sql in place.sql)
    assert (
        "Cluster mastodon/mastodon-db is kept with what was there when Mastodon was stopped. The way back: "
        "ansible-playbook -i inventories/mine fediverse.mastodon.restore -e restore_domain=example.org -e restore_back=mastodon-db"
    ) in place.said
    assert any("kubectl delete clusters.postgresql.cnpg.io -n mastodon mastodon-db" in line for line in place.said)
    assert any(line.startswith("Keep folder server-2 of the bucket of backups") for line in place.said)


OTHERS = [("argocd-controller", "Apply"), ("kubectl-client-side-apply", "Update"), ("fediverse.mastodonish", "Apply")]


@pytest.mark.parametrize(("manager", "operation"), OTHERS)
def test_a_schedule_that_somebody_else_applies_as_well_is_left_to_them(
    place: Place, manager: str, operation: str
) -> None:
    place.rehearsed()
    place.bound("ScheduledBackup", "bound", ours=True)
    place.shared("ScheduledBackup", manager, operation)
    place.through()
    assert ObjectRef("postgresql.cnpg.io", "ScheduledBackup", "mastodon", "bound") in place.api.objects
    assert (
        f"ScheduledBackup mastodon/bound is left to {manager}, and stays bound to Cluster mastodon/mastodon-db"
        in place.said
    )


@pytest.mark.parametrize(("manager", "operation"), OTHERS)
def test_a_pooler_that_somebody_else_applies_as_well_is_refused_before_anything_is_written(
    place: Place, manager: str, operation: str
) -> None:
    """It has the name that the next one needs."""
    place.rehearsed()
    place.bound("Pooler", "bound", ours=True)
    place.shared("Pooler", manager, operation)
    assert place.refusal() == (
        f"Pooler mastodon/bound: is applied by {manager} as well: it is bound to Cluster mastodon/mastodon-db, and would have to be deleted and "
        f"made again. Let {manager} leave it alone, and run again."
    )
    assert place.api.writes == []


def test_what_another_mastodon_or_a_restore_of_ours_wrote_makes_it_nobody_elses(place: Place) -> None:
    place.rehearsed()
    place.bound("Pooler", "bound", ours=True)
    place.bound("ScheduledBackup", "bound", ours=True)
    place.shared("ScheduledBackup", f"{MANAGER}.restore")
    place.shared("Pooler", f"{MANAGER}/example.org")
    place.through()
    deleted = [call for call in place.api.writes if call.startswith("delete") and "Lease" not in call]
    assert deleted == ["delete ScheduledBackup mastodon/bound", "delete Pooler mastodon/bound"]


def test_neither_a_name_in_the_bucket_nor_one_of_a_cluster_is_used_again(place: Place) -> None:
    place.rehearsed()
    place.held["mastodon-db-4"] = []
    place.put("postgresql.cnpg.io/v1", "Cluster", "mastodon-db-5")
    assert place.run()["current"] == "mastodon-db-6"


def test_the_same_again_changes_nothing(place: Place) -> None:
    place.rehearsed()
    place.through()
    writes = len(place.api.writes)
    assert place.run()["restore"] is False
    assert len(place.api.writes) == writes
    asked = "2026-11-29T12:30:00Z"
    said = place.refusal(at=asked)
    assert (
        f"Cluster mastodon/mastodon-db-2: cannot be restored to {asked}: its first backup was complete only later"
        in said
    )
    assert said.endswith("or leave restore_to out for the newest.")


def writes_of(monkeypatch: pytest.MonkeyPatch) -> int:
    place = Place(monkeypatch)
    place.rehearsed()
    place.through()
    return len(place.api.writes)


def test_killed_at_any_write_the_same_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for moment in range(writes_of(monkeypatch)):
        place = Place(monkeypatch)
        place.rehearsed()
        kill(place, moment, place.through)
        place.said.clear()
        place.through()
        kept = place.kept
        assert (kept.current, kept.former, kept.is_open) == ("mastodon-db-2", "mastodon-db", False), moment
        assert place.is_asleep("mastodon-db")
        assert not place.is_asleep("mastodon-db-2")
        assert place.emptied <= 2


def kill(place: Place, moment: int, run: Callable[[], None]) -> None:
    """End a run just after it has written so often."""
    react = place.api.on_apply

    def dies(subject: ObjectRef) -> None:
        react(subject)
        if subject.kind != "Lease" and len(place.api.writes) > moment:
            place.api.on_apply = react
            raise KilledError

    place.api.on_apply = dies
    with suppress(KilledError):
        run()
    place.api.on_apply = react
    # What a killed run holds, it holds no longer a minute later.
    place.api.objects = {one: item for one, item in place.api.objects.items() if one.kind != "Lease"}


def test_the_way_back_wakes_the_former_one_and_hibernates_the_other(place: Place) -> None:
    place.rehearsed()
    place.through()
    place.pod("mastodon-db")
    place.through(back="mastodon-db")
    assert (place.kept.current, place.kept.former) == ("mastodon-db", "mastodon-db-2")
    assert (place.is_asleep("mastodon-db"), place.is_asleep("mastodon-db-2")) == (False, True)
    assert place.emptied == 2
    assert place.run(back="mastodon-db")["restore"] is False
    assert "before mastodon-db it was mastodon-db-2" in place.refusal(back="mastodon-db-7")


def test_one_that_has_begun_is_gone_back_from_before_anything_is_restored(place: Place) -> None:
    place.rehearsed()
    place.run()
    place.through(back="mastodon-db")
    assert (place.kept.current, place.kept.is_open, place.is_asleep("mastodon-db")) == ("mastodon-db", False, False)
    # What waits is of the database that stays.
    assert place.emptied == 0


def test_one_that_did_not_come_up_is_gone_back_from_though_nothing_hibernates_it(place: Place) -> None:
    place.rehearsed()
    place.run()
    place.run("switched")
    broken = healthy()
    broken["metadata"]["name"], broken["status"] = "mastodon-db-2", {"phase": "Setting up primary"}
    place.api.put(broken)
    place.put("v1", "Pod", "recovery", labels={"cnpg.io/cluster": "mastodon-db-2", "cnpg.io/jobRole": "full-recovery"})
    place.through(back="mastodon-db")
    assert (place.kept.current, place.kept.is_open, place.is_asleep("mastodon-db")) == ("mastodon-db", False, False)
    assert any("mastodon-db-2 is not healthy (Setting up primary)" in line for line in place.said)


def test_one_that_its_user_hibernated_is_let_go_of_all_the_same(place: Place) -> None:
    asleep = healthy()
    asleep["metadata"]["annotations"] = {"cnpg.io/hibernation": "on"}
    place.api.put(asleep)
    place.bound("ScheduledBackup", "bound", ours=True)
    place.through(unrehearsed=True)
    assert ObjectRef("postgresql.cnpg.io", "ScheduledBackup", "mastodon", "bound") not in place.api.objects
    assert place.cluster("mastodon-db")["metadata"]["annotations"]["fediverse.mastodon/replaced-by"] == "mastodon-db-2"


def test_going_back_to_a_cluster_that_somebody_deleted_is_refused(place: Place) -> None:
    place.rehearsed()
    place.through()
    place.api.objects.pop(ObjectRef("postgresql.cnpg.io", "Cluster", "mastodon", "mastodon-db"))
    assert "Cluster mastodon/mastodon-db: is gone" in place.refusal(back="mastodon-db")


def test_something_else_is_not_begun_in_between(place: Place) -> None:
    place.rehearsed()
    place.run()
    said = place.refusal(at="2026-11-29T12:30:00Z")
    assert said.startswith(
        "Database mastodon/mastodon-db: is asked for otherwise now: restoring the backup of server-2"
    )
    assert "or go back from it, ansible-playbook" in said


@pytest.mark.parametrize(
    ("rehearsed", "asked", "why"),
    [
        (None, "", "no restore of it was rehearsed"),
        ({"asked": "2026-11-29T12:30:00Z"}, "", "was of 2026-11-29T12:30:00Z"),
        ({}, "2026-11-29T12:30:00Z", "was of the newest. Rehearse it: ansible-playbook -i inventories/mine "),
        ({"ago": timedelta(minutes=61)}, "", "more than an hour ago"),
        ({"failure": "it broke"}, "", "failed at 2026-11-29T12:55:00Z: it broke"),
    ],
)
def test_what_was_not_rehearsed_within_the_hour_is_refused(
    place: Place, rehearsed: dict[str, Any] | None, asked: str, why: str
) -> None:
    if rehearsed is not None:
        place.rehearsed(**rehearsed)
    assert why in place.refusal(at=asked)
    assert place.api.writes == []
    assert place.run(at=asked, unrehearsed=True)["restore"] is True


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2020-01-01T00:00:00Z", "its first backup was complete only later"),
        ("2120-01-01T00:00:00Z", "that is in the future"),
        ("2026-11-29T12:59:30Z", "PostgreSQL has archived nothing since"),
        ("2026-11-29T12:30:00", "Option restore_to: has no time zone"),
        ("yesterday", "Option restore_to: is not a time"),
    ],
)
def test_a_time_that_cannot_be_restored_to_is_refused(place: Place, at: str, why: str) -> None:
    place.rehearsed(at)
    assert why in place.refusal(at=at)
    assert place.api.writes == []


def backup(place: Place, of: str = "mastodon-db") -> None:
    place.put("postgresql.cnpg.io/v1", "Backup", "b", spec={"cluster": {"name": of}}, status={"phase": "running"})


def lease(name: str) -> Callable[[Place], None]:
    spec = {"holderIdentity": "somebody", "renewTime": "2026-11-29T12:59:55Z"}
    return lambda place: place.put("coordination.k8s.io/v1", "Lease", name, spec=spec)


def upgrading(place: Place) -> None:
    place.put(
        "v1",
        "ConfigMap",
        "mastodon-upgrade",
        labels={"fediverse.mastodon/upgrade-of": "mastodon"},
        data={"began": "2026-11-29T12:50:00Z", "before": "v4.6.9", "wanted": "v4.7.4"},
    )


def full(place: Place) -> None:
    item = copy.deepcopy(CLUSTER)
    item["spec"]["storage"] = {"size": "1Gi"}
    place.api.put(item)
    hard, used = {"requests.storage": "1Gi", "pods": "1"}, {"requests.storage": "1Gi", "pods": "1"}
    place.put("v1", "ResourceQuota", "q", status={"hard": hard, "used": used})


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (backup, "a backup of it runs: Backup mastodon/b is running"),
        (lease("mastodon-db-rehearsal-run"), "Lease mastodon/mastodon-db-rehearsal-run was renewed at"),
        (lease("mastodon-db-backup"), "Lease mastodon/mastodon-db-backup was renewed at"),
        (upgrading, "its Mastodon is being upgraded: upgrade from v4.6.9 to v4.7.4 has not ended"),
        (lambda place: place.vault.update({"password-next": "y"}), "has password-next"),
        (lambda place: place.vault.update({"password-previous": "y"}), "has password-previous"),
        (full, "ResourceQuota mastodon/q: leaves no room for a restored database"),
        (lambda place: place.denied.add(("delete", "poolers")), "Rights: are missing"),
    ],
)
def test_beside_something_else_it_is_refused_before_anything_is_written(
    place: Place, other: Callable[[Place], None], why: str
) -> None:
    place.rehearsed()
    other(place)
    assert why in place.refusal()
    assert place.api.writes == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda place: backup(place, "mastodon-db-2"), "a backup of it runs: Backup mastodon/b is running"),
        (lease("mastodon-db-2-rehearsal-run"), "Lease mastodon/mastodon-db-2-rehearsal-run was renewed at"),
        (lease("mastodon-db-2-backup"), "Lease mastodon/mastodon-db-2-backup was renewed at"),
        (upgrading, "its Mastodon is being upgraded: upgrade from v4.6.9 to v4.7.4 has not ended"),
        (lambda place: place.vault.update({"password-next": "y"}), "its password is being replaced"),
        (lambda place: place.vault.update({"password-previous": "y"}), "its password is being replaced"),
    ],
)
def test_beside_something_else_it_does_not_go_back_either(
    place: Place, other: Callable[[Place], None], why: str
) -> None:
    place.rehearsed()
    place.through()
    other(place)
    writes = len(place.api.writes)
    assert why in place.refusal(back="mastodon-db")
    assert len(place.api.writes) == writes


def test_a_first_backup_that_does_not_end_keeps_nobody_from_the_way_back(place: Place) -> None:
    """Nothing else can have begun since: all others refuse a database that is being restored."""
    place.rehearsed()
    place.run()
    place.run("switched")
    place.restored("mastodon-db-2")
    backup(place, "mastodon-db-2")
    assert place.run(back="mastodon-db")["current"] == "mastodon-db"


def test_a_lease_of_a_run_that_was_killed_keeps_nobody_away(place: Place) -> None:
    place.rehearsed()
    lease("mastodon-db-backup")(place)
    place.now = NOW + timedelta(minutes=2)
    assert place.run()["restore"] is True


def test_in_check_mode_nothing_is_written(place: Place) -> None:
    place.rehearsed()
    assert place.run(check=True)["restore"] is True
    assert place.api.writes == []
    assert place.said[-1] == "would begin restoring the backup of server-2 into Cluster mastodon-db-2"


def test_a_database_that_does_not_run_is_restored_where_nobody_could_rehearse(place: Place) -> None:
    broken = copy.deepcopy(CLUSTER)
    broken["status"] = {**broken["status"], "readyInstances": 0, "phase": "broken"}
    place.api.put(broken)
    assert "does not run" in place.refusal()
    place.through(unrehearsed=True)
    assert place.kept.current == "mastodon-db-2"
    assert "skipped: the last WAL of Cluster mastodon/mastodon-db, which it cannot archive now" in place.said


def test_of_two_runs_the_one_that_began_last_goes_on_and_the_other_does_nothing_more(place: Place) -> None:
    place.rehearsed()
    first = place.run()["run"]
    second = place.run()["run"]
    assert place.said[-1] == "go on restoring the backup of server-2 into Cluster mastodon-db-2"
    before = place.kept, len(place.api.writes)
    for state in ("switched", "emptied", "ended", "stopped"):
        said = place.refusal(state, run=first, why="it broke")
        assert said.startswith(
            "Database mastodon/mastodon-db: is being restored by another run: what was begun last goes on"
        )
    assert (place.kept, len(place.api.writes)) == before
    assert (place.emptied, place.is_asleep("mastodon-db")) == (0, False)
    place.run("switched", run=second)
    place.restored("mastodon-db-2")
    place.run("emptied", run=second)
    place.run("ended", run=second)
    assert not place.kept.is_open


def test_scheduled_backups_that_were_suspended_are_again_once_there_is_one(place: Place) -> None:
    place.rehearsed()
    place.bound("ScheduledBackup", "mastodon-db", ours=True, suspend=True)
    place.run()
    place.run("switched")
    # Killed here, and gone on with: nothing is left that says so but the record.
    place.run()
    place.restored("mastodon-db-2")
    assert not place.suspended("mastodon-db-2")
    place.run("emptied")
    place.run("ended")
    assert place.suspended("mastodon-db-2")
    assert "suspended ScheduledBackup mastodon/mastodon-db-2 again, as that of the Cluster before it was" in place.said
    # Gone back from before anything was restored, it was the first that was.
    place.now = NOW + timedelta(hours=2)
    place.run(unrehearsed=True)
    place.run("switched")
    assert place.run(back="mastodon-db-2")["suspended"] == "true"


def test_one_that_somebody_else_made_and_suspended_is_nobodys_business(place: Place) -> None:
    place.rehearsed()
    place.bound("ScheduledBackup", "yours", suspend=True)
    place.through()
    assert not place.suspended("mastodon-db-2")


def test_what_it_begins_from_is_said_and_kept(place: Place) -> None:
    place.rehearsed()
    status = {"phase": "completed", "startedAt": "2026-11-29T12:00:00Z", "stoppedAt": "2026-11-29T12:01:00Z"}
    place.put(
        "postgresql.cnpg.io/v1",
        "Backup",
        "of-noon",
        spec={"cluster": {"name": "mastodon-db"}, "method": "plugin"},
        status=status,
    )
    assert place.run()["base"] == "of-noon"
    assert "begin restoring the backup of server-2 into Cluster mastodon-db-2, from Backup of-noon" in place.said


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        # Of 4.7, of 4.6 and 4.5, of which a release is known; of one that is older than all known; and of nobody knows what.
        ("20260805130216", "cannot go back from v4.7.0 to v4.6.5"),
        ("20260611150940", ""),
        ("20251023210145", ""),
        ("20200101000000", "cannot go from v4.2.0 to v4.6.5 in one step"),
        ("", ""),
    ],
)
def test_a_schema_that_was_rehearsed_and_that_the_release_must_not_follow_is_refused(
    place: Place, schema: str, why: str
) -> None:
    place.rehearsed(schema=schema)
    if not why:
        assert place.run()["restore"] is True
        return
    said = place.refusal()
    assert said.startswith(f"The database that was rehearsed from Cluster mastodon/mastodon-db: {why}")
    assert place.api.writes == []
    assert place.run(unrehearsed=True)["restore"] is True


def test_who_was_overtaken_writes_nothing_over_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.rehearsed()
    place.run()
    read = generation.read

    def stale(*given: Any) -> Any:
        found = read(*given)
        data = {"began": "x", "current": "another", "former": "y", "run": "z"}
        place.api.put(generation.place_of("mastodon", "mastodon-db").body(data))
        return found

    monkeypatch.setattr(database_restore.generation, "read", stale)
    assert "was changed by somebody else meanwhile" in place.refusal("emptied")
    assert read(place.api, "mastodon", "mastodon-db")[0].current == "another"


def test_of_what_it_stopped_is_kept_and_told_with_both_ways_on(place: Place) -> None:
    place.rehearsed()
    place.run()
    said = place.refusal("stopped", why="Cluster mastodon/mastodon-db-2: did not come up.")
    assert said == (
        "Database mastodon/mastodon-db: stopped while it was restored: Cluster mastodon/mastodon-db-2: did not come up. Mastodon is "
        "stopped meanwhile. Correct that, and run the same command again: it goes on where this stopped. Or go back: ansible-playbook -i "
        "inventories/mine fediverse.mastodon.restore -e restore_domain=example.org -e restore_back=mastodon-db."
    )
    assert place.kept.failure == "Cluster mastodon/mastodon-db-2: did not come up"


@pytest.mark.parametrize("backed_up", [True, False], ids=["gone", "not backed up"])
def test_one_that_is_gone_or_is_not_backed_up_at_all_does_not_end(place: Place, backed_up: bool) -> None:
    place.rehearsed()
    place.run()
    place.run("switched")
    place.restored("mastodon-db-2")
    if backed_up:
        place.api.objects.pop(ObjectRef("postgresql.cnpg.io", "Cluster", "mastodon", "mastodon-db-2"))
    else:
        place.cluster("mastodon-db-2")["spec"].pop("plugins")
    said = place.refusal("ended", wait_timeout=0)
    assert said.startswith(f"Cluster mastodon/mastodon-db-2: {'is gone' if backed_up else 'is not backed up'}")
    assert place.kept.is_open


def test_without_a_backup_of_the_new_one_it_does_not_end(place: Place) -> None:
    place.rehearsed()
    place.run()
    place.run("switched")
    place.restored("mastodon-db-2")
    place.api.put(place.store())
    assert "Cluster mastodon/mastodon-db-2: has no base backup yet" in place.refusal("ended", wait_timeout=0)
    assert place.kept.is_open


def test_somebody_elses_map_of_the_name_of_its_record_is_not_written(place: Place) -> None:
    place.rehearsed()
    place.put("v1", "ConfigMap", "mastodon-db-generation")
    assert "ConfigMap mastodon/mastodon-db-generation: is in the way" in place.refusal()
    assert place.api.writes == []


def test_an_api_that_fails_is_not_taken_for_somebody_else(place: Place) -> None:
    place.rehearsed()
    subject = ObjectRef("", "ConfigMap", "mastodon", "mastodon-db-generation")
    place.api.refusals[subject].append(ApiError("ConfigMap", "is refused", "no", "", status=403))
    assert place.refusal().startswith("ConfigMap: is refused")
