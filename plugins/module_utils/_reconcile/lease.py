# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease, by which one run keeps others of the same kind away for as long as it lives.

As in leader election, one that is held is watched: https://kubernetes.io/docs/concepts/architecture/leases/. Whoever was killed renews
it no more, and is succeeded.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER

LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases", namespaced=True)
# Without a sign of life for so long, its holder is gone.
SECONDS = 20
_RENEW_EVERY = 5.0
_LOOK_EVERY = 1.0
_CONFLICT = 409


class LostLeaseError(MastodonError):
    """Somebody else holds it now: what this run had begun is no longer its own."""


class Lease:
    """One of a name. `what` is what its holder does, such as `rehearsal`."""

    def __init__(self, api: Api, namespace: str, name: str, what: str, labels: dict[str, str]) -> None:
        self._api = api
        self._selection = Selection(LEASE, namespace, name)
        self._what = what
        self._labels = labels
        self._holder = uuid.uuid4().hex
        self._manager = f"{MANAGER}/{self._holder}"
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._acquired = ""

    def holder(self) -> Object | None:
        """Return it as it is, None when nobody holds it."""
        found = self._api.read(self._selection).objects
        return found[0] if found and at(found[0], "spec.holderIdentity", "") else None

    def take(self, deadline: Deadline, say: Callable[[str], None]) -> None:
        """Hold it from now on. Raises MastodonError when somebody else does and lives."""
        left = self.holder()
        if left is not None:
            say(
                f"a {self._what} that began at {left['spec'].get('acquireTime', '')} left {self._selection}; watching for {SECONDS} s whether it goes on"
            )
            self._refuse_living(left, deadline)
        try:
            self._apply(acquired=True, seen=left)
        except ApiError as error:
            if error.status == _CONFLICT:
                raise self._running("it began a moment ago") from error
            raise
        self._renewing.start()

    def _refuse_living(self, left: Object, deadline: Deadline) -> None:
        for _look in range(int(SECONDS / _LOOK_EVERY)):
            deadline.pause(_LOOK_EVERY)
            now = self.holder()
            if now is None:
                return
            if at(now, "spec.renewTime") != at(left, "spec.renewTime"):
                raise self._running(f"it began at {at(now, 'spec.acquireTime', '')} and is at work")

    def _running(self, why: str) -> MastodonError:
        return MastodonError(str(self._selection), f"another {self._what} runs", why, "Wait until it has ended.")

    def check(self) -> None:
        """Raise LostLeaseError when somebody else took it, also while this run slept."""
        live = self.holder()
        if live is None or live["spec"]["holderIdentity"] != self._holder:
            why = "another run took it, as this one gave no sign of life"
            raise LostLeaseError(str(self._selection), "was lost", why, "Run again.")

    def end(self) -> None:
        """Hold it no longer."""
        self._ended.set()
        if self._renewing.is_alive():
            self._renewing.join()
        if (live := self.holder()) and live["spec"]["holderIdentity"] == self._holder:
            self._api.delete(LEASE, live, dry_run=False)

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_EVERY):
            try:
                self._apply(acquired=False)
            except ApiError as error:
                if error.status == _CONFLICT:
                    # Another run took it, as `check` says.
                    return
            except MastodonError:
                # The API server is away for a moment; until the Lease ends there is another try.
                continue

    def _apply(self, *, acquired: bool, seen: Object | None = None) -> None:
        """Write it as its holder, whose fields nobody else may have. One that was `seen` is taken over as it was then."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._acquired = now if acquired else self._acquired
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": SECONDS,
            "acquireTime": self._acquired,
            "renewTime": now,
        }
        metadata: dict[str, Any] = {
            "name": self._selection.name,
            "namespace": self._selection.namespace,
            "labels": self._labels,
        }
        if seen is not None:
            metadata["resourceVersion"] = seen["metadata"]["resourceVersion"]
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}
        self._api.apply(LEASE, body, manager=self._manager, force=seen is not None, dry_run=False)
