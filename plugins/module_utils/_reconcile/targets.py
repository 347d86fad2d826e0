# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as people point at them: by kind and name, or by kind and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import (
    Catalog,
    Resource,
    unanswered_error,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef


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
        text = f"{self.kind} {place}".rstrip()
        return f"{text} with {self.labels}" if self.labels else text

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Target:
        """Read an entry of the option."""
        keys = ("kind", "api_version", "namespace", "name")
        return cls(**{key: option.get(key) or "" for key in keys}, labels=option.get("label_selector") or "")

    def resource(self, catalog: Catalog) -> Resource | None:
        """Return how the kind is served, None if it is not. Raises MastodonError when several groups have such a kind."""
        found = catalog.called(self.kind, self.api_version)
        if len(found) > 1:
            choices = ", ".join(f"{resource.api_version} {resource.kind}" for resource in found)
            raise MastodonError(
                str(self), "is not the only kind of that name", choices, "Set api_version to the one meant."
            )
        return found[0] if found else None

    def present(self, catalog: Catalog, say: Callable[[str], None]) -> Resource | None:
        """Return how the kind is served, None when nothing of it can be there, as the cluster has nothing of its API group.

        That is said. Raises MastodonError for all else that is not served, which may be misspelt.
        """
        resource = self.resource(catalog)
        group, slash, _unused = self.api_version.rpartition("/")
        if resource is None:
            if not slash or catalog.serves(group) or catalog.group_like(group, self.kind):
                raise not_served(self, catalog)
            say(f"{self}: the cluster has no API group {group}, and so nothing of this kind")
        return resource

    def selection(self, resource: Resource) -> Selection:
        """Return what to read. Raises MastodonError when a namespace is given that cannot be, or a name without one."""
        if self.namespace and not resource.namespaced:
            raise MastodonError(str(self), "belongs to no namespace", "", "Remove namespace.")
        if self.name and resource.namespaced and not self.namespace:
            raise MastodonError(str(self), "needs a namespace", "", "Set namespace.")
        return Selection(resource, self.namespace, self.name, labels=self.labels, complete=True)

    def subject(self, resource: Resource) -> ObjectRef:
        """Return the identity of an object pointed at by name."""
        return ObjectRef(resource.group, resource.kind, self.namespace, self.name)


def not_served(target: Target, catalog: Catalog) -> MastodonError:
    """Return the error of a kind that the cluster does not have, or not in that version."""
    group, _unused, version = target.api_version.rpartition("/")
    if silent := unanswered_error(catalog, group, version):
        return silent
    called = f"{target.api_version} {target.kind}".lstrip()
    others = catalog.called(target.kind)
    served = [one for other in others for one in catalog.versions(other.group, other.kind) if other.group == group]
    only = f", only {', '.join(served)}" if served and target.api_version else ""
    near = [] if served else [other for other in others if other.group == catalog.group_like(group, target.kind)]
    near = near or list(catalog.alike(target.kind, target.api_version if catalog.serves(group) else ""))
    remedy = "Correct kind and api_version, or install what provides it."
    if near and not only:
        remedy = f"Did you mean {' or '.join(f'{one.api_version} {one.kind}' for one in near)}?"
    return MastodonError(str(target), "cannot be found", f"the cluster has no kind {called}{only}", remedy)
