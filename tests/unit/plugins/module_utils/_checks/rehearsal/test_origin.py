# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be restored is read from the objects of CloudNativePG and its plugin, and refused while it is of no use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import origin
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

CLUSTER: dict[str, Any] = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "mastodon-db", "namespace": "mastodon"},
    "spec": {
        "plugins": [
            {
                "name": "barman-cloud.cloudnative-pg.io",
                "isWALArchiver": True,
                "parameters": {"barmanObjectName": "store", "serverName": "server-2"},
            }
        ]
    },
    "status": {
        "readyInstances": 1,
        "conditions": [{"type": "ContinuousArchiving", "status": "True", "reason": "ContinuousArchivingSuccess"}],
    },
}
SERVED = {
    "server-2": {"firstRecoverabilityPoint": "2026-11-28T03:00:05Z", "lastSuccessfulBackupTime": "2026-11-29T03:00:05Z"}
}
STORE: dict[str, Any] = {
    "metadata": {"name": "store", "namespace": "mastodon"},
    "spec": {"configuration": {"endpointURL": "https://s3.example.org"}},
    "status": {"serverRecoveryWindow": SERVED},
}


def backup(name: str, cluster: str = "mastodon-db", **status: str) -> dict[str, Any]:
    whole = {"phase": "completed", "startedAt": "2026-11-28T03:00:00Z", "stoppedAt": "2026-11-28T03:00:05Z", **status}
    return {"metadata": {"name": name}, "spec": {"method": "plugin", "cluster": {"name": cluster}}, "status": whole}


def changed(item: dict[str, Any], part: str, **values: Any) -> dict[str, Any]:
    return {**item, part: {**item[part], **values}}


def found(cluster: dict[str, Any] = CLUSTER, store: dict[str, Any] = STORE, *backups: dict[str, Any]) -> origin.Origin:
    return origin.find(cluster, {"store": store}, backups)


def test_its_archive_is_the_one_that_it_writes_to() -> None:
    one = found()
    assert (one.archive.server, one.archive.store_name, one.endpoint) == ("server-2", "store", "https://s3.example.org")
    plain = changed(
        CLUSTER,
        "spec",
        plugins=[{"name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": "store"}}],
    )
    assert found(plain).archive.server == "mastodon-db"


def test_it_can_be_restored_from_the_end_of_its_first_backup_on() -> None:
    window = found(CLUSTER, STORE, backup("other", "another"), backup("failed", phase="failed"), backup("good")).window(
        None
    )
    assert window.since == datetime(2026, 11, 28, 3, 0, 5, tzinfo=UTC)
    assert [one.name for one in window.backups] == ["good"]


@pytest.mark.parametrize(
    "plugins", [[], [{"name": "barman-cloud.cloudnative-pg.io", "enabled": False}], [{"name": "another"}]]
)
def test_without_the_plugin_there_is_nothing_to_restore(plugins: list[dict[str, Any]]) -> None:
    with pytest.raises(
        MastodonError,
        match=r"Cluster mastodon/mastodon-db: is not backed up\. Set cnpg_backup: true and run fediverse\.mastodon\.site\.",
    ):
        found(changed(CLUSTER, "spec", plugins=plugins))


def test_without_its_store_there_is_nothing_to_restore() -> None:
    with pytest.raises(MastodonError, match="its ObjectStore store does not exist"):
        origin.find(CLUSTER, {}, [])


def test_what_was_written_without_a_server_name_would_not_be_found_again() -> None:
    entry = {
        "name": "barman-cloud.cloudnative-pg.io",
        "parameters": {"barmanObjectName": "store", "serverName": ""},
    }
    with pytest.raises(MastodonError, match="its backups were made without a server name"):
        found(changed(CLUSTER, "spec", plugins=[entry]))


@pytest.mark.parametrize(
    ("served", "why"),
    [
        ({}, "ObjectStore store knows none"),
        ({"another": SERVED["server-2"]}, "ObjectStore store knows none"),
        ({"server-2": {"lastFailedBackupTime": "2026-11-29T03:00:05Z"}}, "the last try failed at 2026-11-29T03:00:05Z"),
    ],
)
def test_before_the_first_backup_is_complete_there_is_nothing_to_restore(served: dict[str, Any], why: str) -> None:
    with pytest.raises(MastodonError, match=f"has no completed backup: {why}"):
        found(CLUSTER, changed(STORE, "status", serverRecoveryWindow=served)).window(None)


def test_an_archive_that_wal_does_not_reach_is_refused_in_the_words_of_its_plugin() -> None:
    broken = {
        "type": "ContinuousArchiving",
        "status": "False",
        "reason": "ContinuousArchivingFailing",
        "message": "unexpected failure: 403",
    }
    with pytest.raises(MastodonError, match="does not archive its WAL: unexpected failure: 403"):
        origin.refuse_broken(found(changed(CLUSTER, "status", conditions=[broken])))
    origin.refuse_broken(found())
    origin.refuse_broken(found(changed(CLUSTER, "status", conditions=[])))


def test_an_origin_that_does_not_run_is_refused() -> None:
    with pytest.raises(MastodonError, match="Cluster mastodon/mastodon-db: does not run: Failing over"):
        origin.refuse_unready(found(changed(CLUSTER, "status", readyInstances=0, phase="Failing over")))
    origin.refuse_unready(found())


@pytest.mark.parametrize("version", ["1.27.4", "1.28.3", "v1.29.1", "1.28.0", "1.28.4-rc1", "1.29.2-rc2", "1.30.0-rc1"])
def test_an_operator_that_restores_short_in_silence_is_refused(version: str) -> None:
    with pytest.raises(
        MastodonError, match=f"is too old to restore: it is {version}, .* Upgrade CloudNativePG to 1.28.4"
    ):
        origin.refuse_old_operators({"Deployment a/new": "1.30.0", "Deployment cnpg-system/cnpg": version})


@pytest.mark.parametrize("version", ["1.28.4", "1.29.2", "1.29.2-ubi9", "v1.30.0", "1.30.1-rc1", "1.31.0-rc1", "2.0.0"])
def test_a_newer_operator_is_taken(version: str) -> None:
    assert origin.refuse_old_operators({"Deployment cnpg-system/cnpg": version}) == ""


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({}, "no Deployment of it can be seen"),
        ({"Deployment a/b": ""}, "Deployment a/b does not say its version"),
        ({"Deployment a/b": "latest", "Deployment c/d": "1.30.0"}, "Deployment a/b does not say its version"),
    ],
)
def test_an_operator_of_no_known_version_is_said_to_be_skipped(found: dict[str, str], why: str) -> None:
    assert origin.refuse_old_operators(found) == (
        f"whether CloudNativePG restores past a change of the primary was not checked, as {why}"
    )
