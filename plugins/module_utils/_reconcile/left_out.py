# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator leaves out of an object that it writes back: what is empty, which to it means the same as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import managers
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rook_pointers import is_pointer

# To add a finalizer Rook writes the whole object, and Go leaves out of it each `false`, 0 and empty text that is `omitempty`. Were such a
# field brought back, Rook would take no notice, nor ever report that it has seen that generation:
# https://github.com/rook/rook/blob/master/pkg/operator/ceph/cluster/predicate.go
# Pointers it keeps, whatever they point to.
_GROUPS = frozenset({"ceph.rook.io"})


def as_kept(desired: Desired, live: Object) -> Desired:
    """Return what is desired without what its operator has left out of the live object."""
    if desired.subject.group not in _GROUPS or not isinstance(spec := desired.body.get("spec"), Mapping):
        return desired
    return replace(desired, body={**desired.body, "spec": _kept(spec, live.get("spec"))})


def wrote_last(item: Mapping[str, Any]) -> bool:
    """Whether the latest generation is what such an operator wrote back: Rook before 1.17 reports having seen the one before.

    https://github.com/rook/rook/blob/v1.16.0/pkg/operator/ceph/object/controller.go
    """
    written = [entry for entry in managers.entries(item) if not entry.get("subresource")]
    latest = max((at(entry, "time", "") for entry in written), default="")
    return item["apiVersion"].partition("/")[0] in _GROUPS and any(
        entry.get("manager") == "rook" and at(entry, "time", "") == latest for entry in written
    )


def _kept(declared: Any, live: Any, name: str = "") -> Any:
    """Return what is declared of a field of this name without what was left out of the live one."""
    if isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        return [_kept(one, other, name) for one, other in zip(declared, live, strict=True)]
    if not isinstance(declared, Mapping):
        return declared
    there = live if isinstance(live, Mapping) else {}
    kept = {
        key: _kept(value, there.get(key), key)
        for key, value in declared.items()
        if key in there or not _is_left_out(name, key, value)
    }
    return {key: value for key, value in kept.items() if value != {} or declared[key] == {} or is_pointer(name, key)}


def _is_left_out(parent: str, name: str, value: Any) -> bool:
    if value is None:
        return True
    if is_pointer(parent, name):
        return False
    if isinstance(value, Mapping):
        return all(_is_left_out(name, key, item) for key, item in value.items())
    return not value
