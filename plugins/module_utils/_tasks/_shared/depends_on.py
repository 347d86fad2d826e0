# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be ready before a task does anything: objects that an earlier task applied without waiting for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target, not_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run

# Group, version and kind, as `Catalog.find` takes them.
Kind = tuple[str, str, str]


def kinds_when_ready(
    wanted: Iterable[Mapping[str, Any]], needed: Iterable[Kind], api: Api, deadline: Deadline, run: Run
) -> Catalog:
    """Return the kinds served once all that are `wanted` are Current. Asks again when one of those `needed` is not among them."""
    catalog = await_ready(wanted, api, deadline, run)
    # What became ready after the kinds were asked for and before it was read may have brought some, too.
    if catalog is None or any(catalog.find(*kind) is None for kind in needed):
        return api.discover()
    return catalog


def await_ready(wanted: Iterable[Mapping[str, Any]], api: Api, deadline: Deadline, run: Run) -> Catalog | None:
    """Return when all that are `wanted` are Current. Raises MastodonError for one that is not there, or that failed.

    What is not there at first may be made by the others, and is looked for again once those are Current. In check mode nothing was
    applied, and so nothing is waited for. What is returned are the kinds served, None when they were not asked for, or were before
    something was waited for, which may bring more.
    """
    targets = [Target.of(option) for option in wanted]
    if run.check or not targets:
        return None
    live = Live(api, api.discover())
    subjects = dict(_served(target, live.catalog) for target in targets)
    live.read(subjects)
    tracker = StatusTracker(deadline.clock)
    late = [subject for subject in subjects if not _note(subject, live, tracker, api)]
    if not late and all(tracker.status(subject, live.get(subject)).verdict == "Current" for subject in subjects):
        return live.catalog
    Waiter(api, live, tracker, deadline, run.say).wait([subject for subject in subjects if subject not in late])
    live.read({subject: subjects[subject] for subject in late})
    for subject in late:
        if not _note(subject, live, tracker, api):
            raise MastodonError(str(subject), "is needed and does not exist", "", "Install it first.")
    Waiter(api, live, tracker, deadline, run.say).wait(late)
    return None


def _note(subject: ObjectRef, live: Live, tracker: StatusTracker, api: Api) -> bool:
    """Note an object as it is; False for one that does not exist."""
    item = live.get(subject)
    if item is not None:
        tracker.already_there(subject, item, api.began)
    return item is not None


def _served(target: Target, catalog: Catalog) -> tuple[ObjectRef, Resource]:
    resource = target.resource(catalog)
    if resource is None:
        raise not_served(target, catalog)
    target.selection(resource)
    return target.subject(resource), resource
