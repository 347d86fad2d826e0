# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was applied, and whether it is all there as it was: to ask is little while all pods start, to apply it again is much.

The API server itself says so: it takes a field from who applied it as soon as somebody else gives that another value
(https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mastodon_lab.cluster import api
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

# What kubectl calls itself in the lab.
FIELD_MANAGER = "mastodon-lab"


def note(lab: Lab, made_from: str, objects: Iterable[Mapping[str, Any]]) -> None:
    """Note these objects, as the API server returned them when that was applied which `made_from` stands for."""
    groups: dict[str, Mapping[str, Any]] = {}
    ours = {}
    for item in objects:
        version = item["apiVersion"]
        groups[version] = groups.get(version) or api.get_json(lab, _group(version))
        ours[_path(item, groups[version])] = _ours(item)
    write_private(_file(lab), json.dumps({"made_from": made_from, "ours": ours}))


def holds(lab: Lab, made_from: str) -> bool:
    """Whether just that was applied last, and nobody has deleted or changed anything of it since."""
    try:
        noted = json.loads(_file(lab).read_text())
        if noted["made_from"] != made_from:
            return False
        found = {path: _ours(item) for path, item in api.metadata(lab, noted["ours"])}
        return bool(found) and found == noted["ours"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, api.NotAnsweringError):
        return False


def _ours(item: Mapping[str, Any]) -> list[Any]:
    """Return which fields of an object the API server says are ours, and since when."""
    metadata = item["metadata"]
    kept = [entry for entry in metadata.get("managedFields", ()) if entry["manager"] == FIELD_MANAGER]
    return [metadata["uid"], *kept]


def _group(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _path(item: Mapping[str, Any], group: Mapping[str, Any]) -> str:
    """Return where an object is, by what the API server says of the kinds of its group."""
    plural = next(
        kind["name"] for kind in group["resources"] if kind["kind"] == item["kind"] and "/" not in kind["name"]
    )
    metadata = item["metadata"]
    within = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{_group(item['apiVersion'])}{within}/{plural}/{metadata['name']}"


def _file(lab: Lab) -> Path:
    return lab.state / "applied.json"
