# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.database_generation`: which of its Clusters the database of a Mastodon is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "namespace": {"type": "str", "required": True},
        "cluster": {"type": "str", "required": True},
        "restoring": {"type": "bool", "default": False},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, place, current, former, restoring}`. Raises MastodonError while others restore it."""
    namespace, name = parameters["namespace"], parameters["cluster"]
    found, _version = generation.read(open_objects(connect(parameters, run.environment)), namespace, name)
    if not parameters["restoring"]:
        generation.refuse_open(namespace, name, found)
    return {
        "changed": False,
        "place": f"{namespace}/{name}",
        "current": found.current or name,
        "former": found.former,
        "restoring": found.is_open,
    }


TASK = Task(ARGUMENTS, run_task)
