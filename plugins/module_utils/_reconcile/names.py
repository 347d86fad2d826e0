# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that would be something else in an address or in the line of an inventory, such as the status of another object.

All other rules differ by kind and are the API server's to know.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
_NEVER = ("/", "%")


def refuse(about: str, parts: Mapping[str, str]) -> None:
    """Raise MastodonError when a part of an object's address, by field, cannot stand in it. `about` names the object."""
    for field, part in parts.items():
        if why := _wrong(part):
            raise MastodonError(about, f"its {field} cannot be used", f"{part!r} {why}", "Correct it.")


def _wrong(part: str) -> str:
    for sign in _NEVER:
        if sign in part:
            return f"has {sign!r} in it"
    if part in (".", ".."):
        return "is a place in every path"
    if not part.isprintable():
        return "has a character in it that cannot be seen"
    return "begins or ends with a blank" if part != part.strip() else ""
