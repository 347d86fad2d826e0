# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of any object, from what the object itself says.

The order of the questions is that of kstatus (Apache-2.0):
https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md. It differs where kstatus says Current too
early: kinds known to report conditions are not Current before they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import (
    finalizers,
    left_out,
    rules,
    workloads,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import (
    Status,
    conditions,
    failed,
    progressing,
)

RULES = {**workloads.RULES, **rules.RULES}


def compute(item: Mapping[str, Any]) -> Status:
    """Return the status of an object as read from the API server."""
    metadata = item["metadata"]
    if metadata.get("deletionTimestamp"):
        held = finalizers.held(item)
        return progressing("Terminating", f"is being deleted{f', held by {held}' if held else ''}")
    generation = at(item, "metadata.generation", 0)
    if at(item, "status.observedGeneration", generation) != generation and not left_out.wrote_last(item):
        return _not_observed(item, generation)
    said = conditions(at(item, "status", {}), generation)
    stalled, busy = said.get("Stalled"), said.get("Reconciling")
    if stalled and stalled.status == "True" and not rules.is_asked(item):
        return failed(stalled.reason, stalled.text())
    group, _unused, _unused = item["apiVersion"].rpartition("/")
    status = RULES.get((group, item["kind"]), rules.any_kind)(item)
    if status.verdict == "Current" and busy and busy.status == "True":
        return progressing(busy.reason, busy.text())
    return status


def _not_observed(item: Mapping[str, Any], generation: int) -> Status:
    # Flux writes the generation when it is done, and meanwhile says in its conditions what it is doing, or lacks.
    said = {at(condition, "type", ""): condition for condition in maps_at(item, "status.conditions")}
    current = {kind: one for kind, one in said.items() if one.get("observedGeneration") == generation}
    ready, reconciling = current.get("Ready"), current.get("Reconciling")
    speaks = ready if ready and ready.get("status") == "False" else reconciling or ready
    if speaks:
        return progressing(at(speaks, "reason", ""), at(speaks, "message", ""))
    busy = said.get("Reconciling")
    if busy and busy.get("status") == "True":
        return progressing("Busy", f"its controller is still busy with an earlier change: {at(busy, 'message', '')}")
    return progressing("LatestGenerationNotObserved", "its controller has not seen the latest change yet")
