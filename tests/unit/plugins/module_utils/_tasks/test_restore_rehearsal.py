# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal removes what it made however it ends, keeps how it ended, and a refused one makes nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import major
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.contents import Archived
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.pictures import Picture
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import restore_rehearsal
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import (
    Before,
    Databases,
    Found,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_origin import (
    CLUSTER,
    STORE,
    changed,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import SERVED, kind
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks.test_scratch import DATABASE, Cluster

PARAMETERS = {
    **DATABASE,
    "at": "",
    "image": "",
    "media": None,
    "mount": "secret",
    "wait_timeout": 60,
}
WELL = Found("2026-11-29T02:58:00Z", 12.0, ("rows that were restored: 3 users",), "20260611150940")
KINDS = (
    *(one for one in SERVED if one.kind != "Cluster"),
    Resource("postgresql.cnpg.io", "v1", "Cluster", "clusters", namespaced=True),
    kind("postgresql.cnpg.io", "Backup"),
    kind("barmancloud.cnpg.io", "ObjectStore"),
    LEASE,
)


class Place:
    """A cluster with a database, and how the rest of a rehearsal goes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.said: list[str] = []
        self.compared: Callable[[], Found] = lambda: WELL
        store = {"apiVersion": "barmancloud.cnpg.io/v1", "kind": "ObjectStore", **STORE}
        self.api = Cluster(copy.deepcopy(CLUSTER), copy.deepcopy(store), deployment(":1.30.0"))
        self.api.served = list(KINDS)
        before = Before(Archived("000000010000000000000005", 1796000000.0), 0.0)
        monkeypatch.setattr(restore_rehearsal, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(restore_rehearsal, "open_objects", lambda connection, limit, say: self.api)
        self.denied: set[tuple[str, str]] = set()
        monkeypatch.setattr(restore_rehearsal, "Client", lambda connection, limit, say: self)
        monkeypatch.setattr(restore_rehearsal, "opener_of", lambda parameters, run: Opener("key", "salt"))
        monkeypatch.setattr(restore_rehearsal, "compare", lambda *given: self.compared())
        monkeypatch.setattr(Databases, "look", lambda databases, cluster: before)
        monkeypatch.setattr(Scratch, "wait", lambda scratch, deadline, run: None)

    def run(self, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        return restore_rehearsal.run_task({**PARAMETERS, **parameters}, run)

    def request(self, method: str, path: str, *, body: Any, read: Callable[[object], bool], **_about: Any) -> bool:
        """Answer what its user may do, as the API server would."""
        assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        asked = body["spec"]["resourceAttributes"]
        allowed = asked["resource"] != "*" and (asked["verb"], asked["resource"]) not in self.denied
        return read({"status": {"allowed": allowed}})

    def patience(self, seconds: int) -> None:
        """Wait no longer for what is removed."""
        self._monkeypatch.setattr(restore_rehearsal, "_REMOVAL_SECONDS", seconds)

    def refusal(self, *, check: bool = False, **parameters: Any) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(check=check, **parameters)
        return str(caught.value)

    @property
    def left(self) -> list[str]:
        """What is there of a rehearsal, but for its record."""
        return [str(one) for one in self.api.objects if "rehears" in one.name and one.kind != "ConfigMap"]

    @property
    def kept(self) -> record.Record:
        return record.read_all(self.api)["mastodon", "mastodon-db"]


def deployment(version: str) -> dict[str, Any]:
    container = {"name": "manager", "image": f"ghcr.io/cloudnative-pg/cloudnative-pg{version}"}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cnpg", "namespace": "cnpg-system"},
        "spec": spec,
    }


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_what_went_well_is_said_kept_and_removed(place: Place) -> None:
    result = place.run()
    assert (result["newest"], result["rpo_seconds"], result["rto_seconds"]) == ("2026-11-29T02:58:00Z", 12, 0)
    assert place.said[-2:] == [
        "rows that were restored: 3 users",
        "Cluster mastodon/mastodon-db: restored up to 2026-11-29T02:58:00Z (RPO 12 s, RTO 0 s)",
    ]
    assert (place.left, place.kept.failure, place.kept.schema) == ([], "", "20260611150940")


def test_an_import_is_rehearsed_with_a_record_of_its_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database("UTF8", "C", "C", "c", 2**20, left=("role reader",))
    monkeypatch.setattr(Databases, "ask", lambda _databases, _cluster, _question: database)
    place.api.put(changed(CLUSTER, "spec", imageName="postgresql:15"))
    place.compared = lambda: Found("2026-11-29T02:58:00Z", None, ())
    place.run(image="postgresql:17")
    assert place.said[0] == "not imported, make them again where you need them: role reader"
    assert (
        "importing Cluster mastodon/mastodon-db by postgresql:17 into Cluster mastodon/mastodon-db-rehearsal"
        in place.said
    )
    assert (
        place.said[-1] == "Cluster mastodon/mastodon-db: imported by postgresql:17 up to 2026-11-29T02:58:00Z (RTO 0 s)"
    )
    [kept] = place.api.read(major.place_of("mastodon", "mastodon-db").selection).objects
    assert kept["data"]["image"] == "postgresql:17"
    assert (place.left, record.read_all(place.api)) == ([], {})
    assert "need not be imported" in place.refusal(image="postgresql:15.4")
    database = Database("UTF8", "en_US.utf8", "C", "c", 2**20)
    assert "sorts text otherwise than a new Cluster would" in place.refusal(image="postgresql:17")


def test_with_a_time_no_loss_is_told(place: Place) -> None:
    place.compared = lambda: Found("2026-11-29T02:58:00Z", None, ())
    result = place.run(at="2026-11-28T12:00:00Z")
    assert (result["rpo_seconds"], result["rto_seconds"], place.kept.rpo) == (None, 0, "")
    assert place.said[-1].endswith("restored up to 2026-11-29T02:58:00Z (RTO 0 s)")


def test_pictures_are_looked_for_where_that_is_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest is in the bucket, one is not, and one was deleted from the origin since."""
    restored, live = [(3, "three.png"), (2, "two.png"), (1, "one.png")], frozenset({3, 2})
    reader = SimpleNamespace(pictures=lambda number: restored[:number], has_pictures=live.intersection)
    bucket = SimpleNamespace(get={Picture(3, "three.png").key: b"GIF89a"}.get)
    monkeypatch.setattr(Databases, "ask", lambda databases, cluster, question: question(reader))
    monkeypatch.setattr(restore_rehearsal, "bucket_of", lambda *given: bucket)
    place.run(media={"sample": 1})
    assert "pictures of posts that are in the bucket: 1 of 1" in place.said
    missing = (
        "1 of 2 pictures of its posts are not in the bucket (media_attachments/files/000/000/002/original/two.png)"
    )
    assert missing in place.refusal(media={"sample": 3})
    assert (place.left, missing in place.kept.failure) == ([], True)


def test_pictures_that_cannot_be_looked_for_are_told_kept_and_returned(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_given: Any) -> None:
        raise SkippedError("Bucket for media: fediverse.mastodon.site creates it, with Rook")

    monkeypatch.setattr(restore_rehearsal, "bucket_of", nowhere)
    result = place.run(media={"sample": 20})
    assert result["skipped"] == place.kept.skipped == "Bucket for media: fediverse.mastodon.site creates it, with Rook"


def test_an_operator_of_an_unknown_version_is_told_kept_and_returned(place: Place) -> None:
    place.api.put(deployment("@sha256:0123"))
    why = (
        "whether CloudNativePG restores past a change of the primary was not checked, as Deployment cnpg-system/cnpg does not say"
        " its version"
    )
    assert place.run()["skipped"] == place.kept.skipped == why
    assert place.said[-1].endswith(f"; skipped: {why}")
    place.run(check=True)
    assert f"skipped: {why}" in place.said


def test_what_failed_is_kept_and_removed_all_the_same(place: Place) -> None:
    def lacking() -> Found:
        assert "Cluster mastodon/mastodon-db-rehearsal" in place.left
        raise MastodonError("Cluster mastodon/mastodon-db", "cannot be restored whole", "it has no table users")

    place.compared = lacking
    assert place.refusal() == "Cluster mastodon/mastodon-db: cannot be restored whole: it has no table users."
    assert (place.left, place.kept.failure) == (
        [],
        "Cluster mastodon/mastodon-db: cannot be restored whole: it has no table users.",
    )


def bound(place: Place, policy: str) -> None:
    """Give the restored database a volume, of which the claim goes with the Cluster."""
    spec = {"persistentVolumeReclaimPolicy": policy}
    place.api.put({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": spec})
    claim = place.api.put(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "mastodon-db-rehearsal-1",
                "namespace": "mastodon",
                "labels": {"cnpg.io/cluster": "mastodon-db-rehearsal"},
            },
            "spec": {"volumeName": "pv-1"},
        }
    )
    place.api.on_delete = lambda subject: subject.kind == "Cluster" and place.api.put(claim, "DELETED") and None


KEPT = (
    "PersistentVolume pv-1 is kept with a copy of the database, as its reclaimPolicy is Retain: delete it by kubectl delete pv pv-1,"
    " and the disk behind it"
)


@pytest.mark.parametrize(
    ("policy", "unreadable", "left"),
    [
        ("Delete", set(), ""),
        ("Retain", set(), KEPT),
        (
            "Retain",
            {"PersistentVolume"},
            "whether PersistentVolume pv-1 is deleted is not known, as you may not read it",
        ),
    ],
)
def test_a_volume_that_is_kept_is_told_kept_and_returned(
    place: Place, policy: str, unreadable: set[str], left: str
) -> None:
    def proved() -> Found:
        bound(place, policy)
        return WELL

    place.compared = proved
    place.api.unreadable = unreadable
    assert place.run()["left"] == place.kept.left == left
    assert (left in place.said) == bool(left)
    assert place.said[-1].endswith(f" s); {left}" if left else " s)")


def test_a_volume_that_is_kept_of_what_failed_is_named_too(place: Place) -> None:
    def lacking() -> Found:
        bound(place, "Retain")
        raise MastodonError("Cluster mastodon/mastodon-db", "cannot be restored whole")

    place.compared = lacking
    assert place.refusal() == place.kept.failure == f"Cluster mastodon/mastodon-db: cannot be restored whole.\n{KEPT}"


@pytest.mark.parametrize("broken", [KeyboardInterrupt, ValueError])
def test_it_is_removed_also_when_it_is_broken_off(place: Place, broken: type[BaseException]) -> None:
    def stopped() -> Found:
        raise broken

    place.compared = stopped
    with pytest.raises(broken):
        place.run()
    assert place.left == []


def test_an_error_that_nobody_thought_of_is_kept_without_its_text(place: Place) -> None:
    def broken() -> Found:
        raise ValueError("secret")

    place.compared = broken
    with pytest.raises(ValueError, match="secret"):
        place.run()
    assert place.kept.failure.startswith("Cluster mastodon/mastodon-db: ended with an unexpected error: ValueError at ")
    assert "secret" not in place.kept.failure


def test_somebody_elses_map_of_the_name_of_a_record_is_not_written(place: Place) -> None:
    metadata = {"name": "mastodon-db-rehearsal", "namespace": "mastodon"}
    place.api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mine": "precious"}})
    for check in (False, True):
        said = place.refusal(check=check)
        assert said.startswith("ConfigMap mastodon/mastodon-db-rehearsal: is in the way: a record would be called so.")
    assert place.api.writes == []


def test_a_record_is_not_taken_from_another_manager(place: Place) -> None:
    place.run()
    kept = next(one for one in place.api.objects if one.kind == "ConfigMap")
    place.api.edit(kept, "kubectl-edit", ("data", "failure"), "by hand")
    assert "conflicts" in place.refusal()
    assert place.kept.failure == "by hand"


def succeeded(place: Place) -> str:
    """Let another run take the Lease, and make its own Cluster and record; return the uid of the Cluster."""
    lease, cluster = (
        next(item for one, item in place.api.objects.items() if one.kind == kind and "rehears" in one.name)
        for kind in ("Lease", "Cluster")
    )
    place.api.put({**lease, "spec": {**lease["spec"], "holderIdentity": "another"}})
    metadata = {key: cluster["metadata"][key] for key in ("name", "namespace", "labels")}
    place.api.put(cluster, "DELETED")
    place.api.put(
        record.place_of("mastodon", "mastodon-db").body({"ended": "2026-11-29T03:00:00Z", "failure": "of another"})
    )
    place.api.calls.clear()
    return str(place.api.put({**cluster, "metadata": metadata})["metadata"]["uid"])


@pytest.mark.parametrize("error", [None, MastodonError("Cluster mastodon/mastodon-db", "cannot be restored whole")])
def test_who_lost_its_lease_neither_removes_nor_keeps_anything(place: Place, error: MastodonError | None) -> None:
    def lost() -> Found:
        succeeded(place)
        if error:
            raise error
        return WELL

    place.compared = lost
    assert place.refusal() == (
        "Lease mastodon/mastodon-db-rehearsal-run: was lost: another run took it, as this one gave no sign of life. Run again."
    )
    assert [call for call in place.api.writes if "Lease" not in call] == []
    assert place.kept.failure == "of another"


def test_who_lost_its_lease_while_it_removed_keeps_nothing(place: Place) -> None:
    def lost(subject: ObjectRef) -> None:
        if subject.kind == "NetworkPolicy":
            lease = next(item for one, item in place.api.objects.items() if one.kind == "Lease")
            place.api.put({**lease, "spec": {**lease["spec"], "holderIdentity": "another"}})

    place.api.on_delete = lost
    assert "was lost: another run took it" in place.refusal()
    assert record.read_all(place.api) == {}


def test_a_cluster_of_its_name_that_it_did_not_create_is_not_removed(place: Place) -> None:
    uids = []

    def replaced() -> Found:
        cluster = next(
            item for one, item in place.api.objects.items() if one.kind == "Cluster" and "rehears" in one.name
        )
        metadata = {key: cluster["metadata"][key] for key in ("name", "namespace", "labels")}
        place.api.put(cluster, "DELETED")
        uids.append(place.api.put({**cluster, "metadata": metadata})["metadata"]["uid"])
        raise MastodonError("Cluster mastodon/mastodon-db", "cannot be restored whole")

    place.compared = replaced
    place.patience(0)
    place.refusal()
    assert uids[0] in {item["metadata"]["uid"] for item in place.api.objects.values()}


def test_what_an_earlier_run_left_is_removed_first(place: Place) -> None:
    left = {
        "name": "mastodon-db-rehearsal",
        "namespace": "mastodon",
        "labels": {"fediverse.mastodon/rehearsal-of": "mastodon-db"},
    }
    place.api.put({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": left})
    place.run()
    assert "removed Cluster mastodon/mastodon-db-rehearsal, which an earlier rehearsal left" in place.said
    assert place.left == []


@pytest.mark.parametrize("left", [False, True])
def test_in_check_mode_nothing_is_written_and_it_is_said_what_would_be(place: Place, left: bool) -> None:
    labels = {"fediverse.mastodon/rehearsal-of": "mastodon-db"}
    if left:
        metadata = {"name": "mastodon-db-rehearsal", "namespace": "mastodon", "labels": labels}
        place.api.put({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": metadata})
    place.run(check=True)
    assert place.api.writes == []
    assert place.said[-1].startswith(
        "would restore Cluster mastodon/mastodon-db as late as its archive goes (from 2026-11-28T03:00:05Z until "
    )


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"at": "2026-11-27T00:00:00Z"}, "its first backup was complete only later"),
        ({"at": "soon"}, "Option at: is not a time: soon"),
        ({"cluster": "another"}, "Cluster mastodon/another: does not exist"),
    ],
)
def test_what_was_asked_wrongly_writes_nothing(place: Place, parameters: dict[str, Any], why: str) -> None:
    assert why in place.refusal(**parameters)
    assert place.api.writes == []


@pytest.mark.parametrize("kind", ["clusters", "networkpolicies", "leases"])
@pytest.mark.parametrize("verb", ["create", "delete"])
def test_who_may_not_remove_what_it_creates_creates_nothing(place: Place, kind: str, verb: str) -> None:
    place.denied.add((verb, kind))
    for check in (True, False):
        assert f"may {verb} in namespace mastodon {kind}." in place.refusal(check=check)
    assert place.api.writes == []


BROKEN = {"type": "ContinuousArchiving", "status": "False", "message": "the bucket is full"}


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (deployment(":1.29.1"), "Deployment cnpg-system/cnpg: is too old to restore: it is 1.29.1"),
        (changed(CLUSTER, "status", readyInstances=0), "does not run"),
        (changed(CLUSTER, "status", conditions=[BROKEN]), "does not archive its WAL: the bucket is full"),
        (
            {"apiVersion": "barmancloud.cnpg.io/v1", "kind": "ObjectStore", **STORE, "status": {}},
            "has no completed backup",
        ),
        (changed(CLUSTER, "spec", plugins=[]), "is not backed up"),
    ],
)
def test_a_backup_that_cannot_be_restored_is_refused_and_that_is_kept(place: Place, item: Any, why: str) -> None:
    place.run()
    place.api.calls.clear()
    place.api.put(copy.deepcopy(item))
    assert why in place.refusal(check=True)
    assert (place.api.writes, place.kept.failure) == ([], "")
    assert why in place.refusal()
    assert place.api.writes == ["apply ConfigMap mastodon/mastodon-db-rehearsal"]
    assert why in place.kept.failure


def test_keys_that_are_gone_from_vault_are_kept_as_a_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(parameters: Any, run: Run) -> Opener:
        raise MastodonError("Vault path secret/app", "has no are-primary-key")

    monkeypatch.setattr(restore_rehearsal, "opener_of", gone)
    assert place.refusal() == place.kept.failure == "Vault path secret/app: has no are-primary-key."


def test_without_room_nothing_but_its_lease_is_made_and_that_is_removed_and_kept(place: Place) -> None:
    full = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "all", "namespace": "mastodon"}}
    place.api.put({**full, "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}}})
    assert "ResourceQuota mastodon/all: leaves no room for a restored database" in place.refusal()
    assert place.api.writes == [
        "apply Lease mastodon/mastodon-db-rehearsal-run",
        "apply ConfigMap mastodon/mastodon-db-rehearsal",
        "delete Lease mastodon/mastodon-db-rehearsal-run",
    ]
