# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release of Flux takes beside being applied: a look behind it, and a new beginning where its first install failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import behind, first_install, flux
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.fields import is_unchanged, our_fields
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.first_install import Attempt
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired, ObjectRef, Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker


class Releases:
    """The releases of one run. `behind` grows by what is missing or not ready behind them. Safe for threads."""

    def __init__(
        self,
        api: Api,
        live: Live,
        tracker: StatusTracker,
        deadline: Deadline,
        say: Callable[[str], None],
        *,
        check: bool,
    ) -> None:
        self._api = api
        self._live = live
        self._tracker = tracker
        self._deadline = deadline
        self._say = say
        self._check = check
        self.behind: set[ObjectRef] = set()

    def before(self, item: Desired) -> Attempt | None:
        """Clear a first install that is of no use any more, before what is declared is applied."""
        live = self._live.get(item.subject)
        if live is None or live["metadata"].get("deletionTimestamp") or not our_fields(live, item.manager):
            return None
        changed = not is_unchanged(item.body, live, item.manager)
        return first_install.clear(self._api, live, self._deadline, self._say, changed=changed, check=self._check)

    def after(self, outcome: Outcome, resource: Resource, attempt: Attempt | None) -> Outcome:
        """Ask Flux for what the release needs besides, and return the outcome with that."""
        release = outcome.after
        if release is None:
            return outcome
        if attempt:
            return self._anew(outcome, resource, release, attempt)
        return self._heal(outcome, resource, release) if outcome.action == "unchanged" else outcome

    def _anew(self, outcome: Outcome, resource: Resource, release: Object, attempt: Attempt) -> Outcome:
        if not self._check:
            if attempt.is_first:
                release = flux.ask(self._api, resource, release, flux.again(str(attempt), self._api.began))
                self._tracker.asked(outcome.subject)
            first_install.end(self._api, attempt)
        return replace(outcome, action="configured", changes=(*outcome.changes, str(attempt)), after=release)

    def _heal(self, outcome: Outcome, resource: Resource, release: Object) -> Outcome:
        if flux.is_busy(release):
            return outcome
        troubles = behind.find_problems(self._api, self._live.catalog, release)
        if not self._check:
            self._live.read({trouble.subject: trouble.resource for trouble in troubles})
            self.behind.update(trouble.subject for trouble in troubles)
        request = flux.needed(release, troubles, self._api.began)
        for trouble in troubles if self._check else ():
            if not trouble.is_drift:
                self._say(f"check mode: {trouble}")
        if request is None:
            return outcome
        if not self._check:
            release = flux.ask(self._api, resource, release, request)
            self._tracker.asked(outcome.subject)
        return replace(outcome, action="configured", changes=request.reasons, after=release)
