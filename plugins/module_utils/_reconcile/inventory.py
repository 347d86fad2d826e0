# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set has applied: a ConfigMap that lists it, for pruning and for distinguishing our objects from others."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired, ObjectRef

_KEY = "objects"
_PREFIX = "fediverse.mastodon."
_NAME = re.compile(r"(?=.{1,200}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# Whose set it is, such as the local domain of a Mastodon; no label, as it may have any form.
OWNER = "fediverse.mastodon/owner"
_LABELS = {"app.kubernetes.io/managed-by": "fediverse.mastodon"}
# What finds the inventories of all sets.
SELECTOR = ",".join(f"{name}={value}" for name, value in _LABELS.items())


def subject(name: str, namespace: str) -> ObjectRef:
    """Return the inventory of the set called `name`. Raises MastodonError when no ConfigMap can be called so."""
    if not _NAME.fullmatch(name):
        remedy = "Use lower-case letters, digits, dots and dashes, at most 200."
        raise MastodonError(f"Set {name!r}", "has a name that Kubernetes does not allow", "", remedy)
    return ObjectRef("", "ConfigMap", namespace, f"{_PREFIX}{name}")


def name(place: ObjectRef) -> str:
    """Return what the set with the inventory `place` is called."""
    return place.name.removeprefix(_PREFIX)


def owner(inventory: Object | None) -> str:
    """Return whose set it is, empty when that is not noted."""
    return str(((inventory or {}).get("metadata", {}).get("annotations") or {}).get(OWNER, ""))


def is_one(item: Object) -> bool:
    """Whether a ConfigMap is the inventory of a set; others may have our label, as people copy what they see."""
    return ObjectRef.of(item).name.startswith(_PREFIX)


def listed(inventory: Object | None) -> frozenset[ObjectRef]:
    """Return what an inventory lists. Raises MastodonError when it was edited into something unreadable."""
    subjects, unreadable = readable(inventory)
    if inventory is not None and unreadable:
        raise MastodonError(
            str(ObjectRef.of(inventory)), "cannot be read", unreadable[0], "Correct that line, or remove it."
        )
    return subjects


def readable(inventory: Object | None) -> tuple[frozenset[ObjectRef], list[str]]:
    """Return what an inventory lists, and why the other lines of it cannot be read."""
    text = ((inventory or {}).get("data") or {}).get(_KEY, "")
    subjects, unreadable = set(), []
    for line in (line.rstrip("\r") for line in text.split("\n")):
        try:
            subjects.update([ObjectRef.parse(line)] if line.strip() else [])
        except ValueError as error:
            unreadable.append(str(error))
    return frozenset(subjects), unreadable


def desired(place: ObjectRef, subjects: Iterable[ObjectRef], owner: str = "") -> Desired:
    """Return the inventory as an object to apply."""
    notes = {"annotations": {OWNER: owner}} if owner else {}
    body: Object = {
        "apiVersion": "v1",
        "kind": place.kind,
        "metadata": {"name": place.name, "namespace": place.namespace, "labels": dict(_LABELS), **notes},
        "data": {_KEY: "".join(f"{item.reference}\n" for item in sorted(subjects))},
    }
    return Desired(place, "v1", body)
