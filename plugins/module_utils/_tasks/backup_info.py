# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.backup_info`: what can be restored, and when the last backup was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.last_backup import Item, of_cluster, of_volume
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "namespace": {"type": "str", "required": True},
        "clusters": {"type": "list", "elements": "str", "default": []},
        "volumes": {"type": "list", "elements": "str", "default": []},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, backups: [...]}` for the clusters and volumes that are there."""
    objects = open_objects(connect(parameters, run.environment))
    catalog = objects.discover()

    def named(group: str, kind: str) -> dict[str, Item]:
        items = read_served(objects, catalog.preferred(group, kind), parameters["namespace"])
        return {item["metadata"]["name"]: item for item in items}

    clusters = named("postgresql.cnpg.io", "Cluster") if parameters["clusters"] else {}
    stores = named(*archive.STORE) if parameters["clusters"] else {}
    sources = named("volsync.backube", "ReplicationSource") if parameters["volumes"] else {}
    found = [
        *(of_cluster(clusters[name], stores) for name in parameters["clusters"] if name in clusters),
        *(of_volume(sources[name]) for name in parameters["volumes"] if name in sources),
    ]
    for backup in found:
        run.say(backup.line())
    return {"changed": False, "backups": [{**vars(backup)} for backup in found]}


TASK = Task(ARGUMENTS, run_task)
