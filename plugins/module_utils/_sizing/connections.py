# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may hold how many database connections at once: https://docs.joinmastodon.org/admin/scaling/."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.profiles import Profile
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.settings import Settings, refuse, whole_number

# One rake process with its default pool of 5, and one tootctl of 5 threads and its main one. Neither goes through a
# pooler: migrations need a session (https://docs.joinmastodon.org/admin/scaling/#pgbouncer).
_MIGRATION, _MAINTENANCE = 5, 6
# PostgreSQL keeps 3 for superusers; the operator, its exporter, a backup and an administrator share the others.
_KEPT = 10
# PostgreSQL's own default is 100 connections; each costs memory. Beyond twice that a pooler is cheaper.
_POOLER_FROM = 200
_POOLERS = 2
# A client holds a connection only during a transaction.
_CLIENTS_PER_CONNECTION = 4
_LEAST_POOL = 20


@dataclass(frozen=True)
class Pooler:
    """PgBouncer in transaction mode. The pool and the bound on clients are each instance's."""

    instances: int
    default_pool_size: int
    parameters: Mapping[str, str]

    @property
    def connections(self) -> int:
        """How many connections all instances may open."""
        return self.instances * self.default_pool_size


@dataclass(frozen=True)
class Connections:
    """What PostgreSQL must allow, through which pooler if any, and how that was worked out."""

    maximum: int
    pooler: Pooler | None
    arithmetic: tuple[str, ...]


def connections(profile: Profile, settings: Settings) -> Connections:
    """Return how many connections there may be. Raises MastodonError when fewer are allowed."""
    processes = max(1, profile.web_processes)
    web_pods, streaming_pods = _with_surge(profile.web_max_replicas), _with_surge(profile.streaming_replicas)
    web = web_pods * processes * profile.web_threads
    streaming = streaming_pods * profile.streaming_connections
    sidekiq = sum(worker.replicas * worker.concurrency for worker in profile.sidekiq_workers)
    clients = web + streaming + sidekiq
    pooler = _pooler(clients, settings)
    direct = _MIGRATION + _MAINTENANCE + _KEPT
    needed = (pooler.connections if pooler else clients) + direct
    each = ", ".join(f"{worker.name} {worker.replicas} * {worker.concurrency}" for worker in profile.sidekiq_workers)
    steps = [
        f"web: {web_pods} pods while one more starts * {processes} processes * {profile.web_threads} threads = {web}",
        f"streaming: {streaming_pods} pods while one more starts * {profile.streaming_connections} = {streaming}",
        f"sidekiq: {each} = {sidekiq}",
        *_pooling(clients, pooler),
        f"PostgreSQL: {needed - direct} + {_MIGRATION} for migrations + {_MAINTENANCE} for tootctl + {_KEPT} kept = {needed}",
    ]
    maximum = _maximum(needed, settings)
    return Connections(maximum, pooler, (*steps, f"max_connections: {maximum}"))


def _with_surge(replicas: int) -> int:
    # The chart's maxSurge of 10 %, rounded up. Sidekiq is recreated instead: it never has more pods than replicas.
    return replicas + math.ceil(replicas / 10)


def _pooler(clients: int, settings: Settings) -> Pooler | None:
    asked = settings.get("cnpg_pooler")
    wanted = clients > _POOLER_FROM if asked in (None, "") else boolean(asked)
    # What is in front of somebody else's server is theirs.
    if not wanted or settings.get("cnpg_backend") == "external":
        return None
    setting = "cnpg_pooler_parameters"
    instances = whole_number("cnpg_pooler_instances", settings.get("cnpg_pooler_instances") or _POOLERS)
    given: Mapping[str, Any] = settings.get(setting) or {}
    share = max(_LEAST_POOL, _up(clients / _CLIENTS_PER_CONNECTION / instances))
    pool = whole_number(setting, given.get("default_pool_size", share))
    # One instance may get all clients while the others start.
    bound = whole_number(setting, given.get("max_client_conn", _up(clients)))
    if bound < clients:
        raise refuse(
            setting,
            f"max_client_conn {bound} is less than the {clients} connections that Mastodon may open",
            "Remove it, or lower replicas or threads.",
        )
    parameters = {**given, "default_pool_size": pool, "max_client_conn": bound}
    return Pooler(instances, pool, {key: str(value) for key, value in parameters.items()})


def _pooling(clients: int, pooler: Pooler | None) -> list[str]:
    if not pooler:
        return []
    return [f"pooler: {clients} clients share {pooler.instances} * {pooler.default_pool_size} = {pooler.connections}"]


def _maximum(needed: int, settings: Settings) -> int:
    parameters: Mapping[str, Any] = settings.get("cnpg_cluster_parameters") or {}
    if parameters.get("max_connections") in (None, ""):
        return _up(needed)
    given = whole_number("cnpg_cluster_parameters", parameters["max_connections"])
    if given < needed:
        raise refuse(
            "cnpg_cluster_parameters",
            f"max_connections {given} is less than the {needed} that Mastodon may hold at once",
            "Remove it, or lower replicas or threads.",
        )
    return given


def _up(number: float) -> int:
    """Round up to a multiple of ten."""
    return math.ceil(number / 10) * 10
