# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all checks of one instance share: who asks, and every answer, so that nothing is asked twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Fault, Finding
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import Trail, Visitor

Key = tuple[str, tuple[tuple[str, str], ...]]


class FoundError(Exception):
    """A check has nothing more to ask, for what it found."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Scene:
    """One look at one instance."""

    visitor: Visitor
    probed: Mapping[str, Probed]
    resolver: Resolver
    # The name of another place, and what was reached from there.
    beside: tuple[str, Mapping[str, Probed]] | None = None
    _answers: dict[Key, Future[Trail]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def target(self) -> Target:
        """What is looked at."""
        return self.visitor.target

    def look_up(self, name: str, kind: str, *, unchecked: bool = False) -> Looked:
        """Ask this machine's name server, while there is time. Raises SpentError."""
        return self.resolver.look(name, kind, unchecked=unchecked)

    def fetch(self, url: str, /, **headers: str) -> Trail:
        """Ask once, whoever asks for the same at the same time or later. Raises what `Visitor.follow` raises."""
        key = (url, tuple(sorted(headers.items())))
        with self._lock:
            known = self._answers.get(key)
            future = self._answers.setdefault(key, Future())
        if known is None:
            try:
                future.set_result(self.visitor.follow(url, **headers))
            except Exception as error:
                future.set_exception(error)
        return future.result()


@dataclass(frozen=True)
class Check:
    """One question, which is a page of the documentation: what it is about, all that can be wrong, and how it is answered.

    It `is_asked` of those targets only that have what answers it.
    """

    name: str
    about: str
    faults: tuple[Fault, ...]
    look: Callable[[Scene], Iterator[Finding]]
    is_asked: Callable[[Target], bool] = lambda _target: True
