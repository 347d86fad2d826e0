# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of manifests at random, before and after, of all that comparing and applying is known to stumble over."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.tests.integration.api.specimens import GROUP, KINDS, ordered_pod

# What YAML, JSON or a terminal reads in a way of its own.
ODD = ("", " ", "\x00", "\u2028", "🐘", "true", "null", "1e3", "12:30", "=", "a: b", "\n\n", "'\"\\")
# kubectl sends these as they are, and the API server refuses or changes what it then reads. test_unicode.py has all of them.
_PAST_KUBECTL = re.compile("[\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# The API server takes an item whose key is null for another than the one with that key's default, and adds the latter again
# at every apply, whoever applies.
_NEVER_NULL = ("protocol",)
# What names an object; and once a ConfigMap is immutable, the API server refuses to apply an empty map a second time.
_NEVER = ("apiVersion", "kind", "metadata", "name", "immutable")
OPERATIONS = ("drop", "null", "change", "turn", "shuffle")


@dataclass(frozen=True)
class Pair:
    """An object as it is declared first and then. Meanwhile another manager may declare `other` of it.

    `by_client`: kubectl makes it without server-side apply. `forced`: what others own is taken over.
    """

    before: Object
    after: Object
    other: Object | None
    by_client: bool
    forced: bool

    @property
    def name(self) -> str:
        """The name of the object."""
        name: str = self.before["metadata"]["name"]
        return name


class Maker:
    """Makes pairs, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pair(self, name: str) -> Pair:
        """Return one, of any kind."""
        if self._random.random() < 0.05:
            return self._ordered(name)
        kind = self._random.choice(list(KINDS))
        name += self.one("", "?", "#x", " y", ",=", "é") if kind == "Role" else ""
        before = self._object(kind, name)
        return Pair(
            before,
            self._next(before, kind, name),
            self._others(before) if self._random.random() < 0.4 else None,
            by_client=self._random.random() < 0.2,
            forced=self._random.random() < 0.7,
        )

    def text(self) -> str:
        """Return any text that there is."""
        if self._random.random() < 0.3:
            return self._random.choice(ODD)
        points = (self._random.choice((0x7F, 0x2FF, 0xFFFF, 0x10FFFF)) for _unused in range(self._random.randint(1, 8)))
        found = (chr(self._random.randint(0, most)) for most in points)
        return "".join(sign for sign in found if not _PAST_KUBECTL.match(sign))

    def maybe(self, **fields: Any) -> dict[str, Any]:
        """Return some of these fields."""
        return {name: value for name, value in fields.items() if self._random.random() < 0.6}

    def some(self, *items: Any) -> list[Any]:
        """Return some of these items, in any order."""
        return self._random.sample(items, self._random.randint(0, len(items)))

    def one(self, *items: Any) -> Any:
        """Return one of these."""
        return self._random.choice(items)

    def _object(self, kind: str, name: str) -> Object:
        version, make = KINDS[kind]
        labels = self.maybe(app="x", a="1", b="")
        notes = self.maybe(note=self.text(), empty="")
        finalizers = [f"{GROUP}/{name}" for name in self.some("a", "b", "c")] if self._random.random() < 0.1 else []
        metadata = {
            "name": name,
            **self.maybe(labels=labels, annotations=notes),
            **({"finalizers": finalizers} if finalizers else {}),
        }
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **make(self)}

    def _next(self, before: Object, kind: str, name: str) -> Object:
        after = copy.deepcopy(before)
        if self._random.random() < 0.5:
            fresh = self._object(kind, name)
            for section in self.some(*sorted(fresh.keys() - {"apiVersion", "kind", "metadata"})):
                after[section] = fresh[section]
        for _unused in range(self._random.randint(0, 4)):
            self._edit(after)
        return after

    def _ordered(self, name: str) -> Pair:
        """Return one in which nothing changes but the order in one list, as nothing else must give that away."""
        before = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, **ordered_pod(self)}
        after = copy.deepcopy(before)
        pod = after["template"]["spec"]
        self.one(pod["containers"], pod["initContainers"], pod["containers"][0]["env"], pod["volumes"]).reverse()
        return Pair(before, after, None, by_client=False, forced=True)

    def _edit(self, item: Object) -> None:
        """Change something at a random place, whether or not the outcome is valid."""
        places = [place for place in _places(item) if place[1] not in _NEVER]
        if not places:
            return
        parent, key = self._random.choice(places)
        match "drop" if key in _NEVER_NULL else self._random.choice(OPERATIONS), parent[key]:
            case "drop", _:
                del parent[key]
            case "null", _:
                parent[key] = None
            case "shuffle" | "turn", list(items):
                parent[key] = items[::-1]
            case "shuffle", dict(fields):
                parent[key] = self.maybe(**fields)
            case _, bool(value):
                parent[key] = not value
            case _, int(value):
                parent[key] = value + 1
            case _, str():
                parent[key] = self.text()

    def _others(self, item: Object) -> Object:
        """Return what somebody else declares of the same object."""
        metadata = {
            "name": item["metadata"]["name"],
            "labels": self.maybe(app="y", a="1", z="z"),
            "annotations": {"other": "x"},
        }
        other = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}
        keyed = {"Pair": {"spec": {"keyed": [{"name": "b", "value": "other"}, {"name": "z"}], "set": ["z", "a"]}}}
        return {**other, **(keyed.get(item["kind"], {}) if self._random.random() < 0.5 else {})}


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a tree as what holds it and the key there."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])
