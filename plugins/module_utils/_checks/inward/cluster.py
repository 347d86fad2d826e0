# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind an instance in a cluster, each kind and place read once, when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import targets
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import way
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import Limit
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

K = TypeVar("K")
V = TypeVar("V")
# What was waited for as long in vain, in seconds, is not waited for by the next look either.
_FAIR = 1.0
GATEWAY_API = "gateway.networking.k8s.io"
# Returns the certificates in a Secret, None where there is no such Secret.
Chain: TypeAlias = "Callable[[str, str], str | None]"
# Returns what time it is in a pod.
Time: TypeAlias = Callable[[str, str], datetime]


@dataclass(frozen=True)
class Broken:
    """The way inward to the first broken link: sentences from outside to inside, and what to do at the last.

    `certain` is whether nobody who comes this way gets past it.
    """

    said: tuple[str, ...]
    next: str
    certain: bool = True

    def behind(self, *outer: str) -> Broken:
        """Return it as what is behind something nearer to the world."""
        return replace(self, said=(*outer, *self.said))


@dataclass(frozen=True)
class Known:
    """What was read of a cluster, or refused, by all who look at it in one run."""

    catalogs: dict[str, Catalog | MastodonError] = field(default_factory=dict)
    objects: dict[tuple[str, str, str], Sequence[Object] | MastodonError] = field(default_factory=dict)
    chains: dict[tuple[str, str], str | MastodonError | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Cluster:
    """The objects of one cluster for one look, and which Gateway of it is the instance's.

    What is `known`, or refused once, is not asked again for each finding, nor for each of many instances. `limit` is of this look.
    """

    api: Api
    read_chain: Chain
    read_time: Time
    namespace: str
    name: str
    limit: Limit
    known: Known = field(default_factory=Known)

    def __str__(self) -> str:
        """Return how sentences call the Gateway."""
        return f"Gateway {self.namespace}/{self.name}"

    @property
    def catalog(self) -> Catalog:
        """The kinds that it serves. Raises MastodonError."""
        return self._once(self.known.catalogs, "", self.api.discover)

    def all(self, group: str, kind: str, namespace: str = "") -> Sequence[Object]:
        """Return all of a kind in a namespace, or in all of them. Raises MastodonError where they may not be read."""

        def read() -> Sequence[Object]:
            return read_served(self.api, self.catalog.preferred(group, kind), namespace)

        return self._once(self.known.objects, (group, kind, namespace), read)

    def chain(self, namespace: str, name: str) -> str | None:
        """Return the certificates in a Secret, None where there is no such Secret. Raises MastodonError."""
        return self._once(self.known.chains, (namespace, name), lambda: self.read_chain(namespace, name))

    def one(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return one object, None where there is none."""
        return next((item for item in self.all(group, kind, namespace) if item["metadata"]["name"] == name), None)

    @property
    def gateway(self) -> Object | None:
        """The Gateway."""
        return self.one(GATEWAY_API, "Gateway", self.namespace, self.name)

    def fronts(self) -> Sequence[Object]:
        """Return the Services that lead to the Gateway."""
        return list(way.leading(self.gateway, targets(self.gateway), self.all("", "Service"))) if self.gateway else ()

    def listeners(self) -> Mapping[str, Mapping[str, object]]:
        """Return the Gateway's listeners by name."""
        return {str(item.get("name")): item for item in maps_at(self.gateway, "spec.listeners")}

    def _once(self, known: dict[K, V | MastodonError], key: K, read: Callable[[], V]) -> V:
        if key not in known:
            began = self.limit.remaining
            if not began:
                raise MastodonError(str(self), "was not asked", "the time that one look may take there is over", "")
            try:
                known[key] = read()
            except MastodonError as error:
                # What had too little time may well be read by the next.
                if began < _FAIR and not self.limit.remaining:
                    raise
                known[key] = error
        found = known[key]
        if isinstance(found, MastodonError):
            raise found
        return found


def name_of(item: Object) -> str:
    """Return how sentences call an object."""
    return str(ObjectRef.of(item))


def describe(item: Object) -> str:
    """Return the command that shows it with its events."""
    reference = ObjectRef.of(item)
    return f"kubectl describe {reference.kind.lower()} -n {reference.namespace} {reference.name}"


def owned_by(item: Object, owner: Object) -> bool:
    """Whether an object was made for another."""
    wanted = owner["metadata"].get("uid")
    return bool(wanted) and any(one.get("uid") == wanted for one in maps_at(item, "metadata.ownerReferences"))


def labels_of(item: Object | None) -> Mapping[str, str]:
    """Return an object's labels."""
    found: Mapping[str, str] = at(item, "metadata.labels", {})
    return found
