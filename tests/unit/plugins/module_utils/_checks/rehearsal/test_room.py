# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cluster that quotas or storage leave no room for is refused with what it lacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import room
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

CLUSTER: dict[str, Any] = {
    "spec": {
        "storage": {"size": "20Gi", "storageClass": "fast"},
        "walStorage": {"size": "4Gi"},
        "resources": {"requests": {"memory": "1Gi", "cpu": "250m"}, "limits": {"memory": "2Gi"}},
    }
}


def quota(name: str, hard: str, used: str) -> dict[str, Any]:
    metadata = {"namespace": "mastodon", "name": "all"}
    return {"metadata": metadata, "status": {"hard": {name: hard}, "used": {name: used}}}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("250m", "0.25"),
        ("1k", 1000),
        ("2Gi", 2**31),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("2E", 2 * 10**18),
        ("3M", 3_000_000),
        ("", 0),
        ("much", 0),
    ],
)
def test_a_quantity_is_a_number(text: str, number: int | str) -> None:
    assert room.amount(text) == Decimal(number)


@pytest.mark.parametrize(
    ("name", "hard", "used"),
    [
        ("requests.storage", "50Gi", "26Gi"),
        ("fast.storageclass.storage.k8s.io/requests.storage", "20Gi", "0"),
        ("other.storageclass.storage.k8s.io/requests.storage", "1Gi", "1Gi"),
        ("persistentvolumeclaims", "5", "3"),
        ("pods", "10", "9"),
        ("requests.cpu", "1", "750m"),
        ("memory", "2Gi", "1Gi"),
        ("limits.cpu", "1", "1"),
        ("services", "1", "1"),
    ],
)
def test_what_fits_is_taken(name: str, hard: str, used: str) -> None:
    room.refuse_full([quota(name, hard, used)], [], CLUSTER)


@pytest.mark.parametrize(
    ("name", "hard", "used", "needs"),
    [
        ("requests.storage", "50Gi", "27Gi", "24Gi"),
        ("fast.storageclass.storage.k8s.io/requests.storage", "30Gi", "20Gi", "20Gi"),
        ("persistentvolumeclaims", "5", "4", "2"),
        ("pods", "10", "10", "1"),
        ("requests.cpu", "1", "800m", "0.25"),
        ("limits.memory", "3Gi", "2Gi", "2Gi"),
    ],
)
def test_what_a_quota_has_no_room_for_is_refused(name: str, hard: str, used: str, needs: str) -> None:
    with pytest.raises(MastodonError) as caught:
        room.refuse_full([quota(name, hard, used)], [], CLUSTER)
    said = f"ResourceQuota mastodon/all: leaves no room for a restored database: of {name} {hard} {used} are taken, and it needs {needs} more."
    assert str(caught.value).startswith(said)


def capacity(**values: str) -> dict[str, str]:
    return {"storageClassName": "fast", **values}


@pytest.mark.parametrize(
    "capacities",
    [
        [],
        [capacity(capacity="20Gi")],
        [capacity(capacity="1Gi"), capacity(capacity="100Gi")],
        [{"storageClassName": "slow", "capacity": "1Gi"}],
    ],
)
def test_storage_with_room_or_of_which_nothing_is_known_is_taken(capacities: list[dict[str, str]]) -> None:
    room.refuse_full([], capacities, CLUSTER)


def test_storage_without_room_is_refused() -> None:
    with pytest.raises(
        MastodonError, match=r"StorageClass fast: .*: the largest volume that it has room for is 10Gi, and 20Gi are"
    ):
        room.refuse_full([], [capacity(capacity="100Gi", maximumVolumeSize="10Gi")], CLUSTER)
