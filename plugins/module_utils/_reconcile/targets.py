# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as people point at them: by kind and name, or by kind and labels.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Subject


@dataclass(frozen=True)
class Target:
    """One entry of the option `objects` of the modules. Empty parts were not given."""

    kind: str
    api_version: str = ""
    namespace: str = ""
    name: str = ""
    labels: str = ""

    def __str__(self) -> str:
        """Return how errors call it."""
        place = "/".join(part for part in (self.namespace, self.name) if part)
        told = f"{self.kind} {place}".rstrip()
        return f"{told} with {self.labels}" if self.labels else told

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Target:
        """Read an entry of the option."""
        keys = ("kind", "api_version", "namespace", "name")
        return cls(**{key: option.get(key) or "" for key in keys}, labels=option.get("label_selector") or "")

    def resource(self, catalog: Catalog) -> Resource | None:
        """Return how the kind is served, None if it is not. Raises MastodonError when several groups have such a kind."""
        if self.api_version:
            group, _unused, version = self.api_version.rpartition("/")
            return catalog.find(group, version, self.kind)
        found = catalog.called(self.kind)
        if len(found) > 1:
            told = ", ".join(resource.api_version for resource in found)
            raise MastodonError(
                str(self), "is not the only kind of that name", told, "Set api_version to the one meant."
            )
        return found[0] if found else None

    def selection(self, resource: Resource) -> Selection:
        """Return what to read. Raises MastodonError when a namespace is given that cannot be, or a name without one."""
        if self.namespace and not resource.namespaced:
            raise MastodonError(str(self), "belongs to no namespace", "", "Remove namespace.")
        if self.name and resource.namespaced and not self.namespace:
            raise MastodonError(str(self), "needs a namespace", "", "Set namespace.")
        return Selection(resource, self.namespace, self.name, labels=self.labels)

    def subject(self, resource: Resource) -> Subject:
        """Return the identity of an object pointed at by name."""
        return Subject(resource.group, resource.kind, self.namespace, self.name)


def not_served(target: Target, catalog: Catalog) -> MastodonError:
    """Return the error of a kind that the cluster does not have, or not in that version."""
    group, _unused, _unused = target.api_version.rpartition("/")
    served = catalog.versions(group, target.kind) if target.api_version else ()
    only = f", only {', '.join(served)}" if served else ""
    why = f"the cluster has no kind {f'{target.api_version} ' if target.api_version else ''}{target.kind}{only}"
    return MastodonError(
        str(target), "cannot be found", why, "Correct kind and api_version, or install what brings it."
    )
