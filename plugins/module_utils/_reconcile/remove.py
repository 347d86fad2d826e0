# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete what a set applied, or what the user named, in the order in which it can be taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef, Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.order import CRD, NAMESPACE, WEBHOOKS
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.prune import Pruner
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter

_FLUX = "fluxcd"


@dataclass(frozen=True)
class Removal:
    """What to delete: the set with inventory `place`, if any, and the objects `named` one by one.

    Without `prune`, what is left of the set is only reported.
    """

    place: ObjectRef | None
    named: frozenset[ObjectRef]
    allowed: frozenset[str]
    manager: str
    wait: bool
    check: bool
    prune: bool = True


class Remover:
    """One run. `outcomes` grows as it goes, so that it also reports what was done before an error."""

    def __init__(self, api: Api, live: Live, removal: Removal, deadline: Deadline, say: Callable[[str], None]) -> None:
        self._api = api
        self._removal = removal
        self._say = say
        self._live = live
        self._waiter = Waiter(api, self._live, StatusTracker(deadline.clock), deadline, say)
        self.outcomes: list[Outcome] = []

    def run(self) -> None:
        """Delete stage by stage. Raises MastodonError when something is held beyond the deadline."""
        listed = self._listed()
        pruner = Pruner(
            self._api,
            self._live.catalog,
            self._removal.allowed,
            self._removal.manager,
            self._say,
            check=self._removal.check,
            keep=not self._removal.prune,
            named=self._removal.named,
        )
        subjects = listed | self._removal.named
        for stage in stages(subjects) if self._removal.prune else [subjects]:
            outcomes = pruner.prune(stage)
            self.outcomes += outcomes
            self._wait([outcome for outcome in outcomes if outcome.action == "deleted"])
        kept = {outcome.subject for outcome in self.outcomes if outcome.action == "skipped"}
        self._list(listed, listed & kept)

    def _listed(self) -> frozenset[ObjectRef]:
        place = self._removal.place
        if place is None:
            return frozenset()
        self._read([place])
        return inventory.listed(self._live.get(place))

    def _read(self, subjects: Iterable[ObjectRef]) -> None:
        catalog = self._live.catalog
        found = {subject: catalog.preferred(subject.group, subject.kind) for subject in subjects}
        self._live.read({subject: resource for subject, resource in found.items() if resource})

    def _wait(self, outcomes: Iterable[Outcome]) -> None:
        items = [outcome.before for outcome in outcomes if outcome.before]
        if items and self._removal.wait and not self._removal.check:
            self._read(ObjectRef.of(item) for item in items)
            self._waiter.wait_gone(items)

    def _list(self, listed: frozenset[ObjectRef], kept: frozenset[ObjectRef]) -> None:
        """Let the inventory list what is left, and delete it when nothing is."""
        place = self._removal.place
        live = self._live.get(place) if place else None
        resource = self._live.catalog.preferred("", "ConfigMap")
        if place is None or live is None or resource is None or self._removal.check:
            return
        if not kept:
            self._api.delete(resource, live, dry_run=False)
        elif kept != listed:
            # Inventories are always ours, under whichever name the set itself is applied.
            desired = inventory.desired(place, kept, inventory.owner(live))
            self._api.apply(resource, desired.body, manager=desired.manager, force=False, dry_run=False)


def stages(subjects: Iterable[ObjectRef]) -> Iterator[list[ObjectRef]]:
    """Yield groups to delete one after the other: what is served and cleaned up by others goes before these."""
    ranked = sorted(subjects, key=lambda subject: (_rank(subject), subject))
    for _unused, group in groupby(ranked, key=_rank):
        yield list(group)


def _rank(subject: ObjectRef) -> int:
    kind = (subject.group, subject.kind)
    if kind in WEBHOOKS:
        # Or they would refuse what follows, once their pods are gone.
        return 0
    if kind in (CRD, NAMESPACE):
        return 5 if kind == CRD else 6
    if _FLUX not in subject.group:
        # Custom kinds while their operators, and built-in ones once Flux is through, are still there.
        return 1 if "." in subject.group and not subject.group.endswith(".k8s.io") else 4
    return 2 if subject.kind in ("HelmRelease", "Kustomization") else 3
