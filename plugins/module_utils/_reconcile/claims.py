# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sets that declare the same object would take turns in undoing each other: found, and refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef


def refuse(api: Api, live: Live, place: ObjectRef, subjects: Collection[ObjectRef], say: Callable[[str], None]) -> None:
    """Raise MastodonError for each of `subjects` that the inventory of another set than that of `place` lists.

    What cannot be read in one of these is reported: it is no reason to stop, as it may be anybody's.

    To be called with objects that our field manager applied and our own inventory does not list: that is rare, so that
    it costs no request otherwise.
    """
    if not subjects:
        return
    errors = []
    for other in _inventories(api, live, place):
        listed, unreadable = inventory.readable(other)
        if unreadable:
            say(f"warning: {ObjectRef.of(other)}: cannot be read as the inventory of a set: {unreadable[0]}")
        errors += [_claimed(subject, ObjectRef.of(other)) for subject in sorted(listed & set(subjects))]
    if errors:
        raise CombinedError(errors)


def _inventories(api: Api, live: Live, place: ObjectRef) -> Iterator[Object]:
    resource = live.catalog.preferred(place.group, place.kind)
    if resource is None:
        return
    try:
        found = api.read(Selection(resource, labels=inventory.SELECTOR)).objects
    except ApiError as error:
        if not error.is_forbidden:
            raise
        found = api.read(Selection(resource, place.namespace, labels=inventory.SELECTOR)).objects
    yield from (item for item in found if ObjectRef.of(item) != place and inventory.is_one(item))


def _claimed(subject: ObjectRef, other: ObjectRef) -> MastodonError:
    remedy = f"Declare it in one of the two sets. If the other set no longer exists, delete {other}."
    return MastodonError(str(subject), "belongs to another set", f"{other} lists it", remedy)
