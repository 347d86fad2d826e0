# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches that keep what is known of objects up to date, in threads of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, Events

# The server ends a watch after this many seconds, the client sooner when nothing comes.
_SECONDS = 240
_PAUSE = 1.0
_REFUSALS = (400, 401, 403, 404)
# Right after its start an API server knows neither rights nor kinds that it knows a moment later.
_REFUSALS_AFTER_A_LOSS = 10
_ODD = (KeyError, TypeError, ValueError, AttributeError)


class Known(Protocol):
    """What is known of objects, and is kept up to date."""

    def follow(self, item: Object, *, is_gone: bool) -> None:
        """Take over an event of a watch."""

    def refresh(self, selection: Selection) -> str:
        """Read a selection again and return its version."""


class Watching:
    """Follows selections, each from the version in which it was read. Use as a context manager."""

    def __init__(self, api: Api, known: Known, watches: Mapping[Selection, str]) -> None:
        self._api = api
        self._known = known
        self._watches = watches
        self._news: queue.SimpleQueue[MastodonError | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._streams: dict[Selection, Events] = {}
        self._threads = [
            threading.Thread(target=self._follow, args=watch, daemon=True) for watch in self._watches.items()
        ]

    def __enter__(self) -> Watching:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for stream in list(self._streams.values()):
            stream.stop()
        for thread in self._threads:
            thread.join(timeout=_PAUSE)

    def next(self, seconds: float) -> None:
        """Wait for news, at most `seconds`. Raises MastodonError when a watch is refused."""
        try:
            error = self._news.get(timeout=seconds)
            while error is None:
                error = self._news.get_nowait()
        except queue.Empty:
            return
        raise error

    def read_again(self) -> None:
        """Read all that is followed, whatever the watches have reported. Raises MastodonError when that cannot be done."""
        for selection in self._watches:
            self._known.refresh(selection)

    def _follow(self, selection: Selection, version: str) -> None:
        """Watch from a version on, and read again whenever that ends: silence, too, may be a connection that died."""
        is_lost, refusals = False, 0
        while not self._ended.is_set():
            try:
                self._once(selection, version)
                # Also keeps a server that ends every watch at once from being overrun.
                if not self._ended.wait(_PAUSE):
                    version = self._known.refresh(selection)
                    self._news.put(None)
                    is_lost, refusals = False, 0
            except MastodonError as error:
                is_refused = isinstance(error, ApiError) and error.status in _REFUSALS
                refusals = refusals + 1 if is_refused else 0
                if refusals > (_REFUSALS_AFTER_A_LOSS if is_lost else 0):
                    self._news.put(error)
                    return
                is_lost, version = True, ""
            except _ODD:
                # An event that makes no sense; what it was about is read again.
                version = ""

    def _once(self, selection: Selection, version: str) -> None:
        """Follow one watch to its end, none without a version."""
        if not version:
            return
        stream = self._api.watch(selection, version, _SECONDS)
        self._streams[selection] = stream
        if self._ended.is_set():
            stream.stop()
        for event in stream:
            if event["type"] == "ERROR":
                # Mostly 410: too much has happened since.
                return
            if event["type"] != "BOOKMARK":
                self._known.follow(event["object"], is_gone=event["type"] == "DELETED")
                self._news.put(None)
