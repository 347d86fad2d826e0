# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster holds of a set, as last seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.order import CRD
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each

# Up to here each is read by name: a namespace may hold many objects of other people.
_FEW = 2
# A cluster has hundreds, of up to 1 MiB each.
_ALWAYS_BY_NAME = (CRD,)


class Live:
    """Objects by subject. `read` costs requests per kind and namespace, not per object. Safe for threads."""

    def __init__(self, api: Api, catalog: Catalog) -> None:
        self._api = api
        self.catalog = catalog
        # The version of the first listing: what is no newer was so before this run.
        self.began = 0
        self._objects: dict[ObjectRef, Object] = {}
        self._selections: dict[ObjectRef, Selection] = {}
        self._versions: dict[Selection, str] = {}

    def resource(self, desired: Desired) -> Resource | None:
        """Return how the kind of an object is served, in the version declared."""
        return self.catalog.find(desired.subject.group, desired.version, desired.subject.kind)

    def get(self, subject: ObjectRef) -> Object | None:
        """Return an object as last seen, None if it does not exist."""
        return self._objects.get(subject)

    def read(self, subjects: dict[ObjectRef, Resource]) -> None:
        """Read these objects, at once."""
        selections = _selections(subjects)
        for_each(self._read, selections.items())

    def _read(self, item: tuple[Selection, frozenset[ObjectRef]]) -> None:
        selection, subjects = item
        listing = self._api.read(selection)
        self._versions[selection] = listing.resource_version
        self.began = self.began or int(listing.resource_version or 0)
        found = {ObjectRef.of(one): one for one in listing.objects}
        for subject in subjects:
            self._selections[subject] = selection
            self.note(subject, found.get(subject))

    def note(self, subject: ObjectRef, item: Object | None) -> None:
        """Remember an object's latest state, None when it is gone."""
        if item is None:
            self._objects.pop(subject, None)
        else:
            self._objects[subject] = item

    def follow(self, item: Object, *, is_gone: bool) -> None:
        """Take over an event of a watch, unless something newer is known.

        A watch starts at the listing, so it also says what was before our applies.
        """
        subject = ObjectRef.of(item)
        known = self._objects.get(subject)
        if subject in self._selections and (known is None or _version(item) >= _version(known)):
            self.note(subject, None if is_gone else item)

    def watches(self, subjects: Iterable[ObjectRef]) -> dict[Selection, str]:
        """Return what to watch to follow these objects, and the version from which each is already known."""
        selections = {self._selections[subject] for subject in subjects}
        return {selection: self._versions[selection] for selection in selections}

    def refresh(self, selection: Selection) -> str:
        """Read a selection again, when a watch cannot be continued, and return its new version."""
        members = frozenset(subject for subject, place in self._selections.items() if place == selection)
        self._read((selection, members))
        return self._versions[selection]


def _version(item: Object) -> int:
    # Comparable as numbers: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    return int(item["metadata"].get("resourceVersion") or 0)


def _selections(subjects: dict[ObjectRef, Resource]) -> dict[Selection, frozenset[ObjectRef]]:
    places: dict[tuple[Resource, str], set[ObjectRef]] = defaultdict(set)
    for subject, resource in subjects.items():
        places[resource, subject.namespace].add(subject)
    selections: dict[Selection, frozenset[ObjectRef]] = {}
    for (resource, namespace), members in places.items():
        if len(members) <= _FEW or (resource.group, resource.kind) in _ALWAYS_BY_NAME:
            selections.update({Selection(resource, namespace, one.name): frozenset({one}) for one in members})
        else:
            selections[Selection(resource, namespace)] = frozenset(members)
    return selections
