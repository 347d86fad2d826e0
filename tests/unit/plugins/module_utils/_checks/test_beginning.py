# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database begins empty only where nothing of an earlier one could be restored, and is backed up where nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.beginning import Beginning, Wanted
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FIRST, LAST = datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 11, 29, 3, tzinfo=UTC)
ONE = {"mastodon-db": [FIRST, LAST]}
PLUGIN = "barman-cloud.cloudnative-pg.io"


def wanted(**other: Any) -> Wanted:
    return Wanted("mastodon", "mastodon-db", "example.org", "backups", **other)


def of_new(archives: Any, **other: Any) -> Beginning:
    return beginning.of_new(wanted(**other), archives, NOW)


def refused(archives: Any, **other: Any) -> str:
    with pytest.raises(MastodonError) as caught:
        of_new(archives, **other)
    return str(caught.value)


@pytest.mark.parametrize("archives", [{}, {"accounts": [], "another-db": [LAST], "mastodon-db-old": [LAST]}])
def test_where_no_backup_of_it_is_it_begins_empty_under_its_own_name(archives: Any) -> None:
    assert of_new(archives) == Beginning("mastodon-db")


@pytest.mark.parametrize(
    ("archives", "newest", "others"),
    [
        (ONE, "mastodon-db", ""),
        ({"mastodon-db": [FIRST], "mastodon-db-2": [LAST]}, "mastodon-db-2", ", and of mastodon-db"),
    ],
)
def test_beside_a_backup_of_it_it_does_not_begin_empty(archives: Any, newest: str, others: str) -> None:
    assert refused(archives) == (
        f"Cluster mastodon/mastodon-db: would be created empty, and a backup of {newest} is there: bucket backups has one of "
        f"2026-11-29T03:00:00Z{others}. Set cnpg_restore_from to {newest} to restore it, or cnpg_begin_anew to example.org to "
        "begin without it."
    )


def test_a_backup_under_the_name_that_was_chosen_is_its_own() -> None:
    assert "a backup of chosen is there" in refused({"chosen": [LAST]}, server_name="chosen")


@pytest.mark.parametrize("anew", ["other.org", "true"])
def test_another_word_than_its_domain_does_not_let_it_begin_anew(anew: str) -> None:
    assert "would be created empty" in refused(ONE, begin_anew=anew)


def test_what_begins_anew_is_backed_up_beside_the_old() -> None:
    archives = {**ONE, "mastodon-db-2": [LAST]}
    assert of_new(archives, begin_anew="example.org") == Beginning("mastodon-db-3")


def test_what_is_restored_is_backed_up_beside_where_it_came_from() -> None:
    assert of_new(ONE, restore_from="mastodon-db") == Beginning("mastodon-db-2", "mastodon-db")
    assert of_new({"old": [LAST]}, restore_from="old") == Beginning("mastodon-db", "old")
    assert of_new(ONE, restore_from="mastodon-db", server_name="new") == Beginning("new", "mastodon-db")


def test_wal_without_a_backup_keeps_its_name_from_being_used() -> None:
    assert of_new({"mastodon-db": []}) == Beginning("mastodon-db-2")


def test_a_name_that_is_taken_is_refused_when_it_was_chosen() -> None:
    assert refused(ONE, restore_from="mastodon-db", server_name="mastodon-db") == (
        "Cluster mastodon/mastodon-db: cannot be backed up as mastodon-db: folder mastodon-db of bucket backups holds that of "
        "another database. Set cnpg_backup_server_name to another name, or leave it out for a free one."
    )


@pytest.mark.parametrize(
    ("archives", "known"),
    [({}, "it has none at all"), ({"old": [], "db": [LAST], "x": [FIRST]}, "it has those of db, x")],
)
def test_what_is_not_in_the_bucket_is_not_restored(archives: Any, known: str) -> None:
    assert refused(archives, restore_from="old") == (
        f"Bucket backups: has no base backup of old: {known}. Correct cnpg_restore_from, cnpg_backup_bucket or "
        "cnpg_backup_endpoint."
    )


def test_a_time_is_restored_to_as_cloudnativepg_reads_it() -> None:
    found = of_new(ONE, restore_from="mastodon-db", restore_at="2026-11-20T04:00:00+01:00")
    assert found == Beginning("mastodon-db-2", "mastodon-db", "2026-11-20T03:00:00Z")


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2026-10-01T00:00:00Z", "its first backup was complete only later"),
        ("2026-12-01T00:00:00Z", "that is in the future, it is 2026-11-29T12:00:00Z"),
    ],
)
def test_a_time_outside_of_the_backups_is_refused_by_the_name_of_its_setting(time: str, why: str) -> None:
    said = refused(ONE, restore_from="mastodon-db", restore_at=time)
    assert why in said
    assert "or leave cnpg_restore_at out for the newest" in said


