# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of the engine: references, desired objects and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import names

# Who applies, as metadata.managedFields shows everybody.
MANAGER = "fediverse.mastodon"
# The format of cli-utils: https://pkg.go.dev/sigs.k8s.io/cli-utils/pkg/object/dependson
DEPENDS_ON = "config.kubernetes.io/depends-on"

# Which object it is that was read, and who changed it: of no use in what is declared.
_OF_A_COPY = frozenset({"managedFields", "resourceVersion", "uid"})
# The server's own, which it passes over:
# https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/stripmeta.go
_GENERATED = frozenset({"creationTimestamp", "generation", "selfLink"})

Action = Literal["created", "configured", "unchanged", "deleted", "skipped"]


@dataclass(frozen=True, order=True)
class ObjectRef:
    """An object's identity, the same in every version of its kind."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return how people call it: `Kind namespace/name`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def reference(self) -> str:
        """Return `group/namespaces/namespace/Kind/name`, or `group/Kind/name`."""
        place = f"namespaces/{self.namespace}/" if self.namespace else ""
        return f"{self.group}/{place}{self.kind}/{self.name}"

    @classmethod
    def parse(cls, reference: str) -> ObjectRef:
        """Read a `reference`. Raises ValueError for any other text."""
        match reference.split("/"):
            case [group, "namespaces", namespace, kind, name] if namespace and kind and name:
                return cls(group, kind, namespace, name)
            case [group, kind, name] if kind and name:
                return cls(group, kind, "", name)
        raise ValueError(f"{reference!r} is not group/namespaces/namespace/Kind/name or group/Kind/name")

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> ObjectRef:
        """Return the identity of an object."""
        group, _unused, _unused = item["apiVersion"].rpartition("/")
        metadata = item["metadata"]
        return cls(group, item["kind"], metadata.get("namespace") or "", metadata["name"])


@dataclass(frozen=True)
class Desired:
    """An object as the user declares it, and the field manager that applies it."""

    subject: ObjectRef
    version: str
    body: Object
    depends_on: tuple[ObjectRef, ...] = ()
    manager: str = MANAGER

    def as_served(self, resource: Resource) -> Desired:
        """Return it without a status where the API server passes over that."""
        if "status" not in self.body or not resource.has_status:
            return self
        return replace(self, body={key: value for key, value in self.body.items() if key != "status"})


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be done, with one object.

    `changes` are in words. `before` and `after` are whole objects, None where there is none.
    """

    subject: ObjectRef
    action: Action
    changes: tuple[str, ...] = ()
    before: Object | None = None
    after: Object | None = None

    def line(self) -> str:
        """Return the line that people read."""
        message = f"{self.action} {self.subject}"
        return f"{message}: {', '.join(self.changes)}" if self.changes else message


def desired_set(documents: Iterable[Any], manager: str = MANAGER) -> tuple[Desired, ...]:
    """Check documents and return them as a set. Lists are opened, empty documents passed over.

    Raises MastodonError that names the first document that is not an object, or is there twice.
    """
    found: dict[ObjectRef, Desired] = {}
    for position, document in enumerate(_opened(documents), start=1):
        desired = replace(_desired(document, position), manager=manager)
        if desired.subject in found:
            raise MastodonError(str(desired.subject), "is in the set twice", "", "Remove one of the two.")
        found[desired.subject] = desired
    return tuple(found.values())


def _opened(documents: Iterable[Any]) -> Iterable[Any]:
    for document in documents:
        if isinstance(document, Mapping) and str(document.get("kind", "")).endswith("List") and "items" in document:
            yield from _opened(document["items"] or ())
        elif document:
            yield document


def _desired(document: Any, position: int) -> Desired:
    place = f"Document {position} of the set"
    if not isinstance(document, Mapping):
        raise MastodonError(place, "is not a Kubernetes object", f"it is {type(document).__name__}", "Check its YAML.")
    metadata = document.get("metadata")
    named = metadata.get("name") if isinstance(metadata, Mapping) else None
    if isinstance(metadata, Mapping) and not isinstance(metadata.get("namespace") or "", str):
        raise MastodonError(f"{place} ({named})", "its metadata.namespace is not text", "", "Put it in quotes.")
    for field, value in (
        ("apiVersion", document.get("apiVersion")),
        ("kind", document.get("kind")),
        ("metadata.name", named),
    ):
        if not isinstance(value, str) or not value:
            described = " ".join(str(part) for part in (document.get("kind"), named) if part)
            raise MastodonError(
                f"{place}{f' ({described})' if described else ''}",
                f"has no {field}",
                "",
                "Every object needs apiVersion, kind and metadata.name.",
            )
    subject = ObjectRef.of(document)
    parts = {"apiVersion": subject.group, "kind": subject.kind, "metadata.namespace": subject.namespace}
    names.refuse(str(subject), {**parts, "metadata.name": subject.name})
    _unused, _unused, version = document["apiVersion"].rpartition("/")
    return Desired(subject, version, _declared(document, subject), _dependencies(subject, document))


def _declared(document: Mapping[str, Any], subject: ObjectRef) -> Object:
    """Return what a user can declare; generated manifests also carry an empty creation time.

    Which kinds let an apply set a status is the cluster's to say: see Desired.as_served.

    Raises MastodonError for a copy of a live object: its version would be outdated by the first write, for good.
    """
    copied = sorted(document["metadata"].keys() & _OF_A_COPY)
    if copied:
        why = f"it has metadata.{copied[0]}"
        raise MastodonError(str(subject), "is a copy of a live object", why, f"Remove {', '.join(copied)}.")
    metadata = {key: value for key, value in document["metadata"].items() if key not in _GENERATED}
    return {**document, "metadata": metadata}


def _dependencies(subject: ObjectRef, document: Mapping[str, Any]) -> tuple[ObjectRef, ...]:
    notes = document["metadata"].get("annotations")
    text = str(notes.get(DEPENDS_ON) or "") if isinstance(notes, Mapping) else ""
    try:
        return tuple(ObjectRef.parse(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise MastodonError(str(subject), f"its annotation {DEPENDS_ON} cannot be read", str(error)) from error


@dataclass(frozen=True)
class Request:
    """What the user asks for: the set `name` and its objects, with its inventory in `namespace`.

    `owner` is whose it is, of those who may call a set the same in a namespace that they share.
    `kinds` are those that the cluster must serve already, each with the tag that provides it: see _kinds.
    """

    name: str
    namespace: str
    desired: tuple[Desired, ...]
    wait: bool = True
    prune: bool = True
    prune_allow: frozenset[str] = frozenset()
    force_conflicts: frozenset[str] = frozenset()
    manager: str = MANAGER
    owner: str = ""
    kinds: tuple[Mapping[str, str], ...] = ()
    check: bool = False
