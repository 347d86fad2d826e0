# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values at dotted paths of what others wrote: objects of the cluster, Helm values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(item: Any, path: str, default: Any = None) -> Any:
    """Return the value at a dotted path of maps, or `default` where there is none, or one of another type than `default`.

    Whoever defines a kind decides what its objects look like.
    """
    for key in path.split("."):
        if not isinstance(item, Mapping) or item.get(key) is None:
            return default
        item = item[key]
    return item if default is None or isinstance(item, _alike(default)) else default


def _alike(default: Any) -> type | tuple[type, ...]:
    if isinstance(default, Mapping):
        return Mapping
    # To Python, a truth value is a number.
    return (int, float) if isinstance(default, int) and not isinstance(default, bool) else type(default)


def maps_at(item: Any, path: str) -> list[Mapping[str, Any]]:
    """Return the maps in the list at a dotted path, and nothing else that is in it."""
    return [entry for entry in at(item, path, []) if isinstance(entry, Mapping)]
