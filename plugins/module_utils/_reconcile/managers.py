# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote which fields of an object: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER


def entries(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of `managedFields`."""
    return maps_at(item, "metadata.managedFields")


def managers(item: Mapping[str, Any]) -> set[str]:
    """Return everybody who wrote something."""
    return {manager for entry in entries(item) if (manager := at(entry, "manager", ""))}


def is_ours(item: Mapping[str, Any]) -> bool:
    """Whether this collection applied the object, for all Mastodons or for one (`<manager>/<domain>`)."""
    return any(manager == MANAGER or manager.startswith(f"{MANAGER}/") for manager in managers(item))
