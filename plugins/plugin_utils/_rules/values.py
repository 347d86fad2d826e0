# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the values of the settings can be meant, by their types and by what their names say they hold.

Ansible checks the types of a role's settings when that role begins; by then the roles before it have written.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.formats import malformed
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Spec
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.types import mistyped

_TEXT: Spec = {"type": "str"}


def wrong(values: Mapping[str, Any], options: Mapping[str, Spec]) -> dict[str, str]:
    """Return one sentence for each value that can't be meant, by its setting; `options` are the roles' argument specs.

    Values are templated already. A required one that is empty is missing, which others say.
    """
    found = {}
    for name in sorted(values):
        spec = options.get(name, _TEXT)
        value = values[name]
        if value in (None, "") and spec.get("required"):
            continue
        if problem := _problem(name, value, spec):
            found[name] = f"Variable {name}: {problem}"
    return found


def _problem(name: str, value: Any, spec: Spec) -> str:
    return (
        _unknown_part(value, spec)
        or mistyped(value, spec, manual(name))
        or _wrong_secret(value, spec)
        or _wrong_choice(value, spec)
        or malformed(name, value)
    )


def manual(name: str) -> str:
    """Return the command that explains a setting."""
    if role := next((role for role in _roles() if name.startswith(f"{role}_")), ""):
        return f"ansible-doc -t role fediverse.mastodon.{role}"
    return f"ansible-doc fediverse.mastodon.{'federation_check' if name.startswith('federation_') else 'apply'}"


@cache
def _roles() -> list[str]:
    return [path.parents[1].name for path in Path(__file__).parents[3].glob("roles/*/meta/main.yml")]


def _unknown_part(value: Any, spec: Spec, place: str = "") -> str:
    """Name what a mapping has that nobody reads, wherever in the value it is."""
    for item in value if isinstance(value, list) else [value]:
        options = spec.get("options") or {}
        for key, part in item.items() if isinstance(item, Mapping) and options else ():
            where = f"{place}{key}"
            if key not in options:
                close = difflib.get_close_matches(str(key), options, n=1)
                meant = f"Did you mean {place}{close[0]}?" if close else f"It may hold {', '.join(sorted(options))}."
                return f"{where} is not known. {meant}"
            if problem := _unknown_part(part, options[key], f"{where}."):
                return problem
    return ""


def _wrong_secret(value: Any, spec: Spec, place: str = "") -> str:
    """Name the secret that was pasted with a line break or the like, and never show it."""
    if not spec.get("no_log"):
        return ""
    if isinstance(value, Mapping):
        parts = (_wrong_secret(part, spec, f"{place}.{key}" if place else str(key)) for key, part in value.items())
        return next(filter(None, parts), "")
    flaw = pasted.flaw(value) if place else ""
    return f"{place} cannot be used: {flaw}. Give it without." if flaw else ""


def _wrong_choice(value: Any, spec: Spec) -> str:
    choices = [str(choice) for choice in spec.get("choices") or ()]
    for item in value if isinstance(value, list) else [value]:
        if choices and str(item) not in choices:
            close = difflib.get_close_matches(str(item), choices, n=1)
            meant = f"Did you mean {close[0]}?" if close else "Choose one of these."
            return f"{item!r} is not one of {', '.join(filter(None, choices))}. {meant}"
    return ""
