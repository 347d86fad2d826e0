# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings override what of a profile, and which of them cannot be meant.

Settings are keyed by the names that users give them; None, an empty text and an empty collection mean "not given".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.profiles import (
    PROFILES,
    QUEUES,
    Profile,
    Worker,
)

Settings = Mapping[str, Any]

_WHOLE_NUMBERS = {
    "mastodon_web_replicas": "web_replicas",
    "mastodon_web_max_replicas": "web_max_replicas",
    "mastodon_web_processes": "web_processes",
    "mastodon_web_threads": "web_threads",
    "mastodon_streaming_replicas": "streaming_replicas",
    "mastodon_streaming_connections": "streaming_connections",
    "cnpg_cluster_instances": "database_instances",
}
_MAY_BE_ZERO = frozenset({"mastodon_web_processes"})
# What Helm values would override behind the sizing's back, and the setting to use instead.
_HELM_VALUES = {
    "web.replicas": "mastodon_web_replicas",
    "web.workers": "mastodon_web_processes",
    "web.minThreads": "mastodon_web_threads",
    "web.maxThreads": "mastodon_web_threads",
    "streaming.replicas": "mastodon_streaming_replicas",
    "sidekiq.workers": "mastodon_sidekiq_workers",
}
_UNITS = {"": 1 / 2**20, "k": 1e3 / 2**20, "M": 1e6 / 2**20, "G": 1e9 / 2**20, "T": 1e12 / 2**20}
_UNITS |= {"Ki": 1 / 2**10, "Mi": 1, "Gi": 2**10, "Ti": 2**20}
# It is part of a label, of which 63 characters are allowed.
_WORKER = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]i?|)B?")


def refuse(setting: str, why: str, remedy: str) -> MastodonError:
    """Return the error of one setting that does not add up with the others."""
    return MastodonError(f"Variable {setting}", "does not add up", why, remedy)


def profile(settings: Settings) -> Profile:
    """Return the profile of `mastodon_size` with what is given in its place. Raises MastodonError."""
    size = str(settings.get("mastodon_size") or "small")
    if size not in PROFILES:
        raise MastodonError(
            "Variable mastodon_size", f"{size!r} is not one of {', '.join(PROFILES)}", "", "Choose one."
        )
    given: dict[str, Any] = {
        field: whole_number(name, settings[name], least=0 if name in _MAY_BE_ZERO else 1)
        for name, field in _WHOLE_NUMBERS.items()
        if settings.get(name) not in (None, "")
    }
    if settings.get("mastodon_sidekiq_workers"):
        given["sidekiq_workers"] = _workers(settings["mastodon_sidekiq_workers"])
    if settings.get("cnpg_cluster_storage_size"):
        given["database_storage"] = str(settings["cnpg_cluster_storage_size"])
    found = replace(PROFILES[size], **given)
    _check_scaling(found, settings)
    _check_queues(found.sidekiq_workers)
    _check_helm_values(found, settings.get("mastodon_values") or {})
    # Whoever asks for more web pods than the size scales to, and names no bound, wants a fixed number.
    return replace(found, web_max_replicas=max(found.web_replicas, found.web_max_replicas))


def whole_number(setting: str, value: object, least: int = 1) -> int:
    """Return a setting as a number. Raises MastodonError when it is none, or less than `least`."""
    text = str(value)
    if not text.isdecimal() or int(text) < least:
        raise refuse(setting, f"{text!r} is not a whole number from {least} on", f"Write it like {least}.")
    return int(text)


def mebibytes(setting: str, text: object) -> int:
    """Return a quantity of Kubernetes (`2Gi`) or PostgreSQL (`512MB`), in MiB. PostgreSQL's MB and GB are binary."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if not found:
        raise refuse(setting, f"{str(text)!r} is not an amount of memory", "Write it like 2Gi.")
    number, unit = found.groups()
    binary = f"{unit.upper()}i" if str(text).strip().endswith("B") and unit and not unit.endswith("i") else unit
    return int(float(number) * _UNITS[binary])


def _workers(given: Sequence[Mapping[str, Any]]) -> tuple[Worker, ...]:
    try:
        return tuple(
            Worker(
                str(one["name"]), int(one.get("replicas") or 1), int(one["concurrency"]), tuple(map(str, one["queues"]))
            )
            for one in given
        )
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(
            "mastodon_sidekiq_workers",
            "an entry is incomplete",
            "Write each like {name: push, replicas: 1, concurrency: 25, queues: [push]}.",
        ) from error


def _check_scaling(found: Profile, settings: Settings) -> None:
    if settings.get("mastodon_web_max_replicas") and found.web_max_replicas < found.web_replicas:
        raise refuse(
            "mastodon_web_max_replicas",
            f"{found.web_max_replicas} is less than the {found.web_replicas} web pods to start with",
            "Raise it, or lower mastodon_web_replicas.",
        )


def _check_queues(workers: tuple[Worker, ...]) -> None:
    setting = "mastodon_sidekiq_workers"
    for name, times in Counter(worker.name for worker in workers).items():
        if times > 1:
            raise refuse(setting, f"{times} workers are called {name}", "Give each a name of its own.")
    for worker in workers:
        if not _WORKER.fullmatch(worker.name):
            why = f"{worker.name!r} is not a name that a Deployment may end with"
            raise refuse(setting, why, "Use small letters, digits and dashes, at most 50.")
        if worker.concurrency < 1 or worker.replicas < 1:
            raise refuse(setting, f"{worker.name} has no threads or no replicas", "Give it one or more of each.")
        for queue in worker.names:
            if queue not in QUEUES:
                raise refuse(setting, f"{worker.name} serves {queue}", f"Choose of {', '.join(QUEUES)}.")
    served = {queue for worker in workers for queue in worker.names}
    if unserved := [queue for queue in QUEUES if queue not in served]:
        raise refuse(
            setting, f"no worker serves {', '.join(unserved)}, whose jobs would pile up", "Add it to a worker's queues."
        )
    # The chart's own guard misses `scheduler,1` and the same queue in two workers.
    schedulers = [worker for worker in workers if "scheduler" in worker.names]
    if sum(worker.replicas for worker in schedulers) != 1:
        names = ", ".join(f"{worker.name} ({worker.replicas})" for worker in schedulers)
        raise refuse(
            setting,
            f"scheduler is served by {names}, and two schedulers run every periodic job twice",
            "Leave it to one worker with one replica.",
        )


def _check_helm_values(found: Profile, values: Settings) -> None:
    """Refuse Helm values that change what was counted. DB_POOL is the size of each process's own pool."""
    for path, setting in _HELM_VALUES.items():
        if at(values, f"mastodon.{path}") is not None:
            raise refuse(
                "mastodon_values", f"mastodon.{path} would not be counted", f"Remove it and set {setting} instead."
            )
    shared = at(values, "mastodon.extraEnvVars.DB_POOL")
    threads = {"web": found.web_threads, "sidekiq": max(worker.concurrency for worker in found.sidekiq_workers)}
    for part, wanted in threads.items():
        pool = at(values, f"mastodon.{part}.extraEnvVars.DB_POOL") or shared
        if pool and whole_number("mastodon_values", pool) < wanted:
            raise refuse(
                "mastodon_values",
                f"DB_POOL {pool} is less than the {wanted} threads of {part}, which would wait for each other",
                "Remove it: each process's pool is as large as its threads.",
            )
    if shared or at(values, "mastodon.streaming.extraEnvVars.DB_POOL"):
        raise refuse(
            "mastodon_values",
            "DB_POOL of streaming would not be counted",
            "Set mastodon_streaming_connections instead.",
        )
