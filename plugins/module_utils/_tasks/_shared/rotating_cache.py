# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new password of a Dragonfly that was made here: beside the old one in each of its pods, until they start with the new one alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import (
    Patience,
    Values,
    lets_in,
)

_DRAGONFLY = Resource("dragonflydb.io", "v1alpha1", "Dragonfly", "dragonflies", namespaced=True)


@dataclass(frozen=True)
class Cache:
    """A Dragonfly by its namespace and name. `secret` is how errors call where its password comes from."""

    connection: Connection
    namespace: str
    name: str
    port: int
    secret: str
    patience: Patience

    def admit(self, current: Values, following: Values) -> str:
        """Add it in each pod: what one of them was given another does not know."""

        def each() -> None:
            for server in self._servers():
                if not lets_in(partial(_log_in, server), following):
                    redis_server.admit(server, current["password"], following["password"])
                _log_in(server, following)
                if not lets_in(partial(_log_in, server), current):
                    self._put_back(server, current, following)

        self.patience.until(each)
        return f"Dragonfly {self.namespace}/{self.name} lets both in"

    @staticmethod
    def _put_back(server: Server, current: Values, following: Values) -> None:
        """Let the present one in again, which Mastodon's pods have. Raises MastodonError for a server that took the other for it.

        https://github.com/dragonflydb/dragonfly/pull/3189
        """
        redis_server.admit(server, following["password"], current["password"])
        _log_in(server, current)
        if not lets_in(partial(_log_in, server), following):
            why = "Dragonfly keeps several from 1.20 on"
            remedy = "Set dragonfly_image to a newer one, run fediverse.mastodon.site, and then this again."
            raise MastodonError(str(server), "keeps one password at a time", why, remedy)

    def dismiss(self, current: Values, previous: Values) -> str:
        """Take it away in each pod, once all of them have started with the new one."""

        def each() -> None:
            self._refuse_older()
            for server in self._servers():
                _log_in(server, current)
                if lets_in(partial(_log_in, server), previous):
                    redis_server.dismiss(server, current["password"], previous["password"])
                if lets_in(partial(_log_in, server), previous):
                    raise MastodonError(str(server), "still lets the old password in", "", "Run again.")

        self.patience.until(each, refused=True)
        return f"Dragonfly {self.namespace}/{self.name} refuses the old one"

    def save(self, current: Values) -> None:
        """Have each pod write a snapshot, as each begins from its own."""

        def each() -> None:
            for server in self._servers():
                redis_server.save(server, current["password"])

        self.patience.until(each)

    def _refuse_older(self) -> None:
        """Raise NotReadyError while a pod has not the annotations that its Dragonfly has since its password changed."""
        for item in open_objects(self.connection).read(Selection(_DRAGONFLY, self.namespace, self.name)).objects:
            wanted = at(item, "spec.annotations", {}).items()
            for pod in self._pods():
                if wanted - at(pod, "metadata.annotations", {}).items():
                    raise NotReadyError(f"Pod {self.namespace}/{pod['metadata']['name']}", "has not started anew yet")

    def _pods(self) -> Sequence[Object]:
        labels = f"app={self.name},app.kubernetes.io/name=dragonfly"
        return open_objects(self.connection).read(Selection(POD, self.namespace, labels=labels)).objects

    def _servers(self) -> Sequence[Server]:
        pods = self._pods()
        subject, remedy = (
            f"Dragonfly {self.namespace}/{self.name}",
            f"Check them: kubectl get pods -n {self.namespace}.",
        )
        if not pods or not all(map(_is_ready, pods)):
            raise NotReadyError(
                subject, "cannot be asked", "a pod of it is not ready" if pods else "it has no pod", remedy
            )
        return [self._server(pod["metadata"]["name"]) for pod in pods]

    def _server(self, pod: str) -> Server:
        dial = forward.way_to_pod(self.connection, self.namespace, pod, self.port)
        return Server("Redis", f"{pod}.{self.namespace}", self.port, self.secret, dial)


def _log_in(server: Server, values: Values) -> object:
    return redis_server.ask(server, values["password"])


def _is_ready(pod: Object) -> bool:
    ready = conditions_of(pod).get("Ready")
    return ready is not None and ready.status == "True" and not pod["metadata"].get("deletionTimestamp")
