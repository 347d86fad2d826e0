# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of each object, at one moment."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation, rotated, status
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.base_backup import BaseBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rotated import Rotated
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.visitor import Found
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.record import Upgrade
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import status_info
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.test_beginning import (
    archived,
    restored,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCENE = status.Scene(NOW)
# Of no backup.
NONE = {"vault_backup": None}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def item(api_version: str, kind: str, *, spec: Any = None, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"namespace": "ns", "name": "x", "creationTimestamp": "2026-11-20T12:00:00Z"},
        "spec": spec or {},
        "status": status,
    }


RECONCILED = {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}
HISTORY = {"chartVersion": "1.2.2", "status": "deployed", "lastDeployed": "2026-11-24T09:30:00Z"}
TAG = {"values": {"image": {"tag": "v4.7.4"}}}


def release() -> dict[str, Any]:
    found = item(
        "helm.toolkit.fluxcd.io/v2", "HelmRelease", spec=TAG, history=[HISTORY], observedGeneration=1, **RECONCILED
    )
    found["metadata"]["generation"] = 1
    return found


@pytest.mark.parametrize(
    ("found", "reported"),
    [
        (
            release(),
            "HelmRelease ns/x: Current, 4 d old, chart 1.2.2 running v4.7.4, deployed 2 h ago",
        ),
        (item("cert-manager.io/v1", "Certificate", **READY), "Certificate ns/x: Current, 4 d old, not issued yet"),
        (
            item("cert-manager.io/v1", "Certificate", notAfter="2026-12-24T12:00:00Z", **READY),
            "Certificate ns/x: Current, 4 d old, 30 days left",
        ),
        (
            item("cert-manager.io/v1", "Certificate", notAfter="2026-11-23T12:00:00Z", **READY),
            "Certificate ns/x: Current, 4 d old, -1 days left",
        ),
        (
            item("external-secrets.io/v1", "ExternalSecret", refreshTime="2026-11-24T11:59:00Z", **READY),
            "ExternalSecret ns/x: Current, 4 d old, read from Vault 60 s ago",
        ),
        (item("external-secrets.io/v1", "ExternalSecret", **READY), "never read from Vault"),
    ],
)
def test_an_object_is_reported_in_one_line(found: dict[str, Any], reported: str) -> None:
    assert reported in status.row(found, SCENE).line()


MODULES = {"MGR_MODULE_DEPENDENCY": {"severity": "HEALTH_WARN", "message": "13 mgr modules have failed dependencies"}}
FULL = {"OSD_FULL": {"severity": "HEALTH_ERR", "message": "1 full osd(s)"}}
WARNED = "13 mgr modules have failed dependencies (MGR_MODULE_DEPENDENCY)"
HUNG = {"error": {"severity": "Urgent", "message": "failed to get status: timed out"}}


@pytest.mark.parametrize(
    ("phase", "health", "details", "reported"),
    [
        ("Ready", "HEALTH_OK", {}, "Current, 4 d old, HEALTH_OK, asked 60 s ago"),
        ("Ready", "HEALTH_WARN", MODULES, f"Current, 4 d old, HEALTH_WARN: {WARNED}, asked 60 s ago"),
        (
            "Ready",
            "HEALTH_ERR",
            {**MODULES, **FULL},
            "InProgress (1 full osd(s) (OSD_FULL)), 4 d old, HEALTH_ERR, asked 60 s ago",
        ),
        (
            "Ready",
            "HEALTH_ERR",
            HUNG,
            "InProgress (failed to get status: timed out), 4 d old, HEALTH_ERR, asked 60 s ago",
        ),
        (
            "Progressing",
            "HEALTH_ERR",
            FULL,
            "InProgress (its phase is Progressing), 4 d old, HEALTH_ERR: 1 full osd(s) (OSD_FULL), asked 60 s ago",
        ),
    ],
)
def test_ceph_is_reported_in_its_own_words(phase: str, health: str, details: Any, reported: str) -> None:
    ceph = {"health": health, "details": details, "lastChecked": "2026-11-24T11:59:00Z"}
    found = item("ceph.rook.io/v1", "CephCluster", phase=phase, ceph=ceph)
    assert status.row(found, SCENE).line() == f"CephCluster ns/x: {reported}"


