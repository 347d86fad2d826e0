# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever defines a kind decides what its status looks like: whatever stands where, reading it never ends in an error of ours.

Every part of every state that test_ready knows is replaced by each of `ODD`, and taken away.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import troubles, workloads
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Status
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import objects_info
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.test_ready import (
    CURRENT,
    FAILED,
    IN_PROGRESS,
    item,
)

ODD: list[Any] = [None, "text", "", 7, 1.5, True, [], {}, [None], ["text"], [[]], {"key": None}, [{"type": None}], [{}]]
# What the API server checks of whatever kind, besides that of metadata there is nothing or what belongs there.
FIRM = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}
METADATA = {
    "name": "a",
    "namespace": "ns",
    "generation": 2,
    "labels": {"app": "a"},
    "annotations": {"reconcile.fluxcd.io/requestedAt": "now"},
    "finalizers": ["example.test/hold"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "b", "uid": "c"}],
    "managedFields": [
        {"manager": "m", "operation": "Apply", "fieldsV1": {"f:metadata": {}}, "time": "2026-01-01T00:00:00Z"}
    ],
    "creationTimestamp": "2026-01-01T00:00:00Z",
}
# Of its own kinds it checks all.
OWN = {kind for _unused, kind in workloads.RULES}
STATES = sorted({state[:3] for state in (*CURRENT, *IN_PROGRESS, *FAILED) if state[0] not in OWN})
TROUBLES = (troubles.of_pod, troubles.of_replica_set, troubles.of_job, troubles.of_issuing)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in keys:
        yield (*path, key)
        yield from places(below, (*path, key))


def odd(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an object with each of its parts replaced, and without it."""
    for path in places(whole):
        if path in FIRM:
            continue
        # There, only a field as a whole may be missing or null.
        for value in (*((None, ...) if len(path) == 2 else ()),) if path[0] == "metadata" else (*ODD, ...):
            changed = copy.deepcopy(whole)
            holder: Any = changed
            for key in path[:-1]:
                holder = holder[key]
            if value is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = copy.deepcopy(value)
            yield changed


@pytest.mark.parametrize("kind", sorted({state[0] for state in STATES}))
def test_no_shape_of_any_kind_ends_in_an_error(kind: str) -> None:
    for state in (state for state in STATES if state[0] == kind):
        for changed in odd({**item(*state), "metadata": {**METADATA}} | {"spec": item(*state).get("spec", {"a": 1})}):
            status = compute(changed)
            assert isinstance(status, Status), changed
            assert isinstance(str(status), str), changed
            for look in TROUBLES:
                assert all(str(trouble) for trouble in look(changed))


def test_no_metadata_ends_a_listing() -> None:
    whole = {"apiVersion": "example.test/v1", "kind": "Anything", "metadata": METADATA, "status": {"conditions": []}}
    dying = {**whole, "metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    for one in (whole, dying):
        for changed in odd(one):
            reported = objects_info._result(ObjectRef.of(changed), changed)
            assert reported["subject"] == "Anything ns/a"
            assert all(
                isinstance(text, str)
                for text in (reported["status"], reported["message"], *reported["owners"], *reported["managers"])
            )
            StatusTracker().found(ObjectRef.of(changed), changed)


def test_conditions_that_are_a_map_say_nothing() -> None:
    found = item("Anything", "", "{conditions: {Ready: {status: 'False'}}}")
    assert compute(found).verdict == "Current"
