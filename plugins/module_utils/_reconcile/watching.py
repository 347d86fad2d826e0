# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches that keep what is known of objects up to date, in threads of their own.

This module util is PRIVATE to the collection.
"""

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

# The server ends a watch after this many seconds; a connection that died in silence is noticed then.
_SECONDS = 240
_PAUSE = 1.0
_LOSSES = 10
_GONE = 410
_REFUSALS = (400, 401, 403, 404)


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
        """Wait for news, at most `seconds`. Raises MastodonError when a watch is refused or lost for good."""
        try:
            error = self._news.get(timeout=seconds)
            while error is None:
                error = self._news.get_nowait()
        except queue.Empty:
            return
        raise error

    def _follow(self, selection: Selection, version: str) -> None:
        losses = 0
        while not self._ended.is_set():
            try:
                version = self._once(selection, version)
                losses = 0
            except MastodonError as error:
                losses += 1
                refused = isinstance(error, ApiError) and error.status in _REFUSALS
                if refused or losses > _LOSSES:
                    self._news.put(error)
                    return
            # Also keeps a server that ends every watch at once from being overrun.
            self._ended.wait(_PAUSE)

    def _once(self, selection: Selection, version: str) -> str:
        """Follow one watch to its end and return the version from which to go on."""
        try:
            stream = self._api.watch(selection, version, _SECONDS)
        except ApiError as error:
            if error.status != _GONE:
                raise
            return self._read_again(selection)
        self._streams[selection] = stream
        if self._ended.is_set():
            stream.stop()
        for event in stream:
            if event["type"] == "ERROR":
                # Mostly 410: too much has happened since.
                return self._read_again(selection)
            item = event["object"]
            version = item["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._known.follow(item, is_gone=event["type"] == "DELETED")
                self._news.put(None)
        return version

    def _read_again(self, selection: Selection) -> str:
        version = self._known.refresh(selection)
        self._news.put(None)
        return version
