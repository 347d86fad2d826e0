# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove from a listing that an object needs no apply.

Server-side apply records which fields a manager owns (`metadata.managedFields`). An object is provably unchanged when
the fields that we own are exactly the declared ones and each has the declared value. Whatever this code does not
understand is simply not proven, and the API server decides by a dry run. Format of the field sets:
https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/fieldpath.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER

FieldSet = Mapping[str, Any]

# Part of every object's address, so owned by nobody.
_IDENTITY = ("apiVersion", "kind")
_IDENTITY_METADATA = ("name", "namespace")
_ABSENT = object()
_BUILT_IN = frozenset(
    {
        *("admissionregistration", "apiextensions", "apiregistration", "certificates", "coordination", "discovery"),
        *("events", "flowcontrol.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling"),
        "storage",
    }
)


def is_unchanged(body: Mapping[str, Any], live: Mapping[str, Any], manager: str = MANAGER) -> bool:
    """Whether applying `body` as our field manager would provably change nothing of `live`."""
    entry = _our_entry(live, manager)
    if entry is not None and entry.get("apiVersion") != body["apiVersion"]:
        return False
    owned = entry["fieldsV1"] if entry is not None else {}
    declared = _ownable(body)
    if not declared or not owned:
        return not declared and not owned
    if not is_built_in(body) and lacks(declared, live):
        return False
    return _matches(declared, live, owned)


def is_built_in(body: Mapping[str, Any]) -> bool:
    """Whether Kubernetes itself brings a kind, and so leaves out of it what is empty."""
    group, _unused, _unused = body["apiVersion"].rpartition("/")
    return "." not in group or group.removesuffix(".k8s.io") in _BUILT_IN


def lacks(declared: Any, live: Any) -> bool:
    """Whether something declared is not there, however empty.

    An apply that takes the last field out of a map may leave null for it, though it is declared; the next one brings it.
    """
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        given = ((value, live.get(key)) for key, value in declared.items() if value is not None)
        return any(there is None or lacks(value, there) for value, there in given)
    return False


def _ownable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` without what names it: only that can be owned."""
    content = {key: value for key, value in body.items() if key not in _IDENTITY}
    metadata = {key: value for key, value in body["metadata"].items() if key not in _IDENTITY_METADATA}
    if metadata:
        return {**content, "metadata": metadata}
    content.pop("metadata", None)
    return content


def our_fields(live: Mapping[str, Any], manager: str = MANAGER) -> FieldSet:
    """Return the fields of `live` that our field manager applied."""
    entry = _our_entry(live, manager)
    return entry["fieldsV1"] if entry is not None else {}


def our_version(live: Mapping[str, Any], manager: str) -> str:
    """Return the `group/version` in which our field manager applied `live`; empty when it did not."""
    entry = _our_entry(live, manager)
    return str(entry["apiVersion"]) if entry is not None else ""


def other_appliers(live: Mapping[str, Any], manager: str) -> list[str]:
    """Return the other field managers that apply fields of `live`, such as other sets to a shared Gateway."""
    return sorted(
        entry["manager"]
        for entry in entries(live)
        if entry.get("operation") == "Apply" and not entry.get("subresource") and entry["manager"] != manager
    )


def _our_entry(live: Mapping[str, Any], manager: str) -> Mapping[str, Any] | None:
    for entry in entries(live):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry
    return None


def _matches(declared: Any, live: Any, owned: FieldSet) -> bool:
    if not owned:
        # A leaf: a scalar, or a map or list that is owned as a whole.
        return _same(declared, live)
    below = {key: value for key, value in owned.items() if key != "."}
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return {f"f:{key}" for key in declared} == below.keys() and all(
            _value_matches(value, live.get(key, _ABSENT), below[f"f:{key}"]) for key, value in declared.items()
        )
    if isinstance(declared, list) and isinstance(live, list):
        return _list_matches(declared, live, below)
    return False


def _value_matches(declared: Any, live: Any, owned: FieldSet) -> bool:
    if live is _ABSENT:
        # Built-in kinds leave out what is empty. Had somebody removed the field, we would no longer own it.
        return not declared and not owned
    return _matches(declared, live, owned)


def _list_matches(declared: list[Any], live: list[Any], owned: FieldSet) -> bool:
    if len(declared) != len(owned):
        return False
    if all(key.startswith("v:") for key in owned):
        return _set_matches(declared, live, [json.loads(key[2:]) for key in owned])
    if not all(key.startswith("k:") for key in owned):
        return False
    pairs = [(_item(declared, live, json.loads(key[2:])), below) for key, below in owned.items()]
    places = {pair[0]: pair[1] for pair, _unused in pairs if pair}
    if len(places) != len(declared) or not _is_ascending([places[place] for place in sorted(places)]):
        return False
    return all(pair is not None and _matches(declared[pair[0]], live[pair[1]], below) for pair, below in pairs)


def _set_matches(declared: list[Any], live: list[Any], owned: list[Any]) -> bool:
    if not all(value in owned and value in live for value in declared):
        return False
    return _is_ascending([live.index(value) for value in declared])


def _is_ascending(places: Sequence[int]) -> bool:
    """Whether what is declared stands in the declared order: an apply would move it, and containers start in order."""
    return all(one < other for one, other in pairwise(places))


def _item(declared: list[Any], live: list[Any], key: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return where the declared item with this key and its live counterpart stand, None when that is not certain."""
    # A declared item may leave out a part of its key that has a default, such as a port's protocol.
    wanted = _having(declared, key) or _having(declared, key, allow_missing=True)
    present = _having(live, key)
    return (wanted[0], present[0]) if len(wanted) == 1 and len(present) == 1 else None


def _having(items: list[Any], key: Mapping[str, Any], *, allow_missing: bool = False) -> list[int]:
    return [
        place
        for place, item in enumerate(items)
        if isinstance(item, Mapping)
        and all(_same(item[name], value) if name in item else allow_missing for name, value in key.items())
    ]


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON; to Python, 1, 1.0 and True are."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)
