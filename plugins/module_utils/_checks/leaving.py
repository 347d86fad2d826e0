# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What says whether a Mastodon can leave the federation, and how far it is.

It leaves by `SELF_DESTRUCT`: https://docs.joinmastodon.org/admin/tootctl/#self-destruct
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# What starts it, in Mastodon's environment.
VARIABLE = "SELF_DESTRUCT"
_VALUE = re.compile(rf"^\s*{VARIABLE}=(\S+)\s*$", re.MULTILINE)
# In the words of tootctl: https://github.com/mastodon/mastodon/blob/main/lib/mastodon/cli/federation.rb
_BEGUN = "already enabled"
_PENDING = re.compile(r"(\d+) accounts? (?:is|are) still pending deletion")
_SENDING, _RETRYING, _LEFT = "still being processed", "scheduled for retry", "Every deletion notice has been sent"
# Above which it waits: https://github.com/mastodon/mastodon/blob/main/app/workers/scheduler/self_destruct_scheduler.rb
_MOST_MEMORY = 0.5


@dataclass(frozen=True)
class Progress:
    """How far it is: `sentence` says it, and `left` that nothing is left to do."""

    sentence: str
    left: bool = False


def value(said: str) -> str:
    """Return what `VARIABLE` must be as `tootctl self-destruct` prints it, empty when it prints none."""
    found = _VALUE.search(said)
    return found[1] if found else ""


def progress(said: str) -> Progress | None:
    """Return how far it is as `tootctl self-destruct` says it. None when it has not begun, or says what nobody knows."""
    if _BEGUN not in said:
        return None
    if found := _PENDING.search(said):
        return Progress(f"{found[1]} accounts are still to be deleted")
    if _SENDING in said:
        return Progress("its servers are still being notified")
    if _RETRYING in said:
        return Progress("each server was notified once, and those that did not answer will be again")
    return Progress("every server that knew it was notified", left=True) if _LEFT in said else None


def refuse_full(subject: str, info: Mapping[str, Any]) -> str:
    """Return what was found well in what a Redis says of itself. Raises MastodonError for one in which Mastodon would queue nothing."""
    limits = [int(info[name]) for name in ("maxmemory", "total_system_memory") if info.get(name)]
    used = int(info["used_memory"])
    if limits and used > min(limits) * _MOST_MEMORY:
        why = f"{_mib(used)} of {_mib(min(limits))} are used, and Mastodon notifies no server while that is more than half"
        raise MastodonError(
            subject, "is too full to leave", why, "Give it more memory: dragonfly_memory, or maxmemory."
        )
    return f"{subject} is less than half full"


def refuse_without_scheduler(subject: str, pods: Iterable[Object]) -> None:
    """Raise MastodonError unless one of Sidekiq's pods works on the queue by which accounts are deleted."""
    words = (
        word
        for pod in pods
        for container in at(pod, "spec.containers", [])
        for word in [*(container.get("command") or []), *(container.get("args") or [])]
    )
    if not any(str(word).partition(",")[0] == "scheduler" for word in words):
        why = "none of Sidekiq's pods works on the queue scheduler, by which accounts are deleted"
        raise MastodonError(subject, "cannot leave", why, "Run a worker with that queue.")


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"
