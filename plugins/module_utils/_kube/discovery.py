# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds the API server serves, and where.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# One request for all groups, since Kubernetes 1.30: https://kubernetes.io/docs/concepts/overview/kubernetes-api/
ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """A kind as the API server serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """Return `group/version`, or `version` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of the collection, or of the object `name` in it."""
        prefix = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{_segment(namespace)}" if self.namespaced and namespace else ""
        return f"{prefix}{place}/{self.plural}{'/' + _segment(name) if name else ''}"


def _segment(name: str) -> str:
    # Names of roles may have nearly every character: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
    return quote(name, safe=":@")


class Catalog:
    """All kinds served, by group, version and kind."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._exact: dict[tuple[str, str, str], Resource] = {}
        self._preferred: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            self._exact[resource.group, resource.version, resource.kind] = resource
            # The API server lists the versions of a group with the preferred one first.
            self._preferred.setdefault((resource.group, resource.kind), resource)

    def find(self, group: str, version: str, kind: str) -> Resource | None:
        """Return the kind in exactly this version, or None if it is not served."""
        return self._exact.get((group, version, kind))

    def called(self, kind: str) -> tuple[Resource, ...]:
        """Return the kinds of this name of all groups, each in its preferred version."""
        return tuple(resource for (_unused, name), resource in self._preferred.items() if name == kind)

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """Return all versions in which the kind is served, the preferred one first."""
        return tuple(version for of, version, name in self._exact if (of, name) == (group, kind))

    def preferred(self, group: str, kind: str) -> Resource | None:
        """Return the kind in the version that the API server prefers, or None if it is not served."""
        return self._preferred.get((group, kind))


def parse(document: Mapping[str, Any]) -> list[Resource]:
    """Read an `APIGroupDiscoveryList`. Raises MastodonError when the server answers in the older form."""
    if document.get("kind") != "APIGroupDiscoveryList":
        raise MastodonError(
            "API server", "is too old", "it has no aggregated discovery", "Upgrade to Kubernetes 1.30 or newer."
        )
    return [
        _resource(group["metadata"].get("name", ""), version["version"], entry)
        for group in document.get("items", [])
        for version in group.get("versions", [])
        for entry in version.get("resources", [])
        # Without a kind it only holds subresources.
        if entry.get("responseKind")
    ]


def _resource(group: str, version: str, entry: Mapping[str, Any]) -> Resource:
    return Resource(group, version, entry["responseKind"]["kind"], entry["resource"], entry["scope"] == "Namespaced")
