# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of PostgreSQL and of the pods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.profiles import Profile
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.settings import (
    Settings,
    mebibytes,
    refuse,
    whole_number,
)

Resources = dict[str, dict[str, str]]

# A Rails backend with its cached catalogue, and one sort of the default work_mem.
_PER_CONNECTION = 10
_WORK_MEM = range(4, 65)
_MAINTENANCE_WORK_MEM = range(64, 2049)
# What https://sharpletters.net/2023/03/01/mastodon-resource-optimization and https://blog.freeradical.zone measured:
# Rails takes about 300 MiB, each Puma process as much again, each Sidekiq thread 10.
_RAILS, _THREAD, _MASTER, _STREAMING = 300, 10, 200, 128
# Dragonfly takes four fifths of its limit and ends at once with less than this for each of its threads:
# https://github.com/dragonflydb/dragonfly/blob/main/src/server/dfly_main.cc
_DRAGONFLY_THREAD = 256


@dataclass(frozen=True)
class Database:
    """PostgreSQL's memory in MiB, its parameters, and how they were worked out."""

    memory: int
    parameters: Mapping[str, str]
    arithmetic: str


def database(profile: Profile, maximum: int, settings: Settings) -> Database:
    """Return memory and parameters for `maximum` connections. Raises MastodonError when given memory is too little."""
    given: Mapping[str, Any] = settings.get("cnpg_cluster_parameters") or {}
    backends = maximum * _PER_CONNECTION
    memory = _memory(profile, backends, settings)
    # A quarter for shared buffers: https://www.postgresql.org/docs/current/runtime-config-resource.html
    shared = memory // 4
    if given.get("shared_buffers"):
        shared = mebibytes("cnpg_cluster_parameters", given["shared_buffers"])
    if shared + backends > memory:
        raise refuse(
            "cnpg_cluster_memory",
            f"{shared}Mi of shared buffers + {maximum} connections * {_PER_CONNECTION}Mi are more than {memory}Mi",
            f"Set it to {_gibibytes(shared + backends)}Gi or more.",
        )
    parameters = {
        "max_connections": str(maximum),
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "work_mem": f"{_within(_WORK_MEM, (memory - shared) // 2 // maximum)}MB",
        "maintenance_work_mem": f"{_within(_MAINTENANCE_WORK_MEM, memory // 16)}MB",
    }
    message = f"PostgreSQL memory: {shared}Mi of shared buffers + {maximum} connections * {_PER_CONNECTION}Mi, within {memory}Mi"
    return Database(memory, {**parameters, **{key: str(value) for key, value in given.items()}}, message)


def _memory(profile: Profile, backends: int, settings: Settings) -> int:
    if settings.get("cnpg_cluster_memory"):
        return mebibytes("cnpg_cluster_memory", settings["cnpg_cluster_memory"])
    return max(profile.database_memory, _gibibytes(backends * 4 / 3) * 1024)


def cache(profile: Profile, settings: Settings) -> str:
    """Return Dragonfly's memory limit. Raises MastodonError when given memory is too little for its threads."""
    given = settings.get("dragonfly_memory")
    threads = whole_number("dragonfly_threads", settings.get("dragonfly_threads") or 1)
    least = math.ceil(threads * _DRAGONFLY_THREAD * 5 / 4)
    if given and settings.get("dragonfly_backend") != "external" and mebibytes("dragonfly_memory", given) < least:
        raise refuse(
            "dragonfly_memory",
            f"four fifths of {given} are less than {threads} * {_DRAGONFLY_THREAD}Mi, with which Dragonfly starts",
            f"Set it to {least}Mi or more.",
        )
    return str(given or _quantity(max(profile.cache_memory, least)))


def web(profile: Profile) -> Resources:
    """Return requests and limits of a web pod."""
    processes = max(1, profile.web_processes)
    return resources(100 * processes, (_MASTER if profile.web_processes else 0) + _RAILS * processes + 100)


def sidekiq(threads: int) -> Resources:
    """Return requests and limits of a Sidekiq pod."""
    return resources(10 * threads, _RAILS + _THREAD * threads)


def streaming() -> Resources:
    """Return requests and limits of a streaming pod."""
    return resources(50, _STREAMING)


def resources(millicores: int, mebibytes_wanted: int, headroom: int = 2) -> Resources:
    """Return what Kubernetes takes. There is no limit on CPU: it would only make pods slow while nodes are idle."""
    return {
        "requests": {"cpu": _cpu(millicores), "memory": _quantity(mebibytes_wanted)},
        "limits": {"memory": _quantity(headroom * mebibytes_wanted)},
    }


# Webhooks write quantities in their canonical form; another one would be a change at the next run:
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
def _cpu(millicores: int) -> str:
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def _quantity(amount: int) -> str:
    return f"{amount}Mi" if amount % 1024 else f"{amount // 1024}Gi"


def _gibibytes(amount: float) -> int:
    return math.ceil(amount / 1024)


def _within(bounds: range, number: int) -> int:
    return min(max(bounds.start, number), bounds.stop - 1)
