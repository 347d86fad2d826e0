# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that a set declares and that `kubectl apply` without server-side apply has set as well.

Whoever applies on the client drops a field by what its annotation remembers, not by what it owns. So its ownership would
keep for ever what the set no longer declares. `kubectl apply --server-side` takes all of it over, and removes at once
what it does not declare: https://pkg.go.dev/k8s.io/client-go/util/csaupgrade. We take over what the set declares and no
more, since the rest was never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.fields import FieldSet, our_fields
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries

_LAST_APPLIED = "f:kubectl.kubernetes.io/last-applied-configuration"


def alone(live: Mapping[str, Any], manager: str) -> list[dict[str, Any]] | None:
    """Return the `managedFields` by which only we own what we declare, None if it is so already."""
    written = entries(live)
    if not any(_is_by_client(entry) for entry in written):
        return None
    ours = our_fields(live, manager)
    left = [
        {**entry, "fieldsV1": _without(entry["fieldsV1"], ours)} if _is_by_client(entry) else dict(entry)
        for entry in written
    ]
    return [entry for entry in left if entry["fieldsV1"]] if left != written else None


def appliers(live: Mapping[str, Any]) -> list[str]:
    """Return the field managers that applied on the client, even those of whose fields none is theirs any more."""
    return sorted({entry["manager"] for entry in entries(live) if _is_by_client(entry)})


def kept(written: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fields that stay with whoever applied them on the client, such as `data.a`."""
    found = {path for entry in written if _is_by_client(entry) for path in _paths(entry["fieldsV1"], "")}
    return sorted(path for path in found if not path.endswith(_LAST_APPLIED.removeprefix("f:")))


def is_all_ours(live: Mapping[str, Any], manager: str) -> bool:
    """Whether those who applied on the client have nothing left but what holds our fields, such as a map."""
    ours = tuple(_paths(our_fields(live, manager), ""))
    theirs = kept(entries(live))
    return all(any(path.startswith((f"{held}.", f"{held}[")) for path in ours) for held in theirs)


def _is_by_client(entry: Mapping[str, Any]) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource"):
        return False
    notes = (entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:annotations", {})
    return _LAST_APPLIED in notes


def _without(theirs: FieldSet, ours: FieldSet) -> FieldSet:
    """Return the field set `theirs` without what `ours` has. In both, an empty one is the field itself."""
    left: dict[str, Any] = {}
    for key, below in theirs.items():
        rest = below if key not in ours else _rest(below, ours[key])
        if rest is not None:
            left[key] = rest
    return left


def _rest(theirs: FieldSet, ours: FieldSet) -> FieldSet | None:
    itself = _is_itself(theirs) and not _is_itself(ours)
    below = _without({key: value for key, value in theirs.items() if key != "."}, ours)
    if itself and below:
        return {".": {}, **below}
    return below if itself or below else None


def _is_itself(fields: FieldSet) -> bool:
    return not fields or "." in fields


def _paths(fields: FieldSet, path: str) -> Iterator[str]:
    for key, below in fields.items():
        kind, _unused, name = key.partition(":")
        place = f"{path}.{name}".lstrip(".") if kind == "f" else f"{path}[{name}]"
        if below.keys() - {"."}:
            yield from _paths(below, place)
        elif key != ".":
            yield place