def test_a_ceph_that_nobody_has_asked_yet_is_reported_so() -> None:
    found = item("ceph.rook.io/v1", "CephCluster", phase="Progressing", message="Configuring Ceph Mons")
    reported = "CephCluster ns/x: InProgress (Configuring Ceph Mons), 4 d old, its health was not asked yet"
    assert status.row(found, SCENE).line() == reported


def test_what_is_not_well_says_why() -> None:
    waiting = {"conditions": [{"type": "Ready", "status": "False", "reason": "Failed", "message": "no issuer"}]}
    assert "no issuer" in status.row(item("cert-manager.io/v1", "Certificate", **waiting), SCENE).line()


@pytest.mark.parametrize(
    ("state", "reported"),
    [
        ({}, "never ended well yet"),
        ({"lastScheduleTime": "2026-11-24T09:00:00Z", "active": [{"name": "x-1"}]}, "never ended well yet, runs now"),
        (
            {"lastScheduleTime": "2026-11-24T09:00:00Z", "lastSuccessfulTime": "2026-11-24T09:01:00Z"},
            "last ended well 2 h ago",
        ),
        (
            {"lastScheduleTime": "2026-11-24T09:00:00Z", "lastSuccessfulTime": "2026-11-23T00:00:00Z"},
            "last ended well 36 h ago: the run of 2026-11-24T09:00:00Z did not end well",
        ),
    ],
)
def test_a_cron_job_tells_when_it_last_ended_well(state: dict[str, Any], reported: str) -> None:
    found = item("batch/v1", "CronJob", spec={"schedule": "23 2 * * *"}, **state)
    assert status.row(found, SCENE).note == reported


# As CloudNativePG 1.30 and its plugin 0.14 write them; the Cluster's own fields tell of the in-tree method only.
PLUGIN = {
    "name": "barman-cloud.cloudnative-pg.io",
    "isWALArchiver": True,
    "parameters": {"barmanObjectName": "store", "serverName": "db-1"},
}
WINDOW = {"lastSuccessfulBackupTime": "2026-11-23T00:00:00Z", "firstRecoverabilityPoint": "2026-11-22T00:00:03Z"}


def database(*plugins: dict[str, Any]) -> dict[str, Any]:
    spec = {"instances": 3, "imageName": "registry/postgresql:17.6", "plugins": list(plugins)}
    return item("postgresql.cnpg.io/v1", "Cluster", spec=spec, readyInstances=2)


@pytest.mark.parametrize(
    ("plugins", "window", "reported"),
    [
        ((), {}, "no backup yet: none is asked for"),
        ((PLUGIN,), {}, "no backup yet"),
        ((PLUGIN,), {"db-1": WINDOW}, "last backup 36 h ago, no restore rehearsed yet"),
        (
            (PLUGIN,),
            {"db-2": WINDOW},
            "no backup yet, nothing cleans its archives under the earlier server name db-2",
        ),
    ],
)
def test_a_database_tells_its_version_instances_and_backup(plugins: Any, window: dict[str, Any], reported: str) -> None:
    store = item("barmancloud.cnpg.io/v1", "ObjectStore", serverRecoveryWindow=window)
    found = status.row(database(*plugins), status.Scene(NOW, {"ns": {"store": store}}))
    assert found.note == f"postgresql:17.6, 2 of 3 instances ready, {reported}"


