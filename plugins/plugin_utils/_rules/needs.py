# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are needed only because of another one. This plugin util is PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def unmet(needs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each need that is not met.

    A need is a dict of `variable`, `because`, `unless` and the bool `needed`, which is true when it is not met.
    """
    return [
        f"Variable {need['variable']}: missing: {need['because']}. Set it in your inventory, or set {need['unless']}."
        for need in needs
        if need["needed"]
    ]
