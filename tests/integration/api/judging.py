# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same pairs of manifests, applied by kubectl in one namespace and by the engine in another, and what differs then."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.body import encode
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.tests.integration.api.pairs import GROUP
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Applied, Cluster

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OF_ITS_PLACE = ("uid", "resourceVersion", "creationTimestamp", "namespace", "generation", "managedFields")
# kubectl keeps its annotation up to date, and we leave it alone; and it applies again what declares nothing but a name, of
# which the API server then thinks that somebody made it before.
_NOT_COMPARED = ("kubectl-last-applied", "kubectl-client-side-apply", "before-first-apply")
# Of all other kinds it is a controller's, or the server's.
_DECLARED_STATUS = ("pairs",)


def crd(kind: str, *, has_status: bool) -> Object:
    """Return a kind of every sort of list and map."""
    text: Object = {"type": "string"}
    item = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": text, "value": text, "enabled": {"type": "boolean"}},
    }
    port = {
        "type": "object",
        "required": ["port"],
        "properties": {
            "port": {"type": "integer"},
            "protocol": {**text, "default": "TCP"},
            "weight": {"type": "integer", "default": 1},
        },
    }
    free: Object = {"x-kubernetes-preserve-unknown-fields": True}
    properties = {
        "keyed": _list(item, "map", ["name"]),
        "ports": _list(port, "map", ["port", "protocol"]),
        "set": _list(text, "set"),
        "numbers": _list({"type": "integer"}, "set"),
        "atomic": _list(text, "atomic"),
        "whole": {"type": "object", "additionalProperties": text, "x-kubernetes-map-type": "atomic"},
        "either": {"x-kubernetes-int-or-string": True},
        "ratio": {"type": "number"},
        "large": {"type": "integer", "format": "int64"},
        "absent": {**text, "nullable": True},
        "withDefault": {**text, "default": "default"},
        "nested": {
            "type": "object",
            "properties": {"flag": {"type": "boolean", "default": True}, "deeper": {"type": "object", **free}},
        },
        "free": free,
    }
    status = {"type": "object", "properties": {"phase": text}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}, "status": status}}
    plural = f"{kind.lower()}s"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{**version, **({"subresources": {"status": {}}} if has_status else {})}],
        },
    }


def _list(items: Object, sort: str, keys: list[str] | None = None) -> Object:
    marks = {"x-kubernetes-list-type": sort, **({"x-kubernetes-list-map-keys": keys} if keys else {})}
    return {"type": "array", "items": items, **marks}


@dataclass(frozen=True)
class Side:
    """One of the two namespaces, which objects were refused in it, and what the engine said."""

    cluster: Cluster
    kubectl: str
    namespace: str
    refused: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def by_kubectl(self, objects: Iterable[Object], *options: str) -> None:
        """Apply by kubectl."""
        placed = [self.placed(one) for one in objects]
        if not placed:
            return
        command = [
            self.kubectl,
            f"--kubeconfig={self.cluster.kubeconfig}",
            "apply",
            "--filename=-",
            "--output=name",
            *options,
        ]
        # As one document each, since kubectl refuses a whole list for one of its items.
        text = "\n---\n".join(encode(one, "").decode() for one in placed)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=600)
        applied = {line.split("/", 1)[1] for line in done.stdout.splitlines()}
        self.refused.update({name_of(one): done.stderr for one in placed if name_of(one) not in applied})

    def by_us(self, objects: Iterable[Object], forced: Iterable[str] = ()) -> Applied:
        """Apply by the engine. What it refuses is left out, until it takes all others."""
        placed = {f"{one['kind']} {self.namespace}/{name_of(one)}": self.placed(one) for one in objects}
        force = [subject for subject, one in placed.items() if name_of(one) in forced]
        while True:
            options: dict[str, Any] = {"namespace": self.namespace, "wait": False, "prune": False}
            applied = self.cluster.apply(
                *placed.values(), force_conflicts=[one for one in force if one in placed], **options
            )
            self.lines.extend(applied.lines)
            lines = applied.result.get("msg", "").splitlines()
            wrong = {subject: line for line in lines for subject in placed if line.startswith(f"{subject}:")}
            assert bool(wrong) == bool(lines), lines
            if not wrong:
                return applied
            self.refused.update({name_of(placed.pop(subject)): line for subject, line in wrong.items()})

    def placed(self, item: Object) -> Object:
        """Return an object as it is declared in this namespace."""
        placed = copy.deepcopy(item)
        placed["metadata"]["namespace"] = self.namespace
        return placed

    def live(self, plurals: Mapping[str, str]) -> dict[str, Object]:
        """Return all objects, made comparable, by kind and name. `plurals` are those of kinds, by the path of their group."""
        found = {}
        for plural, group in plurals.items():
            listing = self.cluster.get(f"/{group}/namespaces/{self.namespace}/{plural}")
            items = [one for one in listing["items"] if not name_of(one).startswith(("fediverse.mastodon.", "kube-"))]
            has_status = plural not in _DECLARED_STATUS
            found |= {f"{plural} {name_of(one)}": normal(one, has_status=has_status) for one in items}
        return found


def name_of(item: Object) -> str:
    name: str = item["metadata"]["name"]
    return name


def normal(item: Object, *, has_status: bool) -> Object:
    """Return an object without what is of its place and time, and with who owns what but not under which name."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _OF_ITS_PLACE}
    notes = {key: value for key, value in metadata.pop("annotations", {}).items() if key != _LAST_APPLIED}
    shown = {key: value for key, value in item.items() if key != "status" or not has_status}
    return {**shown, "metadata": {**metadata, **({"annotations": notes} if notes else {})}, "owned": _owned(item)}


def _owned(item: Object) -> list[str]:
    entries = item["metadata"].get("managedFields") or []
    return sorted(
        json.dumps([entry["operation"], entry.get("subresource", ""), entry["fieldsV1"]], sort_keys=True)
        for entry in entries
        if entry["manager"] not in _NOT_COMPARED
    )


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield where two trees differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) is None and other.get(key) in ({}, []):
                # An apply that empties a map or list may lose it, until the next one. We apply once more, kubectl does not.
                continue
            if key not in one or key not in other:
                yield f"{path}.{key}", f"only {'the second' if key in other else 'the first'} has it"
            else:
                yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from differences(first, second, f"{path}[{place}]")
    elif json.dumps(one) != json.dumps(other):
        yield path, f"{one!r} and {other!r}"
