# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds the API server serves, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# One request for all groups, since Kubernetes 1.30: https://kubernetes.io/docs/concepts/overview/kubernetes-api/
ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """A kind as the API server serves it. `names` are what people call it besides, in lower case.

    `has_status`: its status is a subresource, so that an apply passes over it.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    names: tuple[str, ...] = field(default=(), compare=False)
    has_status: bool = field(default=True, compare=False)

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
    """All kinds served, by group, version and kind.

    `unanswered` are the groups and versions of which nothing new is known, as another server has them that does not answer.
    """

    def __init__(self, resources: Iterable[Resource], unanswered: Iterable[tuple[str, str]] = ()) -> None:
        self.unanswered = frozenset(unanswered)
        self._exact: dict[tuple[str, str, str], Resource] = {}
        self._preferred: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            self._exact[resource.group, resource.version, resource.kind] = resource
            # The API server lists the versions of a group with the preferred one first.
            self._preferred.setdefault((resource.group, resource.kind), resource)

    def find(self, group: str, version: str, kind: str) -> Resource | None:
        """Return the kind in exactly this version, or None if it is not served."""
        return self._exact.get((group, version, kind))

    def called(self, name: str, api_version: str = "") -> tuple[Resource, ...]:
        """Return the kinds that people call so, in this version or else of all groups, each in its preferred version.

        As to kubectl, a name is a kind, a plural, a singular or a short name, and the core group goes before all others.
        """
        candidates = self._candidates(api_version)
        found = [one for one in candidates if one.kind == name]
        found = found or [one for one in candidates if name.lower() in (one.kind.lower(), one.plural, *one.names)]
        return tuple([one for one in found if not one.group] or found)

    def alike(self, name: str, api_version: str = "") -> tuple[Resource, ...]:
        """Return the kinds whose names are nearly this one, the most similar first."""
        known = {called: one for one in self._candidates(api_version) for called in (one.kind.lower(), one.plural)}
        near = get_close_matches(name.lower(), known, n=3, cutoff=0.7)
        return tuple(dict.fromkeys(known[called] for called in near))

    def group_like(self, group: str, kind: str) -> str:
        """Return the group whose name is nearly this one and that has such a kind, empty if there is none."""
        groups = [one.group for one in self.called(kind) if one.group]
        return "".join(get_close_matches(group, groups, n=1, cutoff=0.7))

    def serves(self, group: str) -> bool:
        """Whether the API server has any kind of a group, or says that another server has."""
        return any(one.group == group for one in self._exact.values()) or any(
            of == group for of, _unused in self.unanswered
        )

    def _candidates(self, api_version: str) -> list[Resource]:
        if not api_version:
            return list(self._preferred.values())
        return [one for one in self._exact.values() if one.api_version == api_version]

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """Return all versions in which the kind is served, the preferred one first."""
        return tuple(version for of, version, name in self._exact if (of, name) == (group, kind))

    def preferred(self, group: str, kind: str) -> Resource | None:
        """Return the kind in the version that the API server prefers, or None if it is not served."""
        return self._preferred.get((group, kind))


def unanswered_error(catalog: Catalog, group: str, version: str = "") -> MastodonError | None:
    """Return why nothing is known of a group, or of this version of it, None when its server answers."""
    names = sorted(f"{of}.{name}" for name, of in catalog.unanswered if name == group and version in ("", of))
    if not names:
        return None
    failed = f"is served by APIService {names[0]}, whose service does not answer"
    remedy = f"Check it: kubectl describe apiservice {names[0]}. Repair its service, or delete the APIService."
    return MastodonError(f"API group {group}", failed, "", remedy)


def stale(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the groups and versions of an `APIGroupDiscoveryList` whose own server did not answer."""
    return [
        (_name(group), version["version"])
        for group in document.get("items") or []
        for version in group.get("versions") or []
        if version.get("freshness") == "Stale"
    ]


def _name(group: Mapping[str, Any]) -> str:
    # The core group has none.
    return (group.get("metadata") or {}).get("name") or ""


def parse(document: Mapping[str, Any]) -> list[Resource]:
    """Read an `APIGroupDiscoveryList`. Raises MastodonError when the server answers in the older form."""
    if document.get("kind") != "APIGroupDiscoveryList":
        raise MastodonError(
            "API server", "is too old", "it has no aggregated discovery", "Upgrade to Kubernetes 1.30 or newer."
        )
    return [
        _resource(_name(group), version["version"], entry)
        for group in document.get("items") or []
        for version in group.get("versions") or []
        for entry in version.get("resources") or []
        # Without a kind it only holds subresources.
        if entry.get("responseKind")
    ]


def _resource(group: str, version: str, entry: Mapping[str, Any]) -> Resource:
    names = (entry.get("singularResource", ""), *(entry.get("shortNames") or []))
    kind, plural, namespaced = entry["responseKind"]["kind"], entry["resource"], entry.get("scope") == "Namespaced"
    has_status = any(below.get("subresource") == "status" for below in entry.get("subresources") or [])
    return Resource(group, version, kind, plural, namespaced, tuple(name for name in names if name), has_status)
