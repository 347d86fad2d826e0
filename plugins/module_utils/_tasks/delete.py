# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.delete`: what a set applied, or what is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef, Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.remove import Removal, Remover
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    cluster,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.objects import object_difference
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import ONE

ARGUMENTS = Arguments(
    options={
        "name": {"type": "str"},
        "namespace": {"type": "str"},
        "objects": {
            "type": "list",
            "elements": "dict",
            "options": ONE,
        },
        "field_manager": {"type": "str", "default": MANAGER},
        "prune_allow": {"type": "list", "elements": "str", "default": []},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        **KUBERNETES_OPTIONS,
    },
    required_together=(("name", "namespace"),),
    required_one_of=(("name", "objects"),),
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Delete. The result reports what was done also when the task failed half-way."""
    deadline = Deadline(parameters["wait_timeout"])
    objects = cluster(parameters, run, deadline)
    live = Live(objects, objects.discover())
    removal = _removal(parameters, live.catalog, run)
    remover = Remover(objects, live, removal, deadline, run.say)
    failure: dict[str, Any] = {}
    try:
        remover.run()
    except MastodonError as error:
        failure = {"failed": True, "msg": str(error)}
    done = [outcome for outcome in remover.outcomes if outcome.action in ("deleted", "configured")]
    return {
        "changed": bool(done),
        "objects": [_result(outcome) for outcome in remover.outcomes],
        "requests": objects.requests,
        **({"diff": [object_difference(outcome) for outcome in done]} if run.diff else {}),
        **failure,
    }


def _removal(parameters: Mapping[str, Any], catalog: Catalog, run: Run) -> Removal:
    name = parameters["name"]
    return Removal(
        place=inventory.subject(name, parameters["namespace"]) if name else None,
        named=frozenset(_named(Target.of(option), catalog, run) for option in parameters["objects"] or []),
        allowed=frozenset(parameters["prune_allow"]),
        manager=parameters["field_manager"],
        wait=parameters["wait"],
        check=run.check,
    )


def _named(target: Target, catalog: Catalog, run: Run) -> ObjectRef:
    resource = target.present(catalog, run.say)
    if resource is None:
        # Of a kind that is not there, there is nothing to delete.
        return ObjectRef(target.api_version.rpartition("/")[0], target.kind, target.namespace, target.name)
    target.selection(resource)
    return target.subject(resource)


def _result(outcome: Outcome) -> dict[str, Any]:
    return {"subject": str(outcome.subject), "action": outcome.action, "changes": list(outcome.changes)}


TASK = Task(ARGUMENTS, run_task)
