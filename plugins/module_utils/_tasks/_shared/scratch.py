# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scratch Cluster: created, waited for, explained when it fails, and removed with all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import causes, room, scratch
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import (
    JOB,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    RESOURCE_QUOTA,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import await_ready

_POLICY = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", namespaced=True)
_SLICE = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", namespaced=True)
_CAPACITY = Resource("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", namespaced=True)
# Of an API server whose addresses may not be read.
_API_PORTS = (443, 6443)
_POLICY_OF_VOLUME = "spec.persistentVolumeReclaimPolicy"
_JOB = "cnpg.io/jobRole"
_LOG_LINES = 400
_PAUSE = 1.0
_VERSION = "postgresql.cnpg.io/v1"
# How long is waited before its Job is looked at, and how often that may fail.
_LOOK_SECONDS = 60.0
_ATTEMPTS = 2


def await_made(objects: Api, namespace: str, name: str, deadline: Deadline, run: Run, *, imports: bool = False) -> None:
    """Return when a Cluster runs. Raises MastodonError when it cannot, and of one that is imported once that has failed twice.

    Its Job begins anew more often than that, and all of it, so that hours may be lost.
    """
    wanted = {"api_version": _VERSION, "kind": "Cluster", "namespace": namespace, "name": name}
    while True:
        part = Deadline(min(_LOOK_SECONDS if imports else deadline.remaining, deadline.remaining), deadline.clock)
        try:
            await_ready([wanted], objects, part, run)
        except MastodonError:
            if part.remaining or not deadline.remaining or _attempts(objects, namespace, name) >= _ATTEMPTS:
                raise
        else:
            return


def _attempts(objects: Api, namespace: str, name: str) -> int:
    """Return how often a Job of a Cluster has failed."""
    jobs = objects.read(Selection(JOB, namespace, labels=f"{scratch.CLUSTER_LABEL}={name}")).objects
    return max((int(at(job, "status.failed", 0)) for job in jobs), default=0)


def explained(
    objects: Api, namespace: str, name: str, subject: str, error: MastodonError, failed: str = "cannot be restored"
) -> MastodonError:
    """Return why a Cluster was not made of `subject`, by the log of the Job that tried; the `error` without one."""
    cause = causes.find("\n".join(_recovery_logs(objects, namespace, name)))
    if cause is None:
        return error
    return MastodonError(subject, failed, cause.why, cause.remedy or str(error))


def _recovery_logs(objects: Api, namespace: str, name: str) -> Iterator[str]:
    """Yield what the Job that restores logged, its latest pod last."""
    labels = f"{scratch.CLUSTER_LABEL}={name},{_JOB}"
    pods = objects.read(Selection(POD, namespace, labels=labels)).objects
    for pod in sorted(pods, key=lambda one: str(one["metadata"].get("creationTimestamp"))):
        for container in (*maps_at(pod, "spec.initContainers"), *maps_at(pod, "spec.containers")):
            try:
                yield objects.log(pod, container["name"], _LOG_LINES)
            except ApiError:
                # It has not started, or is gone.
                continue


@dataclass(frozen=True)
class Scratch:
    """The one of an origin. `kind` is how Clusters are served; with an `image` it is imported by that, and not restored."""

    objects: Api
    kind: Resource
    origin: Origin
    image: str = ""

    @property
    def name(self) -> str:
        """Return what it is called."""
        return scratch.name_of(self.origin.name)

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Cluster {self.origin.namespace}/{self.name}"

    def parts(self) -> list[tuple[Resource, Object]]:
        """Return what is there of it. Raises MastodonError for something of its name that is not of a rehearsal."""
        found: list[tuple[Resource, Object]] = []
        for resource in (self.kind, _POLICY):
            for item in self.objects.read(Selection(resource, self.origin.namespace, self.name)).objects:
                scratch.refuse_foreign(item, self.origin.name)
                found.append((resource, item))
        return found

    def uids(self) -> frozenset[str]:
        """Return what tells its parts from others of the same name that are created later."""
        return frozenset(item["metadata"]["uid"] for _resource, item in self.parts())

    def create(self, bodies: list[dict[str, Any]], *, dry_run: bool) -> None:
        """Create what is given, or only ask whether it could be."""
        resources = {"Cluster": self.kind, "NetworkPolicy": _POLICY}
        for body in bodies:
            self.objects.apply(resources[body["kind"]], body, manager=MANAGER, force=False, dry_run=dry_run)

    def refuse_without_room(self, body: Object) -> None:
        """Raise MastodonError when it would not fit. What may not be read limits nothing that is known."""
        for storage_class, _size in room.claims(body):
            with suppress(SkippedError):
                cluster.storage_class(self.objects, storage_class, str(self.origin))
        room.refuse_full(self._readable(RESOURCE_QUOTA, self.origin.namespace), self._readable(_CAPACITY), body)

    def _readable(self, resource: Resource, namespace: str = "", labels: str = "") -> tuple[Object, ...]:
        try:
            return self.objects.read(Selection(resource, namespace, labels=labels)).objects
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return ()

    def wait(self, deadline: Deadline, run: Run) -> None:
        """Return when it runs. Raises MastodonError with the cause that the log of its recovery names."""
        try:
            await_made(self.objects, self.origin.namespace, self.name, deadline, run, imports=bool(self.image))
        except MastodonError as error:
            raise self._explained(error) from error

    def _explained(self, error: MastodonError) -> MastodonError:
        failed = "cannot be imported" if self.image else "cannot be restored"
        return explained(self.objects, self.origin.namespace, self.name, str(self.origin), error, failed)

    def primary(self) -> str:
        """Return the pod that serves."""
        [item] = self.objects.read(Selection(self.kind, self.origin.namespace, self.name)).objects or ({},)
        return str(at(item, "status.currentPrimary", "")) or f"{self.name}-1"

    def remove(self, deadline: Deadline, run: Run, only: Collection[str] | None = None) -> bool:
        """Delete it, and return once its pods and volumes are gone, too. Returns whether anything was there.

        `only` are the uids of what may be deleted; without it all its parts.
        """
        found = [(resource, item) for resource, item in self.parts() if only is None or item["metadata"]["uid"] in only]
        errors = []
        for resource, item in found:
            try:
                self.objects.delete(resource, item, dry_run=False)
            except MastodonError as error:
                errors.append(error)
        if errors:
            raise CombinedError(errors)
        reminder = Reminder(deadline, after=10)
        while left := self._left():
            if reminder.is_due():
                run.say(f"waiting for {', '.join(left)} to be gone")
            if not deadline.pause(_PAUSE):
                remedy = f"Look what holds them: kubectl describe -n {self.origin.namespace} {left[0].replace(' ', '/').lower()}."
                raise MastodonError(str(self), "cannot be removed", f"{', '.join(left)} still there", remedy)
        return bool(found)

    def volumes(self) -> list[str]:
        """Return the PersistentVolumes that it has."""
        labels = f"{scratch.CLUSTER_LABEL}={self.name}"
        claims = self.objects.read(Selection(PERSISTENT_VOLUME_CLAIM, self.origin.namespace, labels=labels)).objects
        return sorted(filter(None, (str(at(claim, "spec.volumeName", "")) for claim in claims)))

    def kept(self, volumes: list[str]) -> str:
        """Return which of its former volumes are kept, with all that was restored, and what to do; empty when none is."""
        try:
            found = [
                item for name in volumes for item in self.objects.read(Selection(PERSISTENT_VOLUME, name=name)).objects
            ]
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return f"whether PersistentVolume {', '.join(volumes)} is deleted is not known, as you may not read it"
        names = [one["metadata"]["name"] for one in found if at(one, _POLICY_OF_VOLUME, "") == "Retain"]
        if not names:
            return ""
        return (
            f"PersistentVolume {', '.join(names)} is kept with a copy of the database, as its reclaimPolicy is Retain: delete it by"
            f" kubectl delete pv {' '.join(names)}, and the disk behind it"
        )

    def _left(self) -> list[str]:
        namespace, labels = self.origin.namespace, f"{scratch.CLUSTER_LABEL}={self.name}"
        selections = [
            Selection(self.kind, namespace, self.name),
            *(Selection(resource, namespace, labels=labels) for resource in (POD, PERSISTENT_VOLUME_CLAIM)),
        ]
        return [f"{one.resource.kind} {name}" for one in selections for name in sorted(self.objects.names(one))]

    def ways(self) -> scratch.Ways:
        """Return what it has to reach."""
        host, port = forward.place_of(self.origin.endpoint)
        service = forward.service_at(host, port)
        api_ports = self._ports("default", "kubernetes") or _API_PORTS
        if service is None:
            return scratch.Ways(api_ports, (port,))
        behind = self._ports(service.namespace, service.name) or (port,)
        return scratch.Ways(api_ports, behind, service.namespace)

    def _ports(self, namespace: str, service: str) -> tuple[int, ...]:
        """Return the ports behind a Service; none where they may not be read."""
        slices = self._readable(_SLICE, namespace, f"kubernetes.io/service-name={service}")
        return tuple(
            sorted({port["port"] for item in slices for port in maps_at(item, "ports") if at(port, "port", 0)})
        )
