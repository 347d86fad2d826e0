# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.objects_info`: objects of the cluster, and their status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diff import masked
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import managers
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    cluster,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import SELECTED

ARGUMENTS = Arguments({"objects": SELECTED, **KUBERNETES_OPTIONS})


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return the chosen objects with their status. What does not exist is left out."""
    objects = cluster(parameters, run)
    catalog = objects.discover()
    found: dict[ObjectRef, Object] = {}
    for target in map(Target.of, parameters["objects"]):
        if resource := target.present(catalog, run.say):
            found |= {ObjectRef.of(item): item for item in objects.read(target.selection(resource)).objects}
    results = [_result(subject, item) for subject, item in sorted(found.items())]
    return {"changed": False, "objects": results, "requests": objects.requests}


def _result(subject: ObjectRef, item: Object) -> dict[str, Any]:
    status = compute(item)
    return {
        "subject": str(subject),
        "status": status.verdict,
        "message": "" if status.verdict == "Current" else str(status),
        "owners": [str(owner) for owner in _owners(item)],
        "managers": sorted(managers(item)),
        "object": masked(item),
    }


def _owners(item: Object) -> list[ObjectRef]:
    """Return what an object belongs to, as its owner references say."""
    namespace = at(item, "metadata.namespace", "")
    return [
        ObjectRef(at(owner, "apiVersion", "").rpartition("/")[0], kind, namespace, name)
        for owner in maps_at(item, "metadata.ownerReferences")
        if (kind := at(owner, "kind", "")) and (name := at(owner, "name", ""))
    ]


TASK = Task(ARGUMENTS, run_task)
