# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.fields import is_unchanged, our_fields


def live(spec: Any, owned: dict[str, Any] | None, **entry: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "a", "namespace": "ns", "resourceVersion": "7"}
    if owned is not None:
        ours = {"manager": "fediverse.mastodon", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned, **entry}
        theirs = {"manager": "other", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:z": {}}}}
        metadata["managedFields"] = [theirs, ours]
    return {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, "spec": spec, "status": {"x": 1}}


def declared(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a", "namespace": "ns"}, "spec": spec}


TCP = 'k:{"containerPort":80,"protocol":"TCP"}'
UDP = 'k:{"containerPort":80,"protocol":"UDP"}'
PORT: dict[str, Any] = {".": {}, "f:containerPort": {}}
BOTH: dict[str, Any] = {**PORT, "f:protocol": {}}
LIVE_TCP = {"containerPort": 80, "protocol": "TCP"}
LIVE_UDP = {"containerPort": 80, "protocol": "UDP"}
LIVE_SCTP = {"containerPort": 80, "protocol": "SCTP"}

# What is declared, what is there, which fields of `spec` we own.
PROVEN = {
    "scalar": ({"a": 1}, {"a": 1}, {"f:a": {}}),
    "more is there than declared": ({"a": 1}, {"a": 1, "b": 2}, {"f:a": {}}),
    "nested": ({"a": {"b": "x"}}, {"a": {"b": "x", "c": 1}}, {"f:a": {"f:b": {}}}),
    "list owned as a whole": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, {"f:a": {}}),
    "map owned as a whole": ({"a": {"b": 1}}, {"a": {"b": 1}}, {"f:a": {}}),
    "empty map kept": ({"a": {}}, {"a": {}}, {"f:a": {}}),
    "empty map left out by the server": ({"a": {}, "b": 1}, {"b": 1}, {"f:a": {}, "f:b": {}}),
    "false left out by the server": ({"a": False, "b": 1}, {"b": 1}, {"f:a": {}, "f:b": {}}),
    "keyed list with a default in its key": ({"p": [{"containerPort": 80}]}, {"p": [LIVE_TCP]}, {"f:p": {TCP: PORT}}),
    "keyed list with others' items": ({"p": [LIVE_UDP]}, {"p": [LIVE_TCP, LIVE_UDP]}, {"f:p": {UDP: BOTH}}),
    "keyed list, one key a default": (
        {"p": [{"containerPort": 80}, LIVE_UDP]},
        {"p": [LIVE_TCP, LIVE_UDP]},
        {"f:p": {TCP: PORT, UDP: BOTH}},
    ),
    "set": ({"s": ["x", "y"]}, {"s": ["x", "z", "y"]}, {"f:s": {'v:"x"': {}, 'v:"y"': {}}}),
    "keyed list with others' items between": (
        {"p": [LIVE_UDP, LIVE_TCP]},
        {"p": [LIVE_UDP, LIVE_SCTP, LIVE_TCP]},
        {"f:p": {TCP: BOTH, UDP: BOTH}},
    ),
}
NOT_PROVEN = {
    "another value": ({"a": 1}, {"a": 2}, {"f:a": {}}),
    "a field of ours that is no longer declared": ({"a": 1}, {"a": 1, "b": 2}, {"f:a": {}, "f:b": {}}),
    "a declared field that others own": ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"f:a": {}}),
    "nothing is ours": ({"a": 1}, {"a": 1}, None),
    "quantity written otherwise": ({"a": "1000m"}, {"a": "1"}, {"f:a": {}}),
    "number written otherwise": ({"a": 1}, {"a": 1.0}, {"f:a": {}}),
    "one is not true": ({"a": 1}, {"a": True}, {"f:a": {}}),
    "string is not number": ({"a": "1"}, {"a": 1}, {"f:a": {}}),
    "absent": ({"a": 1}, {}, {"f:a": {}}),
    "default inside what is owned as a whole": ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {"f:a": {}}),
    "list in another order": ({"a": [1, 2]}, {"a": [2, 1]}, {"f:a": {}}),
    "empty map that we own, others' content declared": ({"a": {"b": 1}}, {"a": {"b": 1}}, {"f:a": {".": {}}}),
    "keyed list with an item too many": (
        {"p": [LIVE_UDP]},
        {"p": [LIVE_TCP, LIVE_UDP]},
        {"f:p": {TCP: BOTH, UDP: BOTH}},
    ),
    "keyed list with an item too few": ({"p": [LIVE_TCP, LIVE_UDP]}, {"p": [LIVE_TCP, LIVE_UDP]}, {"f:p": {UDP: BOTH}}),
    "keyed list, one item for two keys": (
        {"p": [{"containerPort": 80}, {"containerPort": 80, "protocol": "SCTP"}]},
        {"p": [LIVE_TCP, LIVE_UDP]},
        {"f:p": {TCP: PORT, UDP: PORT}},
    ),
    "keyed list whose item is gone": ({"p": [LIVE_UDP]}, {"p": [LIVE_TCP]}, {"f:p": {UDP: BOTH}}),
    "set with a value too few": ({"s": ["x"]}, {"s": ["x", "y"]}, {"f:s": {'v:"x"': {}, 'v:"y"': {}}}),
    "set in another order": ({"s": ["x", "y"]}, {"s": ["y", "x"]}, {"f:s": {'v:"x"': {}, 'v:"y"': {}}}),
    "keyed list in another order": (
        {"p": [LIVE_TCP, LIVE_UDP]},
        {"p": [LIVE_UDP, LIVE_TCP]},
        {"f:p": {TCP: BOTH, UDP: BOTH}},
    ),
    "keyed list with defaults in another order": (
        {"p": [{"containerPort": 80}, LIVE_UDP]},
        {"p": [LIVE_UDP, LIVE_SCTP, LIVE_TCP]},
        {"f:p": {UDP: BOTH, TCP: PORT}},
    ),
    "list by index": ({"a": [1]}, {"a": [1]}, {"f:a": {"i:0": {}}}),
    "a map where a list is declared": ({"a": [{"b": 1}]}, {"a": {"b": 1}}, {"f:a": {"f:b": {}}}),
}


