# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.apply`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import forced
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.engine import Engine
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import (
    MANAGER,
    Desired,
    Outcome,
    Request,
    desired_set,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import (
    Kind,
    kinds_when_ready,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    cluster,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.objects import object_difference
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    DEPENDS_ON_OPTION,
    KINDS_OPTION,
)

ARGUMENTS = Arguments(
    options={
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "objects": {"type": "list", "elements": "dict", "default": []},
        "templates": {"type": "list", "elements": "str", "default": []},
        "manifests": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "url": {"type": "str"},
                "path": {"type": "path"},
                "checksum": {"type": "str"},
                "without_labels": {"type": "list", "elements": "str", "default": []},
            },
            "mutually_exclusive": [["url", "path"]],
            "required_one_of": [["url", "path"]],
        },
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        "prune": {"type": "bool", "default": True},
        "prune_allow": {"type": "list", "elements": "str", "default": []},
        "force_conflicts": {"type": "list", "elements": "str", "default": []},
        "field_manager": {"type": "str", "default": MANAGER},
        "owner": {"type": "str", "default": ""},
        "kinds": KINDS_OPTION,
        "depends_on": DEPENDS_ON_OPTION,
        **KUBERNETES_OPTIONS,
    }
)

_WRITTEN = ("created", "configured", "deleted")


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Bring the objects of `parameters` to their declared state. Templates and manifests are in `objects` already.

    The result reports what was done also when the task failed half-way.
    """
    desired = desired_set(parameters["objects"], parameters["field_manager"])
    deadline = Deadline(parameters["wait_timeout"])
    objects = cluster(parameters, run, deadline)
    depends_on = parameters["depends_on"] if desired else []
    catalog = kinds_when_ready(depends_on, _kinds(parameters, desired), objects, deadline, run)
    engine = Engine(objects, catalog, _request(parameters, run, desired), deadline, run.say)
    failure: dict[str, Any] = {}
    try:
        engine.run()
    except MastodonError as error:
        failure = {"failed": True, "msg": str(error)}
    outcomes = list(engine.outcomes.values())
    written = [outcome for outcome in outcomes if outcome.action in _WRITTEN]
    results = [_result(engine, outcome) for outcome in outcomes]
    return {
        "changed": bool(written),
        # Ansible prints a failed task's result whole: only what is wrong belongs there.
        "objects": [one for one in results if one["status"] != "Current"] if failure else results,
        "requests": objects.requests,
        **({"diff": [object_difference(outcome) for outcome in written]} if run.diff else {}),
        **failure,
    }


def _kinds(parameters: Mapping[str, Any], desired: tuple[Desired, ...]) -> set[Kind]:
    """Return the kinds of the objects, and those that the option names."""
    named = ((*one["api_version"].rpartition("/")[::2], one["kind"]) for one in parameters["kinds"])
    return {*named, *((item.subject.group, item.version, item.subject.kind) for item in desired)}


def _request(parameters: Mapping[str, Any], run: Run, desired: tuple[Desired, ...]) -> Request:
    return Request(
        name=parameters["name"],
        namespace=parameters["namespace"],
        desired=desired,
        wait=parameters["wait"],
        prune=parameters["prune"],
        prune_allow=frozenset(parameters["prune_allow"]),
        force_conflicts=forced.read(parameters["force_conflicts"], [item.subject for item in desired]),
        manager=parameters["field_manager"],
        owner=parameters["owner"],
        kinds=tuple(parameters["kinds"]),
        check=run.check,
    )


def _result(engine: Engine, outcome: Outcome) -> dict[str, Any]:
    return {
        "subject": str(outcome.subject),
        "action": outcome.action,
        "status": engine.verdict(outcome.subject),
        "changes": list(outcome.changes),
    }


TASK = Task(ARGUMENTS, run_task)
