# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine needs of an API server. `_kube.objects.Objects` is the real one; tests bring their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Object, Selection


class Events(Protocol):
    """A running watch: `{"type": …, "object": …}` as the API server sends them."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield events until the watch ends, for whatever reason."""

    def stop(self) -> None:
        """End the iteration, from any thread."""


class Api(Protocol):
    """The methods of `_kube.objects.Objects`, documented there."""

    @property
    def requests(self) -> int: ...

    @property
    def began(self) -> datetime: ...

    def discover(self) -> Catalog: ...

    def read(self, selection: Selection) -> Listing: ...

    def names(self, selection: Selection) -> set[str]: ...

    def watch(self, selection: Selection, resource_version: str, seconds: int) -> Events: ...

    def log(self, pod: Object, container: str, lines: int) -> str: ...

    def apply(self, resource: Resource, body: Object, *, manager: str, force: bool, dry_run: bool) -> Object: ...

    def annotate(
        self, resource: Resource, namespace: str, name: str, notes: Mapping[str, str], manager: str
    ) -> Object: ...

    def reassign(self, resource: Resource, live: Object, entries: list[dict[str, Any]]) -> Object: ...

    def delete(
        self, resource: Resource, live: Object, *, dry_run: bool, orphan: bool = False, as_seen: bool = False
    ) -> None: ...


def read_served(
    api: Api, resource: Resource | None, namespace: str = "", name: str = "", *, labels: str = ""
) -> tuple[Object, ...]:
    """Return the objects of a kind that a catalog has found, none where it is not served."""
    return tuple(api.read(Selection(resource, namespace, name, labels=labels)).objects) if resource else ()
