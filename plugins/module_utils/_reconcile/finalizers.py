# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds an object that is being deleted: which finalizer, and who has to remove it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries

# Finalizers that no field manager set, or whose holder is not who set them, by what they begin with.
# https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
_HOLDERS = {
    "foregroundDeletion": "objects that it owns and that are still there",
    "kubernetes.io/pvc-protection": "a pod that uses the claim",
    "kubernetes.io/pv-protection": "the claim that uses the volume",
    "customresourcecleanup.apiextensions.k8s.io": "objects of this kind that are still there",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's load balancer controller",
}


def held(item: Mapping[str, Any]) -> str:
    """Return what holds an object, such as `finalizers.fluxcd.io of helm-controller`, empty if nothing does."""
    names = at(item, "metadata.finalizers", [])
    descriptions = [_description(name, item) for name in names] + _of_namespace(item)
    return ", ".join(descriptions)


def _description(finalizer: str, item: Mapping[str, Any]) -> str:
    holder = _HOLDERS.get(finalizer) or _setter(finalizer, item)
    return f"{finalizer} of {holder}" if holder else finalizer


def _setter(finalizer: str, item: Mapping[str, Any]) -> str:
    """Return the field manager that set a finalizer: mostly the controller's own name."""
    for entry in entries(item):
        fields = entry.get("fieldsV1") or {}
        if f'v:"{finalizer}"' in (fields.get("f:metadata", {}).get("f:finalizers") or {}):
            return str(entry.get("manager", ""))
    return ""


def _of_namespace(item: Mapping[str, Any]) -> list[str]:
    """Return what is left in a namespace that is being deleted, as the namespace controller reports it."""
    if item["kind"] != "Namespace":
        return []
    return [
        condition["message"]
        for condition in maps_at(item, "status.conditions")
        if condition.get("status") == "True" and condition.get("message")
    ]
