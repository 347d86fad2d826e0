# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every number of a Mastodon, from `mastodon_size` and the settings that override parts of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing import memory
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.connections import Connections, connections
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.profiles import Profile
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.settings import Settings, profile


def size(settings: Settings) -> dict[str, Any]:
    """Return `{web, values, postgresql, pooler, cache, arithmetic}`; the filter `sizing` documents them.

    Raises MastodonError with one sentence for the first setting that does not add up with the others.
    """
    found = profile(settings)
    allowed = connections(found, settings)
    database = memory.database(found, allowed.maximum, settings)
    return {
        "web": {"replicas": found.web_replicas, "max_replicas": found.web_max_replicas},
        "values": {"mastodon": _values(found)},
        "postgresql": {
            "instances": found.database_instances,
            "storage": found.database_storage,
            "parameters": dict(database.parameters),
            # As much requested as allowed: what is promised to PostgreSQL is there when a node runs full.
            "resources": memory.resources(found.database_cpu, database.memory, headroom=1),
        },
        "pooler": _pooler(allowed),
        "cache": {"memory": memory.cache(found, settings)},
        "media_copy": {"memory": f"{found.copy_memory}Mi"},
        "arithmetic": [*allowed.arithmetic, database.arithmetic],
    }


def _values(found: Profile) -> dict[str, Any]:
    """Return the chart's values below `mastodon`, of the types that it wants."""
    workers = [
        {**asdict(worker), "queues": list(worker.queues), "resources": memory.sidekiq(worker.concurrency)}
        for worker in found.sidekiq_workers
    ]
    threads = str(found.web_threads)
    return {
        "web": {
            "replicas": found.web_replicas,
            "workers": str(found.web_processes),
            "minThreads": threads,
            "maxThreads": threads,
            "resources": memory.web(found),
        },
        "streaming": {
            "replicas": found.streaming_replicas,
            "resources": memory.streaming(),
            # Here and not for all: the pools of Rails follow from their threads.
            "extraEnvVars": {"DB_POOL": str(found.streaming_connections)},
        },
        "sidekiq": {"workers": workers},
    }


def _pooler(allowed: Connections) -> dict[str, Any]:
    pooler = allowed.pooler
    return {"instances": pooler.instances, "parameters": dict(pooler.parameters)} if pooler else {}