def cluster(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "mastodon-db", "namespace": "mastodon", "creationTimestamp": "2026-11-10T00:00:00Z"}
    return {"metadata": metadata, "spec": {"bootstrap": {"initdb": {}}, **spec}}


def restored(source: str = "mastodon-db", time: str = "", **other: Any) -> dict[str, Any]:
    target = {"recoveryTarget": {"targetTime": time}} if time else {}
    plugin = {"name": PLUGIN, "parameters": {"serverName": source}}
    spec = {"bootstrap": {"recovery": {"source": "origin", **target}}}
    return {**cluster(**spec, externalClusters=[{"name": "origin", "plugin": plugin}], **other)}


def imported(source: str) -> dict[str, Any]:
    spec = {"bootstrap": {"initdb": {"import": {"source": {"externalCluster": "former"}}}}}
    host = f"{source}-rw.mastodon.svc"
    return cluster(**spec, externalClusters=[{"name": "former", "connectionParameters": {"host": host}}])


def archived(name: str) -> list[dict[str, Any]]:
    return [{"name": PLUGIN, "parameters": {"barmanObjectName": "mastodon-db", "serverName": name}}]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (cluster(), Beginning("")),
        (cluster(plugins=archived("chosen")), Beginning("chosen")),
        (restored(plugins=archived("mastodon-db-2")), Beginning("mastodon-db-2", "mastodon-db")),
        (imported("mastodon-db"), Beginning("", imported_from="mastodon-db")),
        (
            restored(time="2026-11-09T03:00:00Z"),
            Beginning("", "mastodon-db", "2026-11-09T03:00:00Z"),
        ),
    ],
)
def test_a_cluster_says_how_it_began(item: dict[str, Any], found: Beginning) -> None:
    assert beginning.of_live(item) == found


def test_one_that_somebody_else_restored_by_other_means_is_none_of_ours() -> None:
    item = cluster(bootstrap={"recovery": {"source": "x"}}, externalClusters=[{"name": "x", "barmanObjectStore": {}}])
    assert beginning.of_live(item) == Beginning("")


@pytest.mark.parametrize(
    ("archives", "name"),
    [
        ({}, "mastodon-db"),
        # Its own, from before backups were turned off for a while.
        ({"mastodon-db": [datetime(2026, 11, 11, tzinfo=UTC)]}, "mastodon-db"),
        # Of one that was there before it.
        ({"mastodon-db": [FIRST, LAST]}, "mastodon-db-2"),
        ({"mastodon-db": [FIRST], "mastodon-db-2": [datetime(2026, 11, 11, tzinfo=UTC)]}, "mastodon-db-2"),
    ],
)
def test_a_cluster_that_is_backed_up_from_now_on_is_not_mixed_with_an_earlier_one(archives: Any, name: str) -> None:
    assert beginning.own_name(wanted(), cluster(), archives) == name


def refused_live(item: dict[str, Any], **asked: Any) -> str:
    with pytest.raises(MastodonError) as caught:
        beginning.refuse_other(wanted(**asked), item, beginning.of_live(item))
    return str(caught.value)


def test_over_a_database_nothing_is_restored() -> None:
    assert "is there already: a backup is only restored into a new one, and never over a database" in refused_live(
        cluster(), restore_from="mastodon-db"
    )


def test_one_that_did_not_come_up_is_not_asked_for_otherwise() -> None:
    said = refused_live(
        restored(time="2026-11-09T03:00:00Z"), restore_from="mastodon-db", restore_at="2026-11-08T03:00:00Z"
    )
    assert said == (
        "Cluster mastodon/mastodon-db: did not come up and is asked for otherwise now: it was to be restored from mastodon-db as of "
        "2026-11-09T03:00:00Z. Nothing is in it: kubectl delete clusters.postgresql.cnpg.io -n mastodon mastodon-db, and run again."
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"restore_from": "mastodon-db"},
        {"restore_from": "mastodon-db", "restore_at": "2026-11-08T03:00:00Z"},
        {"restore_from": "old"},
    ],
)
def test_what_was_restored_stays_whatever_is_asked_for_later(asked: dict[str, str]) -> None:
    item = {**restored(), "status": {"currentPrimary": "mastodon-db-1"}}
    beginning.refuse_other(wanted(**asked), item, beginning.of_live(item))


@pytest.mark.parametrize(("folder", "time"), [("20261129T030000", LAST), ("latest", None), ("20261129T0300", None)])
def test_a_backup_is_dated_by_the_name_of_its_folder(folder: str, time: datetime | None) -> None:
    assert beginning.backup_time(folder) == time
