# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must lie where in a server's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_WORDS = {bool: "true or false", dict: "an object", int: "a number", list: "a list", str: "a text"}
_NEEDED: Any = object()


class WrongShapeError(Exception):
    """An answer is not made as those of this server are; the text says where. Whoever talks to the server names it."""


def parsed(content: bytes | str) -> Any:
    """Return what a JSON text holds. Raises WrongShapeError for what is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WrongShapeError("its answer is not JSON") from error


def checked(answer: object, *path: str, kind: type[T], default: T = _NEEDED) -> T:
    """Return what lies at `path` of a JSON answer, or the `default`, if there is one, where nothing does.

    Raises WrongShapeError where nothing does, or something else than `kind`; it shows no value.
    """
    found: Any = answer
    for depth, key in enumerate(path):
        if found is None and default is not _NEEDED:
            return default
        if not isinstance(found, Mapping):
            raise WrongShapeError(f"{_place(path[:depth])} is not an object")
        found = found.get(key)
    if found is None and default is not _NEEDED:
        return default
    # To Python, true is a number too.
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise WrongShapeError(f"{_place(path)} is not {_WORDS[kind]}")
    return found


def texts(answer: object, *path: str) -> list[str]:
    """Return the list of texts at `path`, empty where nothing lies. Raises WrongShapeError."""
    found = checked(answer, *path, kind=list, default=[])
    if not all(isinstance(item, str) for item in found):
        raise WrongShapeError(f"{_place(path)} is not a list of texts")
    return found


def objects(answer: object, *path: str) -> list[dict[str, Any]]:
    """Return the list of objects at `path`, empty where nothing lies. Raises WrongShapeError."""
    found = checked(answer, *path, kind=list, default=[])
    if not all(isinstance(item, dict) for item in found):
        raise WrongShapeError(f"{_place(path)} is not a list of objects")
    return found


def pairs(answer: object, *path: str) -> dict[str, str]:
    """Return the object of nothing but texts at `path`, empty where nothing lies. Raises WrongShapeError."""
    found = checked(answer, *path, kind=dict, default={})
    if not all(isinstance(item, str) for item in found.values()):
        raise WrongShapeError(f"{_place(path)} is not an object of texts")
    return found


def _place(path: tuple[str, ...]) -> str:
    return f"{'.'.join(path)} of its answer" if path else "its answer"
