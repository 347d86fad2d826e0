# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a claim without a volume waits for, which its class says and not the claim itself."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import CURRENT, Status, progressing
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.workloads import UNBOUND

_CLASSES = Selection(Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False))

NO_CLASS = "NoStorageClass"


class Volumes:
    """Judges claims that are not bound. The classes are read once, and only when there is such a claim."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._listing: tuple[Object, ...] | None = None
        self._is_read = False

    def status(self, claim: Object) -> Status:
        """Return Current for a claim that gets its volume with its first pod, or else what it waits for."""
        name = at(claim, "spec.storageClassName")
        if not name:
            # A default class is written into a claim, also into one that was there before it:
            # https://kubernetes.io/docs/concepts/storage/persistent-volumes/#retroactive-default-storageclass-assignment
            message = "it names no StorageClass, and the cluster has no default one" if name is None else ""
            return progressing(
                UNBOUND, message or "no volume is bound to it yet, and as it wants no StorageClass none is created"
            )
        if not self._is_read:
            self._listing, self._is_read = self._read(), True
        if self._listing is None:
            return CURRENT
        modes = {item["metadata"]["name"]: item.get("volumeBindingMode") for item in self._listing}
        if name not in modes:
            only = f", only {', '.join(sorted(modes))}" if modes else ""
            return progressing(NO_CLASS, f"there is no StorageClass {name}{only}")
        if modes[name] == "WaitForFirstConsumer":
            return CURRENT
        return progressing(UNBOUND, f"StorageClass {name} has created no volume for it yet")

    def _read(self) -> tuple[Object, ...] | None:
        try:
            return self._api.read(_CLASSES).objects
        except MastodonError:
            # Without the right to look it may be one that waits for its first pod.
            return None
