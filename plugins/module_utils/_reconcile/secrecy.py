# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an object is shown to nobody, though it is no Secret: passwords and tokens that people write among settings.

They are recognised by what they are called. What only names a Secret, or a key of one, is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import without_logins

HIDDEN = "***"
_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|dsn$|(^|[-_])pw$|(api|access|account|private|encryption|license)[-_]?key",
    re.I,
)
_REFERENCE = re.compile(r"^existing|^service[-_]?account|^automount|ref$|names?$|(password|token)[-_]?key$", re.I)
# What is noted there is for everybody, such as fingerprints of Secrets.
_NOTES = ("annotations", "labels")
_IN_NOTES = re.compile(r"(^|\.)metadata\.(annotations|labels)\b")
_PART = re.compile(r'\[name="([^"]*)"\]|([^.\[\]]+)')


def hides(path: str) -> bool:
    """Whether what lies at a path such as `spec.env[name="TOKEN"].value` is shown to nobody."""
    if _IN_NOTES.search(path):
        return False
    hidden = named = False
    for name, key in _PART.findall(path):
        hidden, named = (hidden, bool(_SECRET.search(name))) if name else (_below(key, hidden, named), False)
    return hidden


def shown(value: Any, other: Any = None, side: str = "", *, hidden: bool = False) -> Any:
    """Return a value without secrets. With another one it says on which `side` a secret differs from it."""
    if isinstance(value, Mapping):
        named = bool(_SECRET.search(str(value.get("name", ""))))
        others = other if isinstance(other, Mapping) else {}
        return {
            key: item if key in _NOTES else shown(item, others.get(key), side, hidden=_below(str(key), hidden, named))
            for key, item in value.items()
        }
    if isinstance(value, list):
        beside = other if isinstance(other, list) and len(other) == len(value) else [None] * len(value)
        return [shown(item, one, side, hidden=hidden) for item, one in zip(value, beside, strict=True)]
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return value
    open_ = value if isinstance(value, int) else without_logins(value)
    if value == "" or (not hidden and open_ == value):
        return value
    differs = side and other is not None and other != value
    return f"{HIDDEN if hidden else open_}{f' ({side})' if differs else ''}"


def _below(key: str, hidden: bool, named: bool) -> bool:
    if key == "value":
        return hidden or named
    return not _REFERENCE.search(key) and (hidden or bool(_SECRET.search(key)))
