# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory: server-side apply with field ownership, listings, watches, and every request noted."""

from __future__ import annotations

import copy
import queue
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError, Cause
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

Path = tuple[str, ...]
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)


def kind(group: str, name: str, *, version: str = "v1", namespaced: bool = True) -> Resource:
    """Return a kind as it would be served."""
    return Resource(group, version, name, f"{name.lower()}s", namespaced)


SERVED = (
    kind("", "Namespace", namespaced=False),
    kind("", "ConfigMap"),
    kind("", "Secret"),
    kind("", "Event"),
    kind("", "PersistentVolumeClaim"),
    kind("apps", "Deployment"),
    kind("apiextensions.k8s.io", "CustomResourceDefinition", namespaced=False),
    kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", namespaced=False),
    kind("batch", "Job"),
    kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"),
    kind("postgresql.cnpg.io", "Cluster"),
)


class FakeEvents:
    """One watch. It replays what happened since its version, then follows."""

    def __init__(self, past: list[dict[str, Any]]) -> None:
        self.queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        for event in past:
            self.queue.put(event)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (event := self.queue.get()) is not None:
            yield event

    def stop(self) -> None:
        self.queue.put(None)


class FakeApi:
    """`calls` has one line a request. `on_apply` reacts to writes as a controller would."""

    def __init__(self, *objects: Object, served: tuple[Resource, ...] = SERVED) -> None:
        self.calls: list[str] = []
        self.served = list(served)
        self.unanswered: list[tuple[str, str]] = []
        self.objects: dict[ObjectRef, Object] = {}
        self.unreadable: set[str] = set()
        self.logs: dict[str, str] = {}
        self.refusals: dict[ObjectRef, list[ApiError]] = defaultdict(list)
        self.on_apply: Callable[[ObjectRef], None] = lambda subject: None
        self.on_delete: Callable[[ObjectRef], None] = lambda subject: None
        self.lost_watches = 0
        self.began = BEGAN
        self._version = 0
        self._log: list[tuple[int, dict[str, Any]]] = []
        self._watches: list[tuple[Selection, FakeEvents]] = []
        for item in objects:
            self.put(item)

    @property
    def requests(self) -> int:
        return len(self.calls)

    @property
    def writes(self) -> list[str]:
        """The requests that changed something."""
        return [call for call in self.calls if call.split()[0] in ("apply", "annotate", "delete")]

    def put(self, item: Object, event: str = "MODIFIED") -> Object:
        """Store an object as a controller or a person would, and tell the watches."""
        self._version += 1
        item = copy.deepcopy(item)
        item["metadata"] |= {"resourceVersion": str(self._version)}
        item["metadata"].setdefault("uid", f"uid-{self._version}")
        item["metadata"].setdefault("generation", 1)
        item["metadata"].setdefault("creationTimestamp", (BEGAN + timedelta(seconds=self._version)).isoformat())
        if event == "DELETED":
            self.objects.pop(ObjectRef.of(item), None)
        else:
            self.objects[ObjectRef.of(item)] = item
        reported = {"type": event, "object": item}
        self._log.append((self._version, reported))
        for selection, events in self._watches:
            if _selects(selection, item):
                events.queue.put(reported)
        return item

    def set_status(self, subject: ObjectRef, status: Mapping[str, Any]) -> None:
        """Report a status as a controller would."""
        self.put({**self.objects[subject], "status": dict(status)})

    def discover(self) -> Catalog:
        self.calls.append("discover")
        return Catalog(self.served, self.unanswered)

    def read(self, selection: Selection) -> Listing:
        self.calls.append(f"read {selection}")
        self._require_readable(selection)
        found = [copy.deepcopy(item) for item in self.objects.values() if _selects(selection, item)]
        return Listing(tuple(found), str(self._version))

    def names(self, selection: Selection) -> set[str]:
        self.calls.append(f"names {selection}")
        self._require_readable(selection)
        return {item["metadata"]["name"] for item in self.objects.values() if _selects(selection, item)}

    def _require_readable(self, selection: Selection) -> None:
        if selection.resource.kind in self.unreadable:
            raise ApiError(str(selection), "is not permitted (403)", "forbidden", "Give the right.", status=403)

    def watch(self, selection: Selection, resource_version: str, seconds: int) -> FakeEvents:
        self.calls.append(f"watch {selection} from {resource_version}")
        if self.lost_watches:
            self.lost_watches -= 1
            raise ApiError(str(selection), "was lost", "too old resource version", "", status=410)
        past = [event for version, event in self._log if version > int(resource_version)]
        events = FakeEvents([event for event in past if _selects(selection, event["object"])])
        self._watches.append((selection, events))
        return events

    def log(self, pod: Object, container: str, lines: int) -> str:
        """Return what `logs` has of a container, and refuse as the API server does for one that has not started."""
        if container not in self.logs:
            raise ApiError("Pod", "is waiting to start", "", "", status=400)
        return self.logs[container]

    def apply(self, resource: Resource, body: Object, *, manager: str, force: bool, dry_run: bool) -> Object:
        subject = ObjectRef.of(body)
        self.calls.append(f"{'try' if dry_run else 'apply'} {subject}{' by force' if force else ''}")
        if self.refusals[subject]:
            raise self.refusals[subject].pop(0)
        self._require_namespace(subject)
        self._require_version(subject, body)
        result = self._merge(subject, body, manager, force)
        if dry_run:
            return result
        stored = self.put(result, "MODIFIED" if subject in self.objects else "ADDED")
        self.on_apply(subject)
        return stored

    def annotate(self, resource: Resource, namespace: str, name: str, notes: Mapping[str, str], manager: str) -> Object:
        subject = ObjectRef(resource.group, resource.kind, namespace, name)
        self.calls.append(f"annotate {subject} as {manager}")
        item = copy.deepcopy(self.objects[subject])
        item["metadata"].setdefault("annotations", {}).update(notes)
        stored = self.put(item)
        self.on_apply(subject)
        return stored

    def reassign(self, resource: Resource, live: Object, entries: list[dict[str, Any]]) -> Object:
        self.calls.append(f"reassign {ObjectRef.of(live)}")
        return self.put({**live, "metadata": {**live["metadata"], "managedFields": entries}})

    def delete(
        self, resource: Resource, live: Object, *, dry_run: bool, orphan: bool = False, as_seen: bool = False
    ) -> None:
        self.on_delete(ObjectRef.of(live))
        now = self.objects.get(ObjectRef.of(live), live)
        if as_seen and now["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            raise ApiError(str(ObjectRef.of(live)), "has changed", "the precondition failed", "", status=409)
        self.calls.append(f"{'try to delete' if dry_run else 'delete'} {ObjectRef.of(live)}")
        if not dry_run:
            self.put(live, "DELETED")
            self._collect(live["metadata"]["uid"], orphan=orphan)

    def _collect(self, uid: str, *, orphan: bool) -> None:
        """Do with what an object owned as the garbage collector would."""
        for item in list(self.objects.values()):
            owners = item["metadata"].get("ownerReferences", [])
            left = [owner for owner in owners if owner["uid"] != uid]
            if left != owners:
                kept = {**item, "metadata": {**item["metadata"], "ownerReferences": left}}
                self.put(kept, "MODIFIED" if left or orphan else "DELETED")

    def forbidden(self, selection: Selection) -> ApiError:
        """Return the error of a missing right."""
        return ApiError(str(selection), "is not permitted", "no", "", status=403)

    def edit(self, subject: ObjectRef, manager: str, path: Path, value: Any) -> None:
        """Change a field as another manager, which takes it from whoever applied it."""
        item = copy.deepcopy(self.objects[subject])
        _set(item, path, value)
        owners = _owners(item)
        for name in owners:
            owners[name].discard(path)
        owners[manager].add(path)
        self.put(_owned(item, owners))

    def _require_namespace(self, subject: ObjectRef) -> None:
        if subject.namespace and ObjectRef("", "Namespace", "", subject.namespace) not in self.objects:
            why = f'namespaces "{subject.namespace}" not found'
            raise ApiError(str(subject), "has no namespace", why, "", status=404)

    def _require_version(self, subject: ObjectRef, body: Object) -> None:
        """Refuse what was meant for the object as it was, or for one that is not there."""
        wanted = body["metadata"].get("resourceVersion")
        live = self.objects.get(subject, {"metadata": {}})["metadata"].get("resourceVersion")
        if wanted and wanted != live:
            raise ApiError(str(subject), "has changed", "the object has been modified", "", status=409)

    def _merge(self, subject: ObjectRef, body: Object, manager: str, force: bool) -> Object:
        live = copy.deepcopy(self.objects.get(subject) or _bare(body))
        owners, declared = _owners(live), dict(_leaves(body))
        declared.pop(("metadata", "resourceVersion"), None)
        conflicts = [
            Cause("FieldManagerConflict", f".{'.'.join(path)}", f'conflict with "{other}" using v1')
            for other, paths in sorted(owners.items())
            for path in sorted(paths & declared.keys())
            if other != manager and _get(live, path) != declared[path]
        ]
        if conflicts and not force:
            raise ApiError(str(subject), "conflicts", "conflict", "", status=409, causes=tuple(conflicts))
        for path in owners[manager] - declared.keys():
            _unset(live, path)
        for path, value in declared.items():
            for other in owners:
                if _get(live, path) != value:
                    owners[other].discard(path)
            _set(live, path, value)
        owners[manager] = set(declared)
        return _owned(live, owners)


def _selects(selection: Selection, item: Object) -> bool:
    subject = ObjectRef.of(item)
    return (
        (subject.group, subject.kind) == (selection.resource.group, selection.resource.kind)
        and selection.namespace in ("", subject.namespace)
        and selection.name in ("", subject.name)
        and all(_has(item, *rule.split("=")) for rule in selection.fields.split(",") if rule)
        and all(_is_labelled(item, *rule.split("=")) for rule in selection.labels.split(",") if rule)
    )


def _is_labelled(item: Object, label: str, *values: str) -> bool:
    """Whether it has the label, with that value if the rule names one."""
    labels = item["metadata"].get("labels", {})
    return label in labels and (not values or labels[label] == values[0])


def _has(item: Any, path: str, value: str) -> bool:
    return bool(_get(item, tuple(path.split("."))) == value)


def _bare(body: Object) -> Object:
    metadata = {key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {**metadata}}


def _leaves(body: Object) -> Iterator[tuple[Path, Any]]:
    identity = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
    yield from ((path, value) for path, value in _walk(body, ()) if path not in identity)


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _walk(below, (*path, key))
    else:
        yield path, value


def _owners(item: Object) -> dict[str, set[Path]]:
    owners: dict[str, set[Path]] = defaultdict(set)
    for entry in item["metadata"].get("managedFields", []):
        owners[entry["manager"]] = {tuple(key[2:] for key in path) for path, _unused in _walk(entry["fieldsV1"], ())}
    return owners


def _owned(item: Object, owners: Mapping[str, set[Path]]) -> Object:
    entries = []
    for manager, paths in owners.items():
        fields: dict[str, Any] = {}
        for path in paths:
            _set(fields, tuple(f"f:{key}" for key in path), {})
        if fields:
            operation = "Apply" if manager.startswith("fediverse.mastodon") else "Update"
            entry = {"manager": manager, "operation": operation, "apiVersion": item["apiVersion"], "fieldsV1": fields}
            entries.append(entry)
    item["metadata"]["managedFields"] = entries
    return item


def _get(item: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(item, dict) or key not in item:
            return None
        item = item[key]
    return item


def _set(item: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        item = item.setdefault(key, {})
    item[path[-1]] = copy.deepcopy(value)


def _unset(item: dict[str, Any], path: Path) -> None:
    parent = _get(item, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
