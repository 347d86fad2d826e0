# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster serves what is wanted, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource, unanswered_error
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Desired, ObjectRef


def resources(live: Live, items: Iterable[Desired]) -> dict[ObjectRef, Resource]:
    """Return those of served kinds. Raises MastodonError when one has a namespace too many or too few."""
    found = {}
    for item in items:
        resource = live.resource(item)
        if resource is None:
            continue
        if resource.namespaced != bool(item.subject.namespace):
            wrong = "needs a namespace" if resource.namespaced else "belongs to no namespace"
            remedy = "Set metadata.namespace." if resource.namespaced else "Remove metadata.namespace."
            raise MastodonError(str(item.subject), wrong, "", remedy)
        found[item.subject] = resource
    return found


def versions(live: Live, item: Desired) -> tuple[str, ...]:
    """Return the versions in which its kind is served."""
    return live.catalog.versions(item.subject.group, item.subject.kind)


def problem(live: Live, item: Desired) -> MastodonError:
    """Return why something cannot be applied whose kind is not served as it is declared."""
    if silent := unanswered_error(live.catalog, item.subject.group, item.version):
        return silent
    why = f"the cluster has no kind {item.body['apiVersion']} {item.subject.kind}"
    remedy = "Install what provides it first, or in the same set."
    if found := versions(live, item):
        why = f"{why}, only {', '.join(found)}"
        remedy = "Upgrade what serves it, or declare a version that it serves."
    return MastodonError(str(item.subject), "cannot be applied", why, remedy)
