# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a set of objects to its declared state, in stages, and wait for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import (
    claims,
    flux,
    inventory,
    kinds,
    order,
    owners,
    served,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.apply import Applier, Ownership
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.fields import is_unchanged, our_fields
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.left_out import as_kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import (
    Desired,
    ObjectRef,
    Outcome,
    Request,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.order import CRD, Stage, Wave
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.prune import Pruner
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.releases import Releases
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.remove import Removal, Remover
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter

# How long the API server may take to announce a kind whose CRD is there, in seconds.
_ANNOUNCED_SOON = 10.0
_PAUSE = 1.0


class Engine:
    """One run. `outcomes` grows as it goes, so that it also reports what was done before an error."""

    def __init__(
        self, api: Api, catalog: Catalog, request: Request, deadline: Deadline, say: Callable[[str], None]
    ) -> None:
        self._api = api
        self._request = request
        self._deadline = deadline
        self._say = say
        self._place = inventory.subject(request.name, request.namespace)
        self._tracker = StatusTracker(deadline.clock)
        self._live = Live(api, catalog)
        self._waiter = Waiter(api, self._live, self._tracker, deadline, say)
        self._releases = Releases(api, self._live, self._tracker, deadline, say, check=request.check)
        self.outcomes: dict[ObjectRef, Outcome] = {}

    def run(self) -> None:
        """Apply, wait, prune. Raises MastodonError; nothing is written when the set itself is wrong."""
        if not self._request.desired:
            self._turn_off()
            return
        kinds.refuse(self._request.kinds, self._live.catalog, self._say, check=self._request.check)
        subjects = {item.subject for item in self._request.desired}
        self._read(subjects)
        listed = inventory.listed(self._live.get(self._place))
        claims.refuse(self._api, self._live, self._place, self._foreign(listed), self._say)
        # What exists already is listed only once it is adopted: being listed makes it ours to overrule people on.
        new = {subject for subject in subjects if self._live.get(subject) is None}
        desired = (*self._request.desired, self._inventory(listed | new))
        applier = Applier(
            self._api,
            Ownership(listed, self._request.force_conflicts),
            self._deadline,
            self._say,
            check=self._request.check,
        )
        while wave := self._next_wave(desired):
            self._do(wave, applier)
        self._list(listed | subjects, listed | new, applier)
        if self._request.check:
            self._report_failures()
        elif self._request.wait:
            self._waiter.wait([*subjects, *self._releases.behind])
        kept = self._prune(listed - subjects)
        self._list(subjects | kept, listed | subjects, applier)

    def _read(self, subjects: AbstractSet[ObjectRef]) -> None:
        """Read what is there. Raises MastodonError when the set is another's."""
        self._live.read(self._served(self._request.desired) | self._served([inventory.desired(self._place, ())]))
        if problem := owners.problem(self._live.get(self._place), self._request.owner, subjects):
            raise problem
        for subject in subjects:
            if live := self._live.get(subject):
                self._tracker.found(subject, live)

    def _turn_off(self) -> None:
        """Take down what the set once held, as it holds nothing any more."""
        request = self._request
        try:
            self._live.read(self._served([inventory.desired(self._place, ())]))
        except ApiError as error:
            if not error.is_forbidden:
                raise
            # Where we never had rights, we never applied anything.
            self._say(f"skipped {self._place}: it may not be read, so that nothing it lists is touched")
        if problem := owners.problem(self._live.get(self._place), request.owner, frozenset()):
            self._say(f"skipped {problem}")
        elif self._live.get(self._place):
            named: frozenset[ObjectRef] = frozenset()
            allowed, manager, wait = request.prune_allow, request.manager, request.wait
            removal = Removal(self._place, named, allowed, manager, wait, request.check, request.prune)
            remover = Remover(self._api, self._live, removal, self._deadline, self._say)
            remover.run()
            self.outcomes = {outcome.subject: outcome for outcome in remover.outcomes}

    def _foreign(self, listed: AbstractSet[ObjectRef]) -> list[ObjectRef]:
        """Return what our field manager has applied, but not for this set."""
        return [
            item.subject
            for item in self._request.desired
            if item.subject not in listed and (live := self._live.get(item.subject)) and our_fields(live, item.manager)
        ]

    def verdict(self, subject: ObjectRef) -> str:
        """Return the status of an object in one word: Current, InProgress or Failed."""
        return self._tracker.status(subject, self._live.get(subject)).verdict

    def _served(self, items: Iterable[Desired]) -> dict[ObjectRef, Resource]:
        return served.resources(self._live, items)

    def _next_wave(self, desired: Sequence[Desired]) -> Wave | None:
        # Ordered anew each time, as the last wave may have brought kinds.
        for wave in order.waves(desired, lambda item: self._live.resource(item) is not None, self._place):
            left = tuple(item for item in wave.items if item.subject not in self.outcomes)
            if left:
                return Wave(wave.stage, left)
        return None

    def _do(self, wave: Wave, applier: Applier) -> None:
        if not self._request.check:
            if wave.stage is Stage.UNSERVED:
                self._await_kinds(wave.items)
                return
            self._await_dependencies(wave.items)
        for_each(lambda item: self._apply(item, applier), wave.items)
        if wave.stage is Stage.FOUNDATIONS and not self._request.check:
            self._establish(wave.items)

    def _apply(self, item: Desired, applier: Applier) -> None:
        resource = self._live.resource(item)
        if resource is None:
            # Only in check mode: what would bring the kind has not been applied.
            self._record(Outcome(item.subject, "created", after=item.body))
            return
        is_release = (item.subject.group, item.subject.kind) == flux.RELEASE
        attempt = self._releases.before(item) if is_release else None
        outcome = applier.apply(item.as_served(resource), resource, self._live.get(item.subject))
        self._record(self._releases.after(outcome, resource, attempt) if is_release else outcome)

    def _record(self, outcome: Outcome) -> None:
        self.outcomes[outcome.subject] = outcome
        if outcome.action == "unchanged":
            return
        if not self._request.check:
            self._live.note(outcome.subject, outcome.after)
            self._tracker.changed(outcome.subject)
        if outcome.subject != self._place:
            self._say(outcome.line())

    def _report_failures(self) -> None:
        """Name what a run would fail of, such as a release that somebody suspended."""
        for subject, outcome in self.outcomes.items():
            item = self._live.get(subject)
            if outcome.action != "unchanged" and outcome.after:
                # A change may mend what its controller reports, but not what it is to be by its own fields.
                item = {**outcome.after, "status": {}}
            status = self._tracker.status(subject, item)
            if status.verdict == "Failed":
                self._say(f"check mode: {subject}: {status}")

    def _establish(self, items: Iterable[Desired]) -> None:
        """Wait for kinds, and forget what was in a namespace or of a kind that had to be made again."""
        outcomes = [self.outcomes[item.subject] for item in items]
        crds = [outcome for outcome in outcomes if (outcome.subject.group, outcome.subject.kind) == CRD]
        self._waiter.wait([crd.subject for crd in crds])
        if any(crd.action != "unchanged" for crd in crds):
            self._discover()
        if any(outcome.action == "created" and outcome.before is not None for outcome in outcomes):
            self._live.read(self._served(item for item in self._request.desired if item.subject not in self.outcomes))

    def _discover(self) -> None:
        before = self._served(self._request.desired)
        self._live.catalog = self._api.discover()
        now = self._served(self._request.desired)
        self._live.read({subject: resource for subject, resource in now.items() if subject not in before})

    def _await_dependencies(self, items: Iterable[Desired]) -> None:
        needed: set[ObjectRef] = set()
        for item in items:
            live, resource = self._live.get(item.subject), self._live.resource(item)
            desired = item.as_served(resource) if resource else item
            if live is None or not is_unchanged(as_kept(desired, live).body, live, item.manager):
                needed.update(item.depends_on)
        self._waiter.wait(needed)

    def _await_kinds(self, items: Iterable[Desired]) -> None:
        """Wait for all that is applied already, as a chart among it may bring these kinds."""
        if not self._tracker.has_changes and (foreign := [item for item in items if served.versions(self._live, item)]):
            raise CombinedError(served.problem(self._live, item) for item in foreign)
        self._waiter.wait([subject for subject in self.outcomes if subject != self._place])
        until = self._deadline.elapsed + _ANNOUNCED_SOON
        while missing := [item for item in items if self._live.resource(item) is None]:
            if self._deadline.elapsed > until or not self._deadline.pause(_PAUSE):
                raise CombinedError(served.problem(self._live, item) for item in missing)
            self._discover()

    def _list(self, subjects: AbstractSet[ObjectRef], already: AbstractSet[ObjectRef], applier: Applier) -> None:
        if subjects != already and not self._request.check:
            self._apply(self._inventory(subjects), applier)

    def _inventory(self, subjects: Iterable[ObjectRef]) -> Desired:
        owner = self._request.owner or inventory.owner(self._live.get(self._place))
        return inventory.desired(self._place, subjects, owner)

    def _prune(self, leftovers: Iterable[ObjectRef]) -> set[ObjectRef]:
        """Delete what is no longer wanted and return what has to stay."""
        request = self._request
        check, keep = request.check, not request.prune
        allowed, manager = request.prune_allow, request.manager
        pruner = Pruner(self._api, self._live.catalog, allowed, manager, self._say, check=check, keep=keep)
        outcomes = {outcome.subject: outcome for outcome in pruner.prune(leftovers)}
        self.outcomes |= outcomes
        return {subject for subject, outcome in outcomes.items() if outcome.action == "skipped"}