@pytest.mark.parametrize(
    ("last", "reported"),
    [
        (BaseBackup("2026-11-24T11:00:00Z", failure="it waits"), ", backup asked for 60 min ago failed: it waits"),
        (BaseBackup("2026-11-22T11:00:00Z", failure="it waits"), ""),
        (BaseBackup("2026-11-24T11:00:00Z", "db-now-1", "000000010000000000000004", "12"), ""),
    ],
)
def test_a_database_tells_of_a_backup_that_was_asked_for_and_failed_until_there_is_a_later_one(
    last: BaseBackup, reported: str
) -> None:
    store = item("barmancloud.cnpg.io/v1", "ObjectStore", serverRecoveryWindow={"db-1": WINDOW})
    scene = status.Scene(NOW, {"ns": {"store": store}}, {}, {("ns", "x"): last})
    found = status.row(database(PLUGIN), scene).note
    assert f"last backup 36 h ago{reported}, no restore rehearsed yet" in found


def test_a_database_that_was_restored_tells_from_where_and_what_stays_there() -> None:
    item = restored("old", "2026-11-09T03:00:00Z", plugins=archived("mastodon-db-2"))
    found = status.row({**item, "apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}, SCENE).note
    assert (
        ", restored from old as of 2026-11-09T03:00:00Z, a folder that nothing cleans up any more, no backup yet"
        in found
    )


@pytest.mark.parametrize(
    ("last", "reported"),
    [
        (
            Record("2026-11-23T12:00:00Z", newest="2026-11-23T11:58:00Z", rpo="12", rto="58"),
            "last rehearsal 24 h ago restored up to 2026-11-23T11:58:00Z (RPO 12 s, RTO 58 s)",
        ),
        (Record("2026-11-24T11:00:00Z", failure="it lacks rows"), "last rehearsal 60 min ago failed: it lacks rows"),
    ],
)
def test_a_database_tells_how_its_last_rehearsal_ended(last: Record, reported: str) -> None:
    store = item("barmancloud.cnpg.io/v1", "ObjectStore", serverRecoveryWindow={"db-1": WINDOW})
    found = status.row(database(PLUGIN), status.Scene(NOW, {"ns": {"store": store}}, {("ns", "x"): last}))
    assert found.note.endswith(f"last backup 36 h ago, {reported}")


def test_an_empty_volume_has_no_backup() -> None:
    mover = {"result": "Successful", "logs": "== Directory is empty skipping backup ==="}
    found = item("volsync.backube/v1alpha1", "ReplicationSource", lastSyncTime="2026-11-24T11:00:00Z")
    assert status.row(found, SCENE).note == "last backup 60 min ago"
    found["status"]["latestMoverStatus"] = mover
    assert status.row(found, SCENE).note.startswith("no backup yet: the volume was empty")


@pytest.mark.parametrize(
    ("kept", "reported"),
    [
        (
            Upgrade("2026-11-24T09:25:00Z", "2026-11-24T09:30:00Z", "v4.6.9", "v4.7.4", "db-now-1", "300"),
            "upgraded from v4.6.9 to v4.7.4 in 300 s, 2 h ago",
        ),
        (
            Upgrade("2026-11-24T11:50:00Z", "", "v4.6.9", "v4.7.4"),
            "upgrade from v4.6.9 to v4.7.4, begun 10 min ago, has not ended",
        ),
        (
            Upgrade("2026-11-24T11:50:00Z", "", "v4.6.9", "v4.7.4", failure="Job x: failed"),
            "upgrade from v4.6.9 to v4.7.4, begun 10 min ago, has not ended: Job x: failed",
        ),
    ],
)
def test_the_last_upgrade_is_reported_of_its_release(kept: Upgrade, reported: str) -> None:
    found = status.row(release(), status.Scene(NOW, upgrades={("ns", "x"): kept, ("ns", "y"): Upgrade("x")}))
    assert found.note == f"chart 1.2.2 running v4.7.4, deployed 2 h ago, {reported}"


def test_a_cluster_is_reported_with_its_backups_and_with_what_is_not_as_declared_behind_its_releases() -> None:
    ours = [{"manager": "fediverse.mastodon", "operation": "Apply"}]
    behind = release()
    behind["status"]["inventory"] = {"entries": [{"id": "ns_web_apps_Deployment", "v": "v1"}]}
    web = item("apps/v1", "Deployment", spec={"replicas": 0})
    web["metadata"] |= {
        "name": "web",
        "managedFields": [
            {"manager": "kubectl", "time": "2026-11-24T11:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        ],
    }
    store = item("barmancloud.cnpg.io/v1", "ObjectStore", serverRecoveryWindow={"db-1": WINDOW})
    store["metadata"]["name"] = "store"
    found = [behind, database(PLUGIN)]
    for one in found:
        one["metadata"]["managedFields"] = ours
    served = (
        kind("apps", "Deployment"),
        kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"),
        kind("postgresql.cnpg.io", "Cluster"),
        kind("barmancloud.cnpg.io", "ObjectStore"),
    )
    lines = [one.line() for one in status.rows(FakeApi(*found, web, store, served=served), NOW)]
    assert lines[0].startswith("HelmRelease ns/x: Current, ")
    assert lines[1] == "Deployment ns/web: NotAsDeclared, is scaled to zero replicas by kubectl"
    assert lines[2].endswith("last backup 36 h ago, no restore rehearsed yet")


def test_what_may_not_be_seen_behind_a_release_is_no_silence() -> None:
    behind = release()
    behind["status"]["inventory"] = {"entries": [{"id": "ns_web_apps_StatefulSet", "v": "v1"}]}
    behind["metadata"]["managedFields"] = [{"manager": "fediverse.mastodon", "operation": "Apply"}]
    served = (kind("apps", "StatefulSet"), kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"))
    api = FakeApi(behind, served=served)
    api.unreadable = {"StatefulSet"}
    [_release, unseen] = status.rows(api, NOW)
    assert (unseen.subject, unseen.status) == ("What is behind HelmRelease ns/x", "NotSeen")
    assert unseen.note == "StatefulSet ns/web: is not permitted (403): forbidden. Give the right."


@pytest.mark.parametrize(
    ("manager", "ours"),
    [
        ("fediverse.mastodon", True),
        ("fediverse.mastodon/social.example", True),
        ("fediverse.mastodonish", False),
        ("kubectl", False),
        (None, False),
    ],
)
def test_ours_is_what_our_field_manager_applied(manager: str | None, ours: bool) -> None:
    found = item("v1", "ConfigMap")
    if manager:
        found["metadata"]["managedFields"] = [{"manager": "kubelet"}, {"manager": manager}]
    assert status.is_ours(found) is ours


SITE = {"domain": "example.org", "web_domain": "", "media_hostname": "", "domain_elsewhere": False, "version": ""}


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (
            Found("Mastodon https://example.org: answers for example.org at 192.0.2.1, version 4.7.4"),
            "Mastodon https://example.org: Answers, for example.org at 192.0.2.1, version 4.7.4",
        ),
        (
            Found(
                "Mastodon https://example.org: answers for example.org", "skipped the request to https://a: No route"
            ),
            "Mastodon https://example.org: NotAllAsked, for example.org; skipped the request to https://a: No route",
        ),
        (
            MastodonError("Mastodon https://example.org", "does not answer as it must", "503 Service Unavailable"),
            "Mastodon https://example.org: Silent, does not answer as it must: 503 Service Unavailable",
        ),
        (
            status_info.site.NotAskedError("192.0.2.1 cannot be reached from here"),
            "Mastodon https://example.org: NotAsked, 192.0.2.1 cannot be reached from here",
        ),
    ],
)
def test_whether_mastodon_answers_is_the_last_row(
    monkeypatch: pytest.MonkeyPatch, outcome: Found | Exception, line: str
) -> None:
    def examine(*_unused: Any) -> Found:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(status_info, "connect", lambda *_unused: None)
    monkeypatch.setattr(status_info, "open_objects", lambda *_unused: FakeApi())
    monkeypatch.setattr(status_info, "rows", lambda *_unused: [])
    monkeypatch.setattr(status_info.site, "examine", examine)
    monkeypatch.setattr(status_info, "_secrets", lambda *_unused: [])
    monkeypatch.setattr(status_info.vault, "connect", lambda *_unused: None)
    said: list[str] = []
    result = status_info.run_task({"site": SITE, **NONE}, Run(check=False, diff=False, say=said.append, environment={}))
    assert said == [line]
    assert result["objects"][-1]["subject"] == "Mastodon https://example.org"


def test_secrets_are_recognised_by_fingerprints_only(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        "folder/fingerprint": Stored(1, {"key": "ab" * 32}),
        "folder/app": Stored(2, {"password": "canary"}),
        "shared/s3": Stored(1, {"key": "canary"}),
        "folder/gone": Stored(3, {}, "2026-11-01"),
    }
    monkeypatch.setattr(status_info, "connect", lambda *_unused: None)
    monkeypatch.setattr(status_info, "open_objects", lambda *_unused: FakeApi())
    monkeypatch.setattr(status_info, "rows", lambda *_unused: [])
    monkeypatch.setattr(status_info.vault, "connect", lambda *_unused: None)
    monkeypatch.setattr(status_info.kv, "read", lambda _server, _mount, path: held.get(path, Stored()))
    said: list[str] = []
    parameters = {
        "mount": "secret",
        "path": "folder",
        "secrets": ["app", "gone", "absent", "shared/s3"],
        "site": None,
        **NONE,
    }
    result = status_info.run_task(parameters, Run(check=False, diff=False, say=said.append, environment={}))
    assert said[0].startswith("secret folder/app: version 2, password ")
    assert said[1:3] == ["secret folder/gone: version 3 was deleted at 2026-11-01", "secret folder/absent: not there"]
    assert said[3].startswith("secret shared/s3: version 1, key ")
    assert "canary" not in f"{result}{said}"
    assert result["changed"] is False


def test_the_last_rotation_of_each_secret_is_reported() -> None:
    done = Rotated("2026-11-24T10:00:00+00:00", "redis", "password 0f8b → 9a7c", "Dragonfly refuses the old one")
    failed = Rotated("2026-11-24T11:59:00+00:00", "database", failure="Cluster ns/db: has no primary.")
    api = FakeApi()
    for one in (done, failed):
        api.put(rotated.place_of("ns", "social", one.secret).body(asdict(one)))
    assert sorted(row.line() for row in status.of_rotations(api, NOW)) == [
        "Rotation of database of ns/social: Failed, 60 s old, failed: Cluster ns/db: has no primary.",
        "Rotation of redis of ns/social: Done, 2 h old, password 0f8b → 9a7c; Dragonfly refuses the old one",
    ]


def test_without_a_vault_all_else_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_token(*_unused: object) -> None:
        raise MastodonError("Vault", "no token", "", "Set VAULT_TOKEN.")

    monkeypatch.setattr(status_info, "connect", lambda *_unused: None)
    monkeypatch.setattr(status_info, "open_objects", lambda *_unused: FakeApi())
    monkeypatch.setattr(status_info, "rows", lambda *_unused: [status.row(release(), SCENE)])
    monkeypatch.setattr(status_info.vault, "connect", no_token)
    said: list[str] = []
    parameters = {"mount": "secret", "path": "folder", "secrets": ["app"], "site": None, **NONE}
    with pytest.raises(MastodonError, match="no token"):
        status_info.run_task(parameters, Run(check=False, diff=False, say=said.append, environment={}))
    assert [line.partition(":")[0] for line in said] == ["HelmRelease ns/x"]


def test_the_last_restore_of_each_database_is_reported() -> None:
    begun = {"began": "2026-11-24T01:00:00Z", "current": "db-2", "former": "db", "restored_from": "db"}
    done = {**begun, "ended": "2026-11-24T01:00:30Z", "seconds": "30"}
    api = FakeApi()
    for name, data in (("db", done), ("other", begun)):
        api.put(generation.place_of("ns", name).body(data))
    assert sorted(row.line().partition(", ")[2].partition("old, ")[2] for row in status.of_restores(api, NOW)) == [
        "restoring the backup of db into Cluster db-2 has not ended",
        "restoring the backup of db into Cluster db-2 took 30 s; Cluster db is kept",
    ]
    assert {row.status for row in status.of_restores(api, NOW)} == {"Done", "NotEnded"}
