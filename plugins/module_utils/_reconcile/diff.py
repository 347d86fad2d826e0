# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed, in words and as documents, with nothing secret in either."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import secrecy

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import yaml

_LONGEST_VALUE = 60
# Set by the API server on every write.
_SERVER_SIDE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
# Holds the whole object, so a Secret's data too.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET = ("data", "stringData")
_MISSING: Any = object()


def comparable(item: Object, *, status: bool = False) -> Object:
    """Return what is declared in an object: nothing that each write changes, and a `status` only where it is declared."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _SERVER_SIDE}
    return {key: value for key, value in item.items() if key != "status" or status} | {"metadata": metadata}


def changes(
    before: Object, after: Object, owners: Mapping[str, str] | None = None, *, status: bool = False
) -> tuple[str, ...]:
    """Return one phrase for each field that differs, such as `spec.instances 1 → 2`.

    `owners` names, by path, who had changed a field. `status`: it is declared too.
    """
    secret = after.get("kind") == "Secret"
    phrases = []
    for path, old, new in _differences(comparable(before, status=status), comparable(after, status=status), ""):
        hidden = path.endswith(_LAST_APPLIED) or (secret and path.startswith(_SECRET)) or secrecy.hides(path)
        phrase = f"{path} changed" if hidden else _phrase(path, secrecy.shown(old), secrecy.shown(new))
        owner = next((name for field, name in (owners or {}).items() if _is_within(path, field)), "")
        phrases.append(f"{phrase} (was changed by {owner})" if owner else phrase)
    return tuple(phrases)


def documents(before: Object | None, after: Object | None) -> tuple[str, str]:
    """Return both as YAML for a diff, empty for none. Of secret values it only shows whether they differ."""
    return _document(before, after, "before"), _document(after, before, "after")


def masked(item: Object, other: Object | None = None, side: str = "") -> Object:
    """Return a copy without secret values. With another object it shows which of them differ, on which `side`."""
    shown = copy.deepcopy(item)
    if item.get("kind") == "Secret":
        for section in _SECRET:
            _mask(shown.get(section) or {}, (other or {}).get(section) or {}, side)
    binary = shown.get("binaryData") or {}
    for name, value in binary.items():
        # Nobody reads it, and it may be a megabyte.
        binary[name] = f"{len(value)} letters, sha256 {sha256(str(value).encode()).hexdigest()[:16]}"
    annotations = shown["metadata"].get("annotations") or {}
    if _LAST_APPLIED in annotations:
        annotations[_LAST_APPLIED] = "***"
    return shown


def _document(item: Object | None, other: Object | None, side: str) -> str:
    if item is None:
        return ""
    shown = masked(comparable(item), other, side)
    if item.get("kind") != "Secret":
        shown = secrecy.shown(shown, other, side)
    text: str = yaml.safe_dump(shown, sort_keys=True, allow_unicode=True, width=120)
    return text


def _mask(values: dict[str, Any], others: Mapping[str, Any], side: str) -> None:
    for key, value in values.items():
        values[key] = "***" if others.get(key, value) == value else f"*** ({side})"


def _phrase(path: str, old: Any, new: Any) -> str:
    if old == new:
        return f"{path} changed"
    if old is _MISSING:
        return f"{path} added {_value(new)}"
    if new is _MISSING:
        return f"{path} removed"
    return f"{path} {_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _is_within(path: str, field: str) -> bool:
    """Whether `path` is `field` or below it. The API server starts its paths with a dot."""
    return f".{path}" == field or f".{path}".startswith((f"{field}.", f"{field}["))


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            below = f"{path}.{key}" if path else key
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), below)
    elif _are_named(old) and _are_named(new):
        olds, news = ({item["name"]: item for item in items} for items in (old, new))
        for name in sorted(olds.keys() | news.keys()):
            yield from _differences(olds.get(name, _MISSING), news.get(name, _MISSING), f'{path}[name="{name}"]')
        before, after = _orders(olds, news)
        if before != after:
            yield f"order of {path}", before, after
    elif old != new:
        yield path, old, new


def _orders(olds: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return in which order the old and the new list have what is in both."""
    return [name for name in olds if name in news], [name for name in news if name in olds]


def _are_named(items: Any) -> bool:
    if not isinstance(items, list) or not items:
        return False
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    return len(names) == len(items) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
