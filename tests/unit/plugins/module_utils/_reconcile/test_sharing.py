# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import sharing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER

NOTE = {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}}
ITEM = 'k:{"name":"a"}'


def entry(fields: dict[str, Any], **more: str) -> dict[str, Any]:
    applied = {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", **more}
    return {**applied, "fieldsV1": {"f:metadata": NOTE, **fields}}


def live(theirs: dict[str, Any], ours: dict[str, Any], **more: str) -> dict[str, Any]:
    applied = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": ours}
    return {"metadata": {"managedFields": [entry(theirs, **more), applied]}}


# What client-side kubectl owns, what we declare, what is then left to kubectl, and what of it is named.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = {
    "all of it": ({"f:data": {".": {}, "f:a": {}}}, {"f:data": {"f:a": {}}}, {"f:data": {}}, ["data"]),
    "a part of it": (
        {"f:data": {".": {}, "f:a": {}, "f:b": {}}},
        {"f:data": {"f:a": {}}},
        {"f:data": {".": {}, "f:b": {}}},
        ["data.b"],
    ),
    "an item": (
        {"f:list": {ITEM: {".": {}, "f:name": {}, "f:x": {}}}},
        {"f:list": {ITEM: {".": {}, "f:name": {}}}},
        {"f:list": {ITEM: {"f:x": {}}}},
        ['list[{"name":"a"}].x'],
    ),
    "a value of a set": (
        {"f:s": {'v:"a"': {}, 'v:"b"': {}}},
        {"f:s": {'v:"a"': {}}},
        {"f:s": {'v:"b"': {}}},
        ['s["b"]'],
    ),
    "what is owned as a whole": ({"f:a": {}, "f:b": {}}, {"f:a": {}}, {"f:b": {}}, ["b"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_we_declare_is_ours_alone_and_the_rest_stays(case: str) -> None:
    theirs, ours, left, named = CASES[case]
    entries = sharing.alone(live(theirs, ours), MANAGER)
    assert entries is not None
    assert entries[0] == entry(left)
    assert entries[1]["fieldsV1"] == ours
    assert sharing.kept(entries) == named
    assert sharing.alone({"metadata": {"managedFields": entries}}, MANAGER) is None


@pytest.mark.parametrize(
    ("theirs", "more"),
    [
        ({"f:data": {"f:b": {}}}, {}),
        ({"f:data": {"f:a": {}}}, {"operation": "Apply"}),
        ({"f:data": {"f:a": {}}}, {"subresource": "status"}),
    ],
)
def test_where_nothing_is_shared_nothing_is_taken(theirs: dict[str, Any], more: dict[str, str]) -> None:
    assert sharing.alone(live(theirs, {"f:data": {"f:a": {}}}, **more), MANAGER) is None


def test_a_program_that_does_not_apply_on_the_client_keeps_what_it_has() -> None:
    shared = live({}, {"f:data": {"f:a": {}}})
    shared["metadata"]["managedFields"][0]["fieldsV1"] = {"f:data": {"f:a": {}}}
    assert sharing.alone(shared, MANAGER) is None
    assert sharing.alone({"metadata": {}}, MANAGER) is None
