# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests are worth repeating, how often, and for how long."""

from __future__ import annotations

import random
import ssl
from contextlib import suppress
from enum import Enum
from typing import Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, parsed

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError

_ATTEMPTS = 5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_LONGEST_ASKED_FOR = 10.0
# A server that has not answered yet may be at a wrong address, or be restarted just now.
_FIRST_CONTACT = 30.0
_RETRIED = frozenset({429, 500, 502, 503, 504})
_OF_PROXIES = frozenset({502, 503, 504})
# Answered with 500 but not passing: a webhook is for the caller to judge, as it may be part of what it applies, and
# a field that does not fit the schema never will.
_LASTING = (b"failed calling webhook", b"failed to create typed patch", b"failed to convert new object")
# An API server whose etcd elects a leader, or restarts.
_ETCD = b"etcdserver:"


class Limit(Protocol):
    """How long a task may go on; `_reconcile.deadline.Deadline` is one."""

    @property
    def remaining(self) -> float:
        """Return the seconds left."""

    @property
    def is_strict(self) -> bool:
        """Whether at its end an answer that is on its way is not waited for."""


class Fate(Enum):
    """What becomes of a request that failed when it is sent again."""

    LASTS = "the same"
    SOON = "it may go well at the next attempts"
    OUTAGE = "it goes well once the server, or the way to it, is back"


def of_error(error: Exception, *, known: bool) -> Fate:
    """Return the fate of a request without an answer. `known` is whether the server has answered another before."""
    # One that never comes to an end takes as long each time.
    if isinstance(error, TimeoutError):
        return Fate.OUTAGE if known else Fate.LASTS
    # A refused or reset connection may be a restart. To urllib3 a refused connection is a kind of timeout.
    if isinstance(error, NewConnectionError) and not isinstance(error, NameResolutionError):
        return Fate.OUTAGE
    # A wrong address or certificate stays wrong, but what worked a moment ago may be cut off.
    if isinstance(error, (SSLError, ConnectTimeoutError)):
        return Fate.OUTAGE if known and not _is_distrust(error) else Fate.LASTS
    return Fate.OUTAGE if known else Fate.SOON


def of_answer(status: int, body: bytes, *, known: bool) -> Fate:
    """Return the fate of a request that was refused."""
    if status not in _RETRIED or any(words in body for words in _LASTING):
        return Fate.LASTS
    is_away = status == 429 or _ETCD in body or (status in _OF_PROXIES and not _is_of_kubernetes(body))
    return Fate.OUTAGE if known and is_away else Fate.SOON


class Retries:
    """The attempts of one request: a few in any case, and as many as there is time for while the server is away."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        self._count = 0
        self._paused = 0.0

    @property
    def are_many(self) -> bool:
        """Whether it takes so long that the user should know."""
        return self._count >= _ATTEMPTS

    def pause(self, fate: Fate, asked_for: str | None, *, known: bool) -> float | None:
        """Return the seconds until the next attempt, None when there is none. `asked_for` is a Retry-After."""
        self._count += 1
        if fate is Fate.LASTS or (self._limit and not self._limit.remaining):
            return None
        if self.are_many and not (fate is Fate.OUTAGE and self._limit and (known or self._paused < _FIRST_CONTACT)):
            return None
        pause = self._length(asked_for)
        self._paused += pause
        return min(pause, self._limit.remaining) if self._limit else pause

    def _length(self, asked_for: str | None) -> float:
        if asked_for and asked_for.isdecimal():
            return min(float(asked_for), _LONGEST_ASKED_FOR)
        # Jitter, so that the threads do not come back all at once.
        pause = _FIRST_PAUSE * float(2 ** min(self._count - 1, 5)) * random.uniform(0.5, 1.5)  # noqa: S311 no secret
        return min(pause, _LONGEST_PAUSE)


def _is_distrust(error: BaseException) -> bool:
    inner = error.args[0] if error.args else None
    return isinstance(inner, ssl.SSLCertVerificationError)


def _is_of_kubernetes(body: bytes) -> bool:
    """Whether an API server says so itself, for example of an extension of it that is away, and not a proxy before it."""
    try:
        answer = parsed(body)
    except WrongShapeError:
        return False
    return isinstance(answer, dict) and answer.get("kind") == "Status"
