# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind a release of Flux: whether it is there, ready, and as Flux made it.

Ready says of a release only that it was installed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

# Gone by design once they are done.
_PASSING = frozenset({"Job", "Pod"})
_CRD = "CustomResourceDefinition"
_SERVICE = ("", "Service")
# What is read as a whole, to see who changed it. Of others it is enough that they are there.
_LOOKED_INTO = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), _SERVICE})
# Flux itself, and what scales and rolls out.
_CONTROLLERS = frozenset({"helm-controller", "kube-controller-manager"})
# Of a release in Helm's history that was once in use.
INSTALLED = frozenset({"deployed", "superseded"})
# What `kubectl rollout restart` sets: no chart declares it, so that Flux has nothing to put right.
_RESTART = frozenset({"f:kubectl.kubernetes.io/restartedAt", "."})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Trouble:
    """One object behind a release that is not as it should be. `is_drift` is what Flux can put right."""

    subject: ObjectRef
    resource: Resource
    what: str
    is_drift: bool

    def __str__(self) -> str:
        """Return what people read."""
        return f"{self.subject} {self.what}"


def find_problems(api: Api, catalog: Catalog, release: Object) -> list[Trouble]:
    """Return what is missing, was changed since Flux last looked, is scaled to nothing, or is not ready.

    Raises ApiError when workloads or Services may not be read: what was not looked at is not well.
    """
    places: dict[tuple[Resource, str], set[ObjectRef]] = defaultdict(set)
    # Flux counts those of the chart's folder `crds` also when it is configured to leave them out:
    # https://fluxcd.io/flux/components/helm/helmreleases/#install-configuration
    left_out = _PASSING | {_CRD} if at(release, "spec.install.crds", "") == "Skip" else _PASSING
    for entry in at(release, "status.inventory.entries", []):
        subject = _subject(entry)
        resource = catalog.preferred(subject.group, subject.kind)
        if resource is not None and subject.kind not in left_out:
            places[resource, subject.namespace].add(subject)
    since = _last_look(release)
    found = for_each(lambda place: _of_place(api, *place, since), places.items())
    return [trouble for troubles in found for trouble in troubles]


def _of_place(api: Api, place: tuple[Resource, str], subjects: set[ObjectRef], since: datetime) -> list[Trouble]:
    try:
        return list(_troubles(api, place, subjects, since))
    except ApiError as error:
        # A chart brings kinds, such as roles, that who installs it by Flux need not be allowed to see.
        if not error.is_forbidden or _is_looked_into(place[0]):
            raise
        return []


def _troubles(api: Api, place: tuple[Resource, str], subjects: set[ObjectRef], since: datetime) -> Iterator[Trouble]:
    resource, namespace = place
    name = min(subjects).name if len(subjects) == 1 else ""
    selection = Selection(resource, namespace, name)
    whole = _is_looked_into(resource)
    items = {item["metadata"]["name"]: item for item in api.read(selection).objects} if whole else {}
    present = items.keys() if whole else api.names(selection)
    for subject in sorted(subjects):
        if subject.name not in present:
            yield Trouble(subject, resource, "is missing", is_drift=True)
        elif item := items.get(subject.name):
            yield from _of_item(subject, resource, item, since)


def _is_looked_into(resource: Resource) -> bool:
    return (resource.group, resource.kind) in _LOOKED_INTO


def _of_item(subject: ObjectRef, resource: Resource, item: Object, since: datetime) -> Iterator[Trouble]:
    editors = _editors(item, since)
    status = compute(item)
    if by := _idled_by(item):
        # Only its outcome shows when it was done. Flux is asked once, as it may be configured to leave replicas alone.
        latest = max(_time(entry.get("time", "")) for entry in entries(item))
        yield Trouble(subject, resource, f"is scaled to zero replicas by {by}", is_drift=latest > since)
    elif editors:
        yield Trouble(subject, resource, f"was changed by {', '.join(editors)}", is_drift=True)
    elif status.verdict != "Current" and (subject.group, subject.kind) != _SERVICE:
        yield Trouble(subject, resource, f"is not ready: {status}", is_drift=False)


def _idled_by(item: Object) -> str:
    """Return who scaled a workload to nothing, if it was neither its chart nor a controller.

    Of who scales to zero by the subresource `scale` there is no trace but that nobody owns the number any more.
    """
    if at(item, "spec.replicas", 1) != 0:
        return ""
    written = entries(item)
    owners = [entry["manager"] for entry in written if at(entry, "fieldsV1.f:spec.f:replicas") is not None]
    if not written or _CONTROLLERS & set(owners):
        return ""
    return owners[0] if owners else "hand"


def _editors(item: Object, since: datetime) -> list[str]:
    """Return who changed what Flux might have to change back, after it last looked."""
    return sorted({entry["manager"] for entry in _foreign(item) if _time(entry.get("time", "")) > since})


def _foreign(item: Object) -> Iterator[Mapping[str, Any]]:
    for entry in entries(item):
        fields = at(entry, "fieldsV1.f:spec", {})
        if entry.get("manager") not in _CONTROLLERS and fields and not _leaves(fields) <= _RESTART:
            yield entry


def _leaves(fields: Mapping[str, Any]) -> set[str]:
    """Return the names of the innermost fields."""
    return {leaf for name, below in fields.items() for leaf in (_leaves(below) if below else {name})}


def _last_look(release: Object) -> datetime:
    newest: Mapping[str, Any] = next(iter(at(release, "status.history", [])), {})
    times = (at(release, "status.lastHandledReconcileAt", ""), newest.get("lastDeployed") or "")
    return max(map(_time, times))


def _time(text: str) -> datetime:
    """Return a moment; whoever asks Flux may write it in any way."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _NEVER
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _subject(entry: Mapping[str, Any]) -> ObjectRef:
    # `namespace_name_group_kind`, with colons of RBAC names doubled to underscores:
    # https://pkg.go.dev/sigs.k8s.io/cli-utils/pkg/object#ObjMetadata.String
    namespace, _unused, rest = entry["id"].partition("_")
    name, group, kind = rest.rsplit("_", 2)
    return ObjectRef(group, kind, namespace, name.replace("__", ":"))
