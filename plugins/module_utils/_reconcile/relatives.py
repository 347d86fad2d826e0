# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods, what makes them, what issues certificates, and what is said about them: whose they are, and which of them have trouble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import EVENT, POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import ready, troubles
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.events import time_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.troubles import Trouble

_KINDS = (
    EVENT,
    POD,
    Resource("apps", "v1", "DaemonSet", "daemonsets", namespaced=True),
    Resource("apps", "v1", "Deployment", "deployments", namespaced=True),
    Resource("apps", "v1", "ReplicaSet", "replicasets", namespaced=True),
    Resource("apps", "v1", "StatefulSet", "statefulsets", namespaced=True),
    Resource("batch", "v1", "Job", "jobs", namespaced=True),
)
# What a Certificate is issued by: https://cert-manager.io/docs/troubleshooting/acme/
_ISSUING_KINDS = (
    Resource("cert-manager.io", "v1", "CertificateRequest", "certificaterequests", namespaced=True),
    Resource("acme.cert-manager.io", "v1", "Order", "orders", namespaced=True),
    Resource("acme.cert-manager.io", "v1", "Challenge", "challenges", namespaced=True),
)
# Flux labels what it applies with `<group>/name` and `<group>/namespace`.
_LABELLERS = (
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("fluxcd.controlplane.io", "FluxInstance"),
)
_REVISION = "deployment.kubernetes.io/revision"


class Relatives:
    """The pods of some namespaces and their owners, by UID, with the events about them. Safe for threads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._items: dict[str, Object] = {}
        # Hooks of Helm have no label of Flux, only that of their release: the HelmRelease by namespace and release.
        self.releases: dict[tuple[str, str], ObjectRef] = {}

    def read(self, namespaces: Iterable[str], *, issuing: bool) -> dict[Selection, str]:
        """Read what may be read, and return what to watch to stay up to date. `issuing`: Certificates are waited for."""
        kinds = (*_KINDS, *_ISSUING_KINDS) if issuing else _KINDS
        selections = [Selection(resource, namespace) for namespace in sorted(namespaces) for resource in kinds]
        versions = for_each(self._try, selections)
        return {selection: version for selection, version in zip(selections, versions, strict=True) if version}

    def _try(self, selection: Selection) -> str:
        try:
            return self.refresh(selection)
        except MastodonError:
            # It only explains sooner what would be reported anyway.
            return ""

    def refresh(self, selection: Selection) -> str:
        """Read a selection again and return its version."""
        listing = self._api.read(selection)
        gone = [uid for uid, item in list(self._items.items()) if _is_of(item, selection)]
        for uid in gone:
            self._items.pop(uid, None)
        self._items.update({item["metadata"]["uid"]: item for item in listing.objects})
        return listing.resource_version

    def follow(self, item: Object, *, is_gone: bool) -> None:
        """Take over an event of a watch."""
        if is_gone:
            self._items.pop(item["metadata"]["uid"], None)
        else:
            self._items[item["metadata"]["uid"]] = item

    def troubles(self) -> Iterator[tuple[Object, Trouble]]:
        """Yield each trouble with the object that has it, outdated ones left out."""
        items = list(self._items.values())
        newest = _newest_revisions(items)
        for item in items:
            if at(item, "metadata.deletionTimestamp"):
                continue
            match item["kind"]:
                case "Pod" if self._is_current(item, newest):
                    yield from ((item, trouble) for trouble in self._of_pod(item))
                case "ReplicaSet" if item["metadata"]["uid"] in newest:
                    yield from ((item, trouble) for trouble in troubles.of_replica_set(item))
                case "Job":
                    yield from ((item, trouble) for trouble in troubles.of_job(item))
                case "Challenge" | "Order":
                    yield from ((item, trouble) for trouble in troubles.of_issuing(item))
                case "Event":
                    yield from self._of_event(item, items)

    def pods(self) -> list[Object]:
        """Return the pods that have not ended and are not about to."""
        found = [item for item in list(self._items.values()) if item["kind"] == "Pod"]
        ended = ("Succeeded", "Failed")
        return [
            pod for pod in found if at(pod, "status.phase") not in ended and not at(pod, "metadata.deletionTimestamp")
        ]

    def unfinished(self) -> Iterator[tuple[Object, Trouble]]:
        """Yield what Jobs and pods are at that are neither ready nor done, Jobs first, those of former revisions left out."""
        items = sorted(self._items.values(), key=lambda item: (item["kind"], item["metadata"]["name"]))
        newest = _newest_revisions(items)
        for item in items:
            is_current = item["kind"] == "Job" or (item["kind"] == "Pod" and self._is_current(item, newest))
            if is_current and not at(item, "metadata.deletionTimestamp") and (found := troubles.unfinished(item)):
                yield item, found

    def is_gone_or_well(self, event: Mapping[str, Any]) -> bool:
        """Whether what an event is about is of a kind that is read here, and not there, or a pod that is ready."""
        involved = event.get("involvedObject") or {}
        uid = involved.get("uid")
        if not uid or involved.get("kind") not in {resource.kind for resource in _KINDS}:
            return False
        about = self._items.get(uid)
        return about is None or (about["kind"] == "Pod" and ready.compute(about).verdict == "Current")

    def roots(self, item: Mapping[str, Any]) -> Iterator[ObjectRef]:
        """Yield all that an object belongs to: itself, its owners and theirs, and what Flux applied them for."""
        metadata = item["metadata"]
        labels = metadata.get("labels") or {}
        yield ObjectRef.of(item)
        for group, kind in _LABELLERS:
            if name := labels.get(f"{group}/name"):
                yield ObjectRef(group, kind, labels.get(f"{group}/namespace", ""), name)
        release = self.releases.get((metadata.get("namespace", ""), labels.get("app.kubernetes.io/instance", "")))
        if release:
            yield release
        for owner in metadata.get("ownerReferences") or []:
            group, _unused, _unused = owner["apiVersion"].rpartition("/")
            yield ObjectRef(group, owner["kind"], metadata.get("namespace", ""), owner["name"])
            if above := self._items.get(owner["uid"]):
                yield from self.roots(above)

    def failures(self) -> dict[str, int]:
        """Return how many pods of each Job have failed, by its UID."""
        jobs = [item for item in list(self._items.values()) if item["kind"] == "Job"]
        return {job["metadata"]["uid"]: at(job, "status.failed", 0) for job in jobs}

    def job_of(self, item: Object) -> Object | None:
        """Return a Job, or that of its pods; None for anything else."""
        job = item if item["kind"] == "Job" else self._owner(item)
        return job if job and job["kind"] == "Job" else None

    def _is_current(self, pod: Object, newest: frozenset[str]) -> bool:
        """Whether a pod is not of a Deployment's former revision, which is about to go."""
        owner = self._owner(pod)
        return owner is None or owner["kind"] != "ReplicaSet" or owner["metadata"]["uid"] in newest

    def _of_pod(self, pod: Object) -> Iterator[Trouble]:
        found = list(troubles.of_pod(pod))
        owner = self._owner(pod)
        old = list(troubles.of_old_revision(pod, owner)) if found and owner and owner["kind"] == "StatefulSet" else []
        yield from old or found

    def _of_event(self, event: Object, items: Iterable[Object]) -> Iterator[tuple[Object, Trouble]]:
        about = self._items.get(at(event, "involvedObject.uid", ""))
        if about is None or about["kind"] == "ReplicaSet" or _is_past(event, about, items):
            return
        yield from ((about, trouble) for trouble in troubles.of_event(event, ObjectRef.of(about)))

    def _owner(self, item: Object) -> Object | None:
        owners = item["metadata"].get("ownerReferences") or []
        return next((self._items[owner["uid"]] for owner in owners if owner["uid"] in self._items), None)


