# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor makes of a CephCluster, as Rook 1.16 wrote each of them into its status."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.ceph import (
    explained,
    healthy,
    namespace_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CEPH = kind("ceph.rook.io", "CephCluster")
MODULES = {"severity": "HEALTH_WARN", "message": "13 mgr modules have failed dependencies"}
FULL = {"severity": "HEALTH_ERR", "message": "1 full osd(s)"}
NO_DISK = {"severity": "HEALTH_WARN", "message": "OSD count 0 < osd_pool_default_size 1"}
ENDPOINT = "http://rook-ceph-rgw-media.rook-ceph.svc"
LOOK = "Check Ceph's pods, and the disks below them: kubectl get pods -n rook-ceph."
READ_MORE = (
    "Read more: kubectl describe cephcluster -n rook-ceph ours, and what each code means at "
    "https://docs.ceph.com/en/latest/rados/operations/health-checks/."
)


def cluster(health: str = "", checked: str = "2026-11-24T11:59:00Z", **details: Any) -> dict[str, Any]:
    asked = {"ceph": {"health": health, "lastChecked": checked, "details": details}} if health else {}
    return {
        "apiVersion": "ceph.rook.io/v1",
        "kind": "CephCluster",
        "metadata": {"namespace": "rook-ceph", "name": "ours"},
        "status": {"phase": "Ready" if health else "Progressing", **asked},
    }


def looked(*items: dict[str, Any], served: bool = True) -> Finding:
    api = FakeApi(*items, served=(CEPH,) if served else ())
    return find(partial(healthy, api, "rook-ceph", NOW))


@pytest.mark.parametrize(
    ("item", "state", "text"),
    [
        (cluster("HEALTH_OK"), "ok", "HEALTH_OK"),
        (
            cluster("HEALTH_WARN", MGR_MODULE_DEPENDENCY=MODULES),
            "warning",
            "HEALTH_WARN: 13 mgr modules have failed dependencies (MGR_MODULE_DEPENDENCY)",
        ),
        (
            cluster("HEALTH_ERR", MGR_MODULE_DEPENDENCY=MODULES, OSD_FULL=FULL),
            "failed",
            f"Ceph is not well: HEALTH_ERR: 1 full osd(s) (OSD_FULL). {READ_MORE}",
        ),
        (
            cluster("HEALTH_ERR", error={"severity": "Urgent", "message": "failed to get status: timed out"}),
            "failed",
            f"Ceph is not well: HEALTH_ERR: failed to get status: timed out. {READ_MORE}",
        ),
        (
            cluster("HEALTH_WARN", TOO_FEW_OSDS=NO_DISK),
            "failed",
            f"Ceph is not well: HEALTH_WARN: OSD count 0 < osd_pool_default_size 1 (TOO_FEW_OSDS). {READ_MORE}",
        ),
        (cluster(), "warning", "its phase is Progressing"),
        (
            cluster("HEALTH_OK", checked="2026-11-24T11:00:00Z"),
            "failed",
            "nobody knows how Ceph is: Rook last asked Ceph 60 min ago, when it was HEALTH_OK. "
            "Check its operator: kubectl get pods -A -l app=rook-ceph-operator.",
        ),
    ],
)
def test_ceph_is_quoted(item: dict[str, Any], state: str, text: str) -> None:
    assert looked(item) == Finding(state, f"CephCluster rook-ceph/ours: {text}")


@pytest.mark.parametrize("served", [True, False])
def test_one_that_is_not_there_yet_was_not_looked_at(served: bool) -> None:
    assert looked(served=served) == Finding("skipped", "Ceph in namespace rook-ceph: there is no CephCluster yet")


def test_one_that_may_not_be_seen_was_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_unused: Any) -> Any:
        raise ApiError("CephCluster", "cannot be read", "", "", status=403, message="forbidden")

    api = FakeApi(served=(CEPH,))
    monkeypatch.setattr(api, "read", refused)
    found = find(partial(healthy, api, "rook-ceph", NOW))
    assert found == Finding("skipped", "Ceph in namespace rook-ceph: you may not list CephClusters there")
    silent = MastodonError("Bucket media", "cannot be reached", "timed out", "Check it.")
    assert str(explained(silent, api, ENDPOINT)) == f"Bucket media: cannot be reached: timed out. {LOOK}"


@pytest.mark.parametrize(
    ("endpoint", "namespace"),
    [
        (ENDPOINT, "rook-ceph"),
        ("http://rook-ceph-rgw-media.storage.svc.cluster.local:80", "storage"),
        ("https://s3.example.org", ""),
        ("http://s3.object-store.svc:8333", ""),
        ("", ""),
    ],
)
def test_whose_gateway_it_is_shows_in_the_endpoint(endpoint: str, namespace: str) -> None:
    assert namespace_of(endpoint) == namespace


@pytest.mark.parametrize(
    ("item", "more"),
    [
        (cluster("HEALTH_OK"), ""),
        (cluster(), ""),
        (
            cluster("HEALTH_ERR", OSD_FULL=FULL),
            "; CephCluster rook-ceph/ours reports HEALTH_ERR: 1 full osd(s) (OSD_FULL)",
        ),
    ],
)
def test_a_gateway_that_gives_no_answer_is_explained_by_a_ceph_that_is_not_well(
    item: dict[str, Any], more: str
) -> None:
    silent = MastodonError("Bucket media", "cannot be reached", "timed out", "Check it.")
    found = explained(silent, FakeApi(item, served=(CEPH,)), ENDPOINT)
    assert str(found) == f"Bucket media: cannot be reached: timed out{more}. {LOOK}"
    assert explained(silent, FakeApi(item, served=(CEPH,)), "https://s3.example.org") is silent
