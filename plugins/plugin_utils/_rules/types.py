# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a setting has the type that its argument spec gives it.

Ansible converts what it can: one text becomes a list, a number a text. The roles use settings as they are written, so that a text
in place of a list would be taken apart letter by letter. Only what the command line cannot give otherwise, a number or a truth
value as text, passes here; the roles convert those where they use them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import BOOLEANS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Spec


def _is_whole(value: Any) -> bool:
    return _is(int)(value) or (isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in BOOLEANS)


def _is(*kinds: type) -> Callable[[Any], bool]:
    # To Python, a truth value is a number.
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool)


# By type: what is one, and how one that is none is called.
_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "bool": (_is_truth, "is neither true nor false"),
    "dict": (_is(Mapping), "is not a mapping"),
    "float": (_is(int, float), "is not a number"),
    "int": (_is_whole, "is not a whole number"),
    "list": (_is(list), "is not a list"),
    "path": (_is(str), "is not the name of a file"),
    "raw": (lambda _value: True, ""),
    "str": (_is(str), "is not text"),
}


def mistyped(value: Any, spec: Spec, manual: str) -> str:
    """Return what is wrong with a value's type, and with those of all that is in it; an empty text when nothing is.

    `manual` is the command that explains the setting.
    """
    wanted = spec.get("type", "str")
    fits, is_not = _TYPES[wanted]
    if value is None:
        return "has no value. Give it one, or remove it."
    if not fits(value):
        return f"{_shown(value, spec)} {is_not}. {_remedy(value, spec, manual)}"
    if wanted == "list":
        return _in_list(value, spec, manual)
    return _in_mapping(value, spec, manual) if wanted == "dict" else ""


def _in_list(value: list[Any], spec: Spec, manual: str) -> str:
    element = {**spec, "type": spec.get("elements", "str")}
    for position, item in enumerate(value, start=1):
        if problem := mistyped(item, element, manual):
            return f"entry {position}: {problem}"
    return ""


def _in_mapping(value: Mapping[str, Any], spec: Spec, manual: str) -> str:
    options: Mapping[str, Spec] = spec.get("options") or {}
    for name in options.keys() & value.keys():
        if problem := mistyped(value[name], options[name], manual):
            return f"{name}: {problem}"
    errors = ArgumentSpecValidator(options).validate(value).error_messages if options else ()
    return f"{errors[0].rstrip('.')}. `{manual}` shows what it may hold." if errors else ""


def _remedy(value: Any, spec: Spec, manual: str) -> str:
    wanted = spec.get("type", "str")
    if wanted == "bool":
        return "Set it to true or false."
    if wanted == "str" and not isinstance(value, (Mapping, list)):
        return "Write it in quotes."
    if wanted == "list" and isinstance(value, str) and value and not spec.get("no_log"):
        return f"Write it as a list: {json.dumps([part.strip() for part in value.split(',')])}."
    return f"`{manual}` explains it."


def _shown(value: Any, spec: Spec) -> str:
    return "its value" if spec.get("no_log") else repr(value)
