# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask Flux to restore what is missing of a release, and to try again what failed.

Flux looks at a release only at its interval, and one that failed too often not at all until something changes. The
annotations: https://fluxcd.io/flux/components/helm/helmreleases/#triggering-a-reconcile. This module util is PRIVATE to
the collection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, Subject
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import REQUESTED
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import at

RELEASE = ("helm.toolkit.fluxcd.io", "HelmRelease")
# Apart from our field manager, so that a request never looks like a declared field.
_ASKER = f"{MANAGER}.request"
# Gone by design once they are done.
_PASSING = frozenset({"Job", "Pod"})


@dataclass(frozen=True)
class Request:
    """What to ask of Flux for one release, why in words, and which objects should be there afterwards."""

    reasons: tuple[str, ...]
    notes: Mapping[str, str]
    missing: dict[Subject, Resource]


def needed(api: Api, catalog: Catalog, release: Object) -> Request | None:
    """Look behind a release that needs no change itself. Return None when all is there, or Flux is busy with it."""
    status = compute(release)
    if status.verdict == "InProgress" or status.reason == "Suspended":
        return None
    missing = _missing(api, catalog, release)
    reasons = [f"{subject} is missing → asked Flux to restore it" for subject in missing]
    if status.verdict == "Failed":
        reasons.append(f"{status} → asked Flux to try again")
    if not reasons:
        return None
    token = datetime.now(UTC).isoformat()
    notes = {REQUESTED: token}
    if status.verdict == "Failed":
        notes["reconcile.fluxcd.io/resetAt"] = token
    elif at(release, "spec.driftDetection.mode") != "enabled":
        # Without drift correction only an upgrade puts objects back.
        notes["reconcile.fluxcd.io/forceAt"] = token
    return Request(tuple(reasons), notes, missing)


def ask(api: Api, resource: Resource, release: Object, request: Request) -> Object:
    """Set the annotations that Flux acts on, and return the release."""
    metadata = release["metadata"]
    return api.annotate(resource, metadata["namespace"], metadata["name"], request.notes, _ASKER)


def _missing(api: Api, catalog: Catalog, release: Object) -> dict[Subject, Resource]:
    places: dict[tuple[Resource, str], set[Subject]] = defaultdict(set)
    for entry in at(release, "status.inventory.entries", []):
        subject = _subject(entry)
        resource = catalog.preferred(subject.group, subject.kind)
        if resource is not None and subject.kind not in _PASSING:
            places[resource, subject.namespace].add(subject)
    found = for_each(lambda place: _absent(api, *place), places.items())
    return {subject: resource for resource, subjects in found for subject in sorted(subjects)}


def _absent(api: Api, place: tuple[Resource, str], subjects: set[Subject]) -> tuple[Resource, set[Subject]]:
    resource, namespace = place
    name = next(iter(subjects)).name if len(subjects) == 1 else ""
    present = api.names(Selection(resource, namespace, name))
    return resource, {subject for subject in subjects if subject.name not in present}


def _subject(entry: Mapping[str, Any]) -> Subject:
    # `namespace_name_group_kind`, with colons of RBAC names doubled to underscores:
    # https://pkg.go.dev/sigs.k8s.io/cli-utils/pkg/object#ObjMetadata.String
    namespace, _unused, rest = entry["id"].partition("_")
    name, group, kind = rest.rsplit("_", 2)
    return Subject(group, kind, namespace, name.replace("__", ":"))
