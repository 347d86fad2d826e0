# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects, subjects and runs of the engine, short to write in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.engine import Engine
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef, Request, desired_set
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

GROUPS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
    "Cluster": "postgresql.cnpg.io/v1",
    "Widget": "example.test/v1",
}
CLUSTER_WIDE = (
    "Namespace",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "PersistentVolume",
    "StorageClass",
    "VolumeSnapshotContent",
    "ObjectBucket",
    "ClusterSecretStore",
    "ClusterIssuer",
)


def thing(kind: str, name: str, after: str = "", **fields: Any) -> Object:
    """Return an object, in the namespace `ns` if its kind has one; `after` is its depends-on annotation."""
    metadata: dict[str, Any] = {"name": name}
    if kind not in CLUSTER_WIDE:
        metadata["namespace"] = "ns"
    if after:
        metadata["annotations"] = {"config.kubernetes.io/depends-on": after}
    return {"apiVersion": GROUPS.get(kind, "v1"), "kind": kind, "metadata": metadata, **fields}


NAMESPACE = thing("Namespace", "ns")


def subject(kind: str, name: str) -> ObjectRef:
    """Return the identity of what `thing` makes."""
    return ObjectRef.of(thing(kind, name))


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Let time pass, and what was to happen meanwhile happen."""
        self.time += seconds
        self.on_sleep()

    def deadline(self, seconds: float) -> Deadline:
        """Return a deadline that goes by this clock."""
        return Deadline(seconds, clock=lambda: self.time, sleep=self.sleep)


class Ran:
    """One run of the engine: its lines, its outcomes, and the error that ended it, if any."""

    def __init__(
        self, api: FakeApi, *objects: Object, seconds: float = 5, clock: Clock | None = None, **options: Any
    ) -> None:
        self.lines: list[str] = []
        self.error: MastodonError | None = None
        api.calls.clear()
        request = Request(**{"name": "set", "namespace": "ns", "desired": desired_set(objects), **options})
        deadline = clock.deadline(seconds) if clock else Deadline(seconds, sleep=lambda _unused: None)
        self.engine = Engine(api, api.discover(), request, deadline, self.lines.append)
        try:
            self.engine.run()
        except MastodonError as error:
            self.error = error

    @property
    def actions(self) -> dict[str, str]:
        """What was done, by name of the object, the inventory left out."""
        outcomes = self.engine.outcomes
        return {item.name: outcomes[item].action for item in outcomes if item.name != "fediverse.mastodon.set"}
