# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as kubectl reads it: numbers of YAML 1.2, `12:30` and dates as text, keys as text, nothing that JSON does not have.

Rules: https://github.com/kubernetes-sigs/yaml (goyaml.v2/resolve.go), which keeps the booleans of YAML 1.1, such as `yes`
and `n`. Two are stricter here: a tag that is unknown to YAML is an error, where kubectl passes over it, and so changes
what `!=` and `!vault` mean.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Hashable
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **{f"{sign}.{word}": math.inf for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# What may begin something else than a text.
_HINTS = frozenset("0123456789+-.~yYnNtTfFoO<")
_INTEGERS = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[oO]?[0-7]+"), 8),
    (re.compile(r"[-+]?0[bB][01]+"), 2),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_TYPES = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}
# In the writing of the pairs that JSON makes of what is beyond the basic plane, and YAML does not know.
_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_HALF = re.compile("[\ud800-\udfff]")


def value_of(text: str) -> Any:
    """Return what a scalar without quotes and tag is."""
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    # After a point alone, an underscore must stand between digits.
    number = _number(_BETWEEN_DIGITS.sub("", text) if text[0] == "." else text.replace("_", ""))
    return text if number is None else number


def _number(text: str) -> int | float | None:
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(text):
            digits = re.sub("^([-+]?)0[xXoObB]", r"\1", text)
            number = int(digits, base)
            if _SMALLEST <= number <= _LARGEST:
                return number
    if not _FLOAT.fullmatch(text) or math.isinf(float(text)):
        return None
    # JSON does not distinguish 1.0 from 1, and the API server takes it for a whole number.
    real = float(text)
    return int(real) if real.is_integer() and _SMALLEST <= real <= _LARGEST else real


class _Kubectl:
    """What a loader of PyYAML does otherwise. Mixed into the fast one, and into the one that reads surrogate pairs."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node that has none."""
        if kind is ScalarNode and implicit[0]:
            return f"{_TAG}merge" if value == "<<" else f"{_TAG}{_TYPES[type(value_of(value))]}"
        return _TAG + {ScalarNode: "str", SequenceNode: "seq", MappingNode: "map"}[kind]


def _scalar(wanted: str) -> Any:
    def construct(loader: Any, node: Node) -> Any:
        value = value_of(_text(loader, node))
        found = _TYPES[type(value)]
        if found != wanted and (found, wanted) != ("int", "float"):
            raise ConstructorError(None, None, f"what is tagged as {wanted} is not valid", node.start_mark)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConstructorError(None, None, "JSON has no such number", node.start_mark)
        return value

    return construct


def _text(loader: Any, node: Node) -> str:
    text: str = loader.construct_scalar(node)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16") if _HALF.search(text) else text
    except UnicodeDecodeError as error:
        why = "a text has half of a surrogate pair, which is not a character"
        raise ConstructorError(None, None, why, node.start_mark) from error


def _binary(loader: Any, node: Node) -> str:
    try:
        return base64.b64decode(_text(loader, node), validate=False).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise ConstructorError(None, None, "what is tagged as binary is not base64", node.start_mark) from error


def _mapping(loader: Any, node: Node) -> Any:
    fields: dict[str, Any] = {}
    yield fields
    loader.flatten_mapping(node)
    for key, value in node.value:
        fields[_key(loader.construct_object(key, deep=True), key)] = loader.construct_object(value, deep=True)


def _key(key: Hashable, node: Node) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int, float)):
        return str(key)
    raise ConstructorError(None, None, "a key is neither text nor number", node.start_mark)


def _list(loader: Any, node: Node) -> Any:
    items: list[Any] = []
    yield items
    items.extend(loader.construct_sequence(node, deep=True))


def _loader(base: type[Any]) -> type[Any]:
    made: Any = type("_Loader", (_Kubectl, base), {"yaml_constructors": {}})
    for name in ("null", "bool", "int", "float"):
        made.add_constructor(_TAG + name, _scalar(name))
    for name in ("str", "timestamp", "merge"):
        made.add_constructor(_TAG + name, _text)
    for name in ("map", "set"):
        made.add_constructor(_TAG + name, _mapping)
    for name in ("seq", "omap", "pairs"):
        made.add_constructor(_TAG + name, _list)
    made.add_constructor(f"{_TAG}binary", _binary)
    made.add_constructor(None, yaml.constructor.SafeConstructor.construct_undefined)
    loader: type[Any] = made
    return loader


_PURE = _loader(yaml.SafeLoader)
_FAST = _loader(yaml.CSafeLoader) if yaml.__with_libyaml__ else _PURE


def documents(text: str) -> list[Any]:
    """Return all documents of `text`. Raises yaml.YAMLError."""
    return list(yaml.load_all(text, Loader=_PURE if _SURROGATE.search(text) else _FAST))