def _is_of(item: Object, selection: Selection) -> bool:
    return (item["kind"], item["metadata"]["namespace"]) == (selection.resource.kind, selection.namespace)


def _newest_revisions(items: Iterable[Object]) -> frozenset[str]:
    """Return the UIDs of the ReplicaSets that their Deployment wants now. One without a Deployment is its own newest."""
    newest: dict[str, tuple[int, str]] = {}
    for item in items:
        if item["kind"] == "ReplicaSet":
            metadata = item["metadata"]
            owners = [owner["uid"] for owner in metadata.get("ownerReferences") or []] or [metadata["uid"]]
            revision = int((metadata.get("annotations") or {}).get(_REVISION, 0))
            newest[owners[0]] = max(newest.get(owners[0], (-1, "")), (revision, metadata["uid"]))
    return frozenset(uid for _unused, uid in newest.values())


def _is_past(event: Object, about: Object, items: Iterable[Object]) -> bool:
    """Whether what an event says is over: the pod's volumes are mounted, or a pod was made since."""
    if about["kind"] == "Pod":
        return any(at(status, "state.waiting") is None for status in at(about, "status.containerStatuses", []))
    uid, happened = about["metadata"]["uid"], time_of(event)
    made = (
        datetime.fromisoformat(item["metadata"]["creationTimestamp"])
        for item in items
        if item["kind"] == "Pod" and any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences") or [])
    )
    return any(time >= happened for time in made)