@pytest.mark.parametrize("case", PROVEN)
def test_proven(case: str) -> None:
    spec, there, owned = PROVEN[case]
    assert is_unchanged(declared(spec), live(there, {"f:spec": owned}))


@pytest.mark.parametrize("case", NOT_PROVEN)
def test_not_proven(case: str) -> None:
    spec, there, owned = NOT_PROVEN[case]
    assert not is_unchanged(declared(spec), live(there, None if owned is None else {"f:spec": owned}))


@pytest.mark.parametrize("entry", [{"apiVersion": "v1beta1"}, {"operation": "Update"}, {"subresource": "status"}])
def test_only_our_apply_in_the_same_version_proves_anything(entry: dict[str, str]) -> None:
    assert not is_unchanged(declared({"a": 1}), live({"a": 1}, {"f:spec": {"f:a": {}}}, **entry))


def test_an_object_that_declares_nothing_is_unchanged_when_it_exists() -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    assert is_unchanged(
        body, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {"x": "y"}}}
    )
    labelled = live({}, {"f:metadata": {"f:labels": {"f:x": {}}}})
    assert not is_unchanged({**body, "kind": "Thing"}, labelled)


def test_labels_and_annotations_are_fields_like_any_other() -> None:
    body = declared({"a": 1})
    body["metadata"]["labels"] = {"x": "y"}
    there = live({"a": 1}, {"f:spec": {"f:a": {}}, "f:metadata": {"f:labels": {"f:x": {}}}})
    there["metadata"]["labels"] = {"x": "y", "z": "w"}
    assert is_unchanged(body, there)
    there["metadata"]["labels"]["x"] = "other"
    assert not is_unchanged(body, there)


def test_our_fields_are_empty_where_we_own_nothing() -> None:
    assert our_fields(live({}, None)) == {}


@pytest.mark.parametrize(
    ("version", "proven"),
    [
        ("v1", True),
        ("rbac.authorization.k8s.io/v1", True),
        ("gateway.networking.k8s.io/v1", False),
        ("cert-manager.io/v1", False),
    ],
)
def test_only_kinds_of_kubernetes_itself_leave_out_what_is_empty(version: str, proven: bool) -> None:
    body = {**declared({"selfSigned": {}, "none": None, "b": 1}), "apiVersion": version}
    there = live({"b": 1}, {"f:spec": {"f:selfSigned": {}, "f:none": {}, "f:b": {}}}, apiVersion=version)
    assert is_unchanged(body, {**there, "apiVersion": version}) is proven
    there["spec"]["selfSigned"] = {}
    assert is_unchanged(body, {**there, "apiVersion": version})
