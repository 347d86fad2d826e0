# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what the set once applied and no longer wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import (
    Catalog,
    Resource,
    unanswered_error,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import fields, sharing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef, Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.protected import (
    deletion,
    is_outlived,
    leaves_all_behind,
    what_goes_with,
)

_LEFT = "no longer declared, and left as it is"
_SUSPENDED = (
    "not deleted, as it is suspended, and Flux would leave all that it installed without anything that leads to it. "
    "Resume it by spec.suspend: false"
)


class Pruner:
    """Deletes objects of ours, or those that the user `named`. In check mode it only says which.

    With `keep` it only says what is left of a set.
    """

    def __init__(
        self,
        api: Api,
        catalog: Catalog,
        allowed: frozenset[str],
        manager: str,
        say: Callable[[str], None],
        *,
        check: bool,
        keep: bool = False,
        named: frozenset[ObjectRef] = frozenset(),
    ) -> None:
        self._api = api
        self._named = named
        self._catalog = catalog
        self._allowed = allowed
        self._manager = manager
        self._say = say
        self._check = check
        self._keep = keep

    def prune(self, subjects: Iterable[ObjectRef]) -> list[Outcome]:
        """Return one outcome for each object that exists: deleted, left to others who declare it too, or skipped and why."""
        outcomes = [outcome for outcome in for_each(self._one, sorted(subjects)) if outcome is not None]
        # In one line, as they may be as many as an operator has.
        left = [str(outcome.subject) for outcome in outcomes if outcome.changes == (_LEFT,)]
        for line in (outcome.line() for outcome in outcomes if outcome.changes != (_LEFT,)):
            self._say(line)
        if left:
            self._say(f"skipped {', '.join(left)}: {_LEFT}")
        return outcomes

    def _one(self, subject: ObjectRef) -> Outcome | None:
        """Return what becomes of an object, None when it is gone already."""
        resource = self._catalog.preferred(subject.group, subject.kind)
        if resource is None and (silent := unanswered_error(self._catalog, subject.group)):
            # It may be there, and is not to be forgotten.
            return Outcome(subject, "skipped", (str(silent),))
        live = self._read(subject, resource) if resource else None
        if resource is None or live is None:
            return None
        if subject in self._named:
            return self._delete(subject, resource, live)
        if self._keep:
            return Outcome(subject, "skipped", (_LEFT,), live, live)
        return self._of_set(subject, resource, live)

    def _of_set(self, subject: ObjectRef, resource: Resource, live: Object) -> Outcome:
        """Delete what the set made, unless it holds data or others have a part in it."""
        appliers = fields.other_appliers(live, self._manager)
        others = [*appliers, *sharing.appliers(live)]
        if (lost := what_goes_with(subject)) and str(subject) not in self._allowed:
            return Outcome(subject, "skipped", (_kept(subject, resource, lost, shared=bool(others)),), live, live)
        # Of an object that declares nothing but its name, nobody owns anything.
        if not fields.our_fields(live, self._manager) and entries(live):
            return Outcome(subject, "skipped", ("not deleted, as it has been taken over by others",), live, live)
        if others and not appliers and sharing.is_all_ours(live, self._manager):
            # Taking back our fields would empty what was theirs before the set took it over.
            message = f"not deleted, as kubectl apply created it. If it is to go: {deletion(subject, resource)}"
            return Outcome(subject, "skipped", (message,), live, live)
        if others:
            return self._leave(subject, live, others)
        return self._delete(subject, resource, live)

    def _leave(self, subject: ObjectRef, live: Object, others: Iterable[str]) -> Outcome:
        """Take back what nobody but us declares, such as one Mastodon's listeners of a Gateway that others share."""
        version, them = fields.our_version(live, self._manager), ", ".join(others)
        resource = self._catalog.find(subject.group, version.rpartition("/")[2], subject.kind)
        after = live
        # In a version that is no longer served, nothing can be taken back.
        if resource is not None:
            body = {"apiVersion": version, "kind": subject.kind, "metadata": _named(subject)}
            try:
                after = self._api.apply(resource, body, manager=self._manager, force=False, dry_run=self._check)
            except ApiError as error:
                if error.status != 422:
                    raise
                message = f"left to {them} as it is, as it cannot be without what this set declared: {error.why}"
                return Outcome(subject, "skipped", (message,), live, live)
        return Outcome(subject, "configured", (f"left to {them}",), live, after)

    def _read(self, subject: ObjectRef, resource: Resource) -> Object | None:
        listing = self._api.read(Selection(resource, subject.namespace, subject.name))
        return listing.objects[0] if listing.objects else None

    def _delete(self, subject: ObjectRef, resource: Resource, live: Object) -> Outcome:
        if leaves_all_behind(live):
            return Outcome(subject, "skipped", (_SUSPENDED,), live, live)
        try:
            self._api.delete(resource, live, dry_run=self._check, orphan=is_outlived(subject))
        except ApiError as error:
            # Gone meanwhile, or replaced by an object of somebody else.
            if error.status not in (404, 409):
                raise
        return Outcome(subject, "deleted", before=live)


def _kept(subject: ObjectRef, resource: Resource, lost: str, *, shared: bool) -> str:
    why, allow = f"kept, as with it goes {lost}", f'prune_allow ["{subject}"]'
    if shared:
        return f"{why}. If your part of it is to go: {allow}"
    return f"{why}. If it is to go: {allow}, or {deletion(subject, resource)}"


def _named(subject: ObjectRef) -> dict[str, str]:
    return {"name": subject.name, **({"namespace": subject.namespace} if subject.namespace else {})}
