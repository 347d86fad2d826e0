# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line a state: what the objects say, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.last_backup import of_cluster, of_volume

NAME = {"namespace": "mastodon", "name": "db", "generation": 1}
PLUGIN = "{name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: store, serverName: db-2}}"
WINDOW = "{lastSuccessfulBackupTime: '2026-11-24T03:00:12Z', firstRecoverabilityPoint: '2026-10-25T03:00:09Z'}"
FAILING = "{type: ContinuousArchiving, status: 'False', message: bucket is full}"


def item(spec: str, status: str) -> dict[str, Any]:
    return {"metadata": NAME, "spec": yaml.safe_load(spec) or {}, "status": yaml.safe_load(status) or {}}


@pytest.mark.parametrize(
    ("endpoint", "windows", "warnings"),
    [
        ("https://s3.example.net", f"{{db-2: {WINDOW}}}", ""),
        (
            "http://rook-ceph-rgw-media.rook-ceph.svc",
            f"{{db-2: {WINDOW}}}",
            "its store http://rook-ceph-rgw-media.rook-ceph.svc is in the cluster that it must survive",
        ),
        (
            "https://s3.example.net",
            f"{{db-2: {WINDOW}, db: {WINDOW}, older: {WINDOW}}}",
            "nothing cleans its archives under the earlier server name db, older",
        ),
    ],
)
def test_a_store_in_the_cluster_and_archives_of_earlier_names_are_warnings(
    endpoint: str, windows: str, warnings: str
) -> None:
    store = item(f"configuration: {{endpointURL: '{endpoint}'}}", f"serverRecoveryWindow: {windows}")
    found = of_cluster(item(f"plugins: [{PLUGIN}]", ""), {"store": store})
    assert found.warnings == warnings
    assert found.line().endswith(f"; {warnings}" if warnings else "since 2026-10-25T03:00:09Z")


@pytest.mark.parametrize(
    ("spec", "status", "store", "line"),
    [
        ("", "", "", "Cluster mastodon/db: no backup yet: none is asked for"),
        ("plugins: [{name: other}]", "", "", "Cluster mastodon/db: no backup yet: none is asked for"),
        (f"plugins: [{PLUGIN}]", "", "", "Cluster mastodon/db: no backup yet"),
        (
            f"plugins: [{PLUGIN}]",
            f"conditions: [{FAILING}]",
            "",
            "Cluster mastodon/db: no backup yet: bucket is full",
        ),
        # Of one that runs nothing is known yet, and what was there before is there still.
        (
            f"plugins: [{PLUGIN}]",
            "conditions: [{type: LastBackupSucceeded, status: 'False', reason: BackupStarted, message: New Backup starting up}]",
            f"serverRecoveryWindow: {{db-2: {WINDOW}}}",
            "Cluster mastodon/db: last backup at 2026-11-24T03:00:12Z, can be restored to any moment since 2026-10-25T03:00:09Z",
        ),
        (
            f"plugins: [{PLUGIN}]",
            "conditions: [{type: ContinuousArchiving, status: 'True'}]",
            f"serverRecoveryWindow: {{db-2: {WINDOW}}}",
            "Cluster mastodon/db: last backup at 2026-11-24T03:00:12Z, can be restored to any moment since 2026-10-25T03:00:09Z",
        ),
        (
            f"plugins: [{PLUGIN}]",
            f"conditions: [{FAILING}]",
            f"serverRecoveryWindow: {{db-2: {WINDOW}}}",
            "Cluster mastodon/db: last backup at 2026-11-24T03:00:12Z, can be restored to any moment since 2026-10-25T03:00:09Z; "
            "bucket is full",
        ),
        (
            f"plugins: [{PLUGIN[:-1]}, enabled: false}}]",
            "",
            f"serverRecoveryWindow: {{db-2: {WINDOW}}}",
            "Cluster mastodon/db: no backup yet: none is asked for",
        ),
        # Of the Cluster that this one was restored from.
        (f"plugins: [{PLUGIN}]", "", f"serverRecoveryWindow: {{db: {WINDOW}}}", "Cluster mastodon/db: no backup yet"),
    ],
)
def test_of_a_cluster(spec: str, status: str, store: str, line: str) -> None:
    assert of_cluster(item(spec, status), {"store": item("", store)}).line() == line


def test_of_a_cluster_whose_object_store_is_gone() -> None:
    assert of_cluster(item(f"plugins: [{PLUGIN}]", ""), {}).line() == "Cluster mastodon/db: no backup yet"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("", "PersistentVolumeClaim mastodon/db: no backup yet"),
        (
            '{latestMoverStatus: {result: Failed, logs: "Starting\\nFatal: unable to open repository\\n"}}',
            "PersistentVolumeClaim mastodon/db: no backup yet: the last try failed: Fatal: unable to open repository",
        ),
        (
            "{lastSyncTime: '2026-11-24T03:17:40Z', latestMoverStatus: {result: Successful, logs: done}}",
            "PersistentVolumeClaim mastodon/db: last backup at 2026-11-24T03:17:40Z",
        ),
        (
            "{lastSyncTime: '2026-11-24T03:17:40Z', latestMoverStatus: {result: Failed}}",
            "PersistentVolumeClaim mastodon/db: last backup at 2026-11-24T03:17:40Z; the last try failed",
        ),
        (
            "{lastSyncTime: '2026-11-24T03:17:20Z', latestMoverStatus: {result: Successful, logs: '== Directory is empty skipping backup ==='}}",
            "PersistentVolumeClaim mastodon/db: no backup yet: the volume was empty at 2026-11-24T03:17:20Z, and is not backed up while it is",
        ),
    ],
)
def test_of_a_volume(status: str, line: str) -> None:
    assert of_volume(item("", status)).line() == line
