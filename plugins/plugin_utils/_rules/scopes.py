# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a setting may mention: what each role that reads it sees, which is its own variables and those of role common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMON = "common"


@dataclass(frozen=True)
class Scopes:
    """The variables of each role, untemplated, by the role's name."""

    roles: Mapping[str, Mapping[str, Any]]

    def of(self, name: str) -> dict[str, Any]:
        """Return the variables that whoever reads a setting sees, but for those of the inventory."""
        shared = self.roles[_COMMON]
        # A mapping is worked out entry by entry, each by the role that it is for.
        if name in shared and not isinstance(shared[name], Mapping):
            return {**shared}
        own = max((role for role in self.roles if name.startswith(f"{role}_")), key=len, default=_COMMON)
        return {**shared, **self.roles[own]}


def load(roles: Path, read: Callable[[str], Any]) -> Scopes:
    """Return what the defaults and vars of every role below the folder `roles` define; `read` loads a file."""
    found: dict[str, dict[str, Any]] = {}
    for role in sorted(path.parent.name for path in roles.glob("*/meta")):
        found[role] = {}
        for file in sorted(roles.glob(f"{role}/defaults/**/*.yml")) + sorted(roles.glob(f"{role}/vars/**/*.yml")):
            found[role] |= read(str(file)) or {}
    return Scopes(found)
