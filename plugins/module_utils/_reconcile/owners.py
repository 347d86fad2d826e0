# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Mastodons that call a set the same, in a namespace that they share, would prune each other's objects: found here."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef


def problem(live: Object | None, owner: str, declared: AbstractSet[ObjectRef]) -> MastodonError | None:
    """Return why the set with the inventory `live` is not `owner`'s to change, None when it is.

    Inventories of before name no owner. They are of those who declare some of what is listed.
    """
    noted = inventory.owner(live)
    if live is None or not owner or noted == owner:
        return None
    place = ObjectRef.of(live)
    called = f"Set {place.namespace}/{inventory.name(place)}"
    if noted:
        remedy = (
            "Give yours a name of its own, by mastodon_name or what the role has for it. "
            f"If that Mastodon no longer exists, remove the annotation {inventory.OWNER}."
        )
        return MastodonError(
            called, f"belongs to the Mastodon of {noted}", f"{place} says so", remedy if declared else ""
        )
    # Namespaces are in many sets, and never pruned unasked.
    listed = {subject for subject in inventory.listed(live) if subject.kind != "Namespace"}
    if not listed or listed & declared:
        return None
    why = f"{place} names no owner and lists nothing that is declared now"
    remedy = f"If it is: kubectl -n {place.namespace} annotate configmap {place.name} {inventory.OWNER}={owner}."
    return MastodonError(called, f"is not known to be of the Mastodon of {owner}", why, remedy)
