# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set has laid down: a ConfigMap that lists it, for pruning and for telling our objects from others.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Subject, Wanted

_KEY = "objects"
_NAME = re.compile(r"(?=.{1,200}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABELS = {"app.kubernetes.io/managed-by": "fediverse.mastodon"}
# What finds the inventories of all sets.
SELECTOR = ",".join(f"{name}={value}" for name, value in _LABELS.items())


def subject(name: str, namespace: str) -> Subject:
    """Return the inventory of the set called `name`. Raises MastodonError when no ConfigMap can be called so."""
    if not _NAME.fullmatch(name):
        remedy = "Use lower-case letters, digits, dots and dashes, at most 200."
        raise MastodonError(f"Set {name!r}", "has a name that Kubernetes does not allow", "", remedy)
    return Subject("", "ConfigMap", namespace, f"fediverse.mastodon.{name}")


def listed(inventory: Object | None) -> frozenset[Subject]:
    """Return what an inventory lists. Raises MastodonError when it was edited into something unreadable."""
    if inventory is None:
        return frozenset()
    try:
        lines = (inventory.get("data") or {}).get(_KEY, "").splitlines()
        return frozenset(Subject.parse(line) for line in lines)
    except ValueError as error:
        raise MastodonError(
            str(Subject.of(inventory)), "cannot be read", str(error), "Correct that line, or remove it."
        ) from error


def wanted(place: Subject, subjects: Iterable[Subject]) -> Wanted:
    """Return the inventory as an object to apply."""
    body: Object = {
        "apiVersion": "v1",
        "kind": place.kind,
        "metadata": {"name": place.name, "namespace": place.namespace, "labels": dict(_LABELS)},
        "data": {_KEY: "".join(f"{item.reference}\n" for item in sorted(subjects))},
    }
    return Wanted(place, "v1", body)
