# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a rehearsal is found again, and the doctor says when there was none for long."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import recent, record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = Record("2026-11-29T03:00:00Z", newest="2026-11-29T02:58:00Z", rpo="12", rto="58")
BAD = Record("2026-11-29T03:00:00Z", failure="Cluster mastodon/db: cannot be restored: the bucket is not there.")
CLUSTER = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "db", "namespace": "mastodon"},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}


def cluster(*records: Record, there: bool = True) -> FakeApi:
    api = FakeApi(NAMESPACE, *([CLUSTER] if there else []))
    for one in records:
        kept = record.place_of("mastodon", "db").body(asdict(one))
        api.apply(CONFIG_MAP, kept, manager=MANAGER, force=True, dry_run=False)
    return api


def found(api: FakeApi) -> Finding:
    return find(lambda: recent.rehearsed(api, "mastodon", "db", NOW))


@pytest.mark.parametrize("made", [GOOD, BAD, Record("2026-11-29T03:00:00Z", "2026-11-28T03:00:00Z")])
def test_what_was_kept_is_read_again(made: Record) -> None:
    assert record.read_all(cluster(made)) == {("mastodon", "db"): made}


def test_what_is_not_known_is_left_out_and_what_was_skipped_is_said() -> None:
    assert (
        Record("", newest="2026-11-29T02:58:00Z", rto="58").line() == "restored up to 2026-11-29T02:58:00Z (RTO 58 s)"
    )
    assert Record("", rpo="1", rto="5", skipped="its version").line() == (
        "restored without any row (RPO 1 s, RTO 5 s); skipped: its version"
    )


def test_the_last_one_takes_the_place_of_the_one_before() -> None:
    assert record.read_all(cluster(BAD, GOOD)) == {("mastodon", "db"): GOOD}


@pytest.mark.parametrize("data", [None, {}, {"ended": ""}, {"another": "x"}])
def test_a_map_that_holds_no_rehearsal_is_none(data: Any) -> None:
    api = cluster()
    labels = {"fediverse.mastodon/rehearsal-of": "db"}
    api.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x", "namespace": "mastodon", "labels": labels},
            "data": data,
        }
    )
    assert record.read_all(api) == {}


def test_a_recent_one_that_went_well_is_well() -> None:
    assert found(cluster(GOOD)) == Finding(
        "ok",
        "Cluster mastodon/db: a restore was rehearsed at 2026-11-29T03:00:00Z, restored up to 2026-11-29T02:58:00Z (RPO 12 s, RTO 58 s)",
    )


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((), "no restore of it was rehearsed yet. Rehearse one: "),
        (
            (BAD,),
            "its last rehearsal failed at 2026-11-29T03:00:00Z: Cluster mastodon/db: cannot be restored: the bucket is not there.",
        ),
        (
            (Record("2026-10-01T03:00:00Z"),),
            "no restore of it was rehearsed for 31 days: the last was at 2026-10-01T03:00:00Z. Rehearse",
        ),
    ],
)
def test_any_other_is_a_warning(records: tuple[Record, ...], said: str) -> None:
    warned = found(cluster(*records))
    assert warned.state == "warning"
    assert warned.text.startswith(f"Cluster mastodon/db: {said}")


def test_of_a_database_that_is_not_there_yet_nothing_is_asked() -> None:
    assert found(cluster(there=False)).state == "skipped"
