# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API server's answers are made, whatever the kind. What a kind has in `spec` and `status` is its own affair.

All raise WrongShapeError.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import (
    WrongShapeError,
    checked,
    objects,
    pairs,
    texts,
)

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
_TEXTS = ("namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")


def an_object(answer: object) -> dict[str, Any]:
    """Return an object of any kind."""
    whole = checked(answer, kind=dict)
    metadata = checked(whole, "metadata", kind=dict)
    checked(metadata, "name", kind=str)
    for key in _TEXTS:
        checked(metadata, key, kind=str, default="")
    checked(metadata, "generation", kind=int, default=0)
    for key in ("labels", "annotations"):
        pairs(metadata, key)
    for key in ("ownerReferences", "managedFields"):
        objects(metadata, key)
    texts(metadata, "finalizers")
    return whole


def a_page(answer: object) -> dict[str, Any]:
    """Return a page of a list. One without items has them all the same: what has not may be anything."""
    whole = checked(answer, kind=dict)
    metadata = checked(whole, "metadata", kind=dict, default={})
    for key in ("continue", "resourceVersion"):
        checked(metadata, key, kind=str, default="")
    if "items" not in whole:
        raise WrongShapeError("its answer has no items")
    for item in objects(whole, "items"):
        an_object(item)
    return whole


def a_deletion(answer: object) -> None:
    """Accept a success, or the object as it goes."""
    checked(answer, "kind", kind=str)


def of_discovery(answer: object) -> dict[str, Any]:
    """Return an `APIGroupDiscoveryList`, or something else that says so."""
    whole = checked(answer, kind=dict)
    for group in objects(whole, "items") if whole.get("kind") == "APIGroupDiscoveryList" else ():
        checked(group, "metadata", "name", kind=str, default="")
        for version in objects(group, "versions"):
            checked(version, "version", kind=str)
            for resource in objects(version, "resources"):
                _resource(resource)
    return whole


def _resource(answer: dict[str, Any]) -> None:
    if checked(answer, "responseKind", kind=dict, default={}):
        checked(answer, "responseKind", "kind", kind=str)
    checked(answer, "resource", kind=str)
    for key in ("scope", "singularResource"):
        checked(answer, key, kind=str, default="")
    texts(answer, "shortNames")
    objects(answer, "subresources")
