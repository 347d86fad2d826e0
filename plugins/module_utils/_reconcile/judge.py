# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of an object in this run: what the object says, and what we know besides.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Subject
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import WITHOUT_GENERATION
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Status, at, progressing

# How long a controller may take to notice a change, in seconds.
_SETTLING = 3.0


class Judge:
    """Remembers what this run changed, so as not to believe a status from before it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed: dict[Subject, float] = {}
        self._asked: dict[Subject, str] = {}

    def changed(self, subject: Subject) -> None:
        """Note that an object was written just now."""
        self._changed[subject] = self._clock()

    def asked(self, subject: Subject, token: str) -> None:
        """Note that Flux was asked, by this token, to act on an object."""
        self._asked[subject] = token

    def status(self, subject: Subject, item: Object | None) -> Status:
        """Return the status of an object as last seen; None is one that does not exist."""
        if item is None:
            return progressing("Missing", "does not exist yet")
        token = self._asked.get(subject)
        if token is not None and at(item, "status.lastHandledReconcileAt") != token:
            return progressing("Asked", "Flux has not finished what it was asked for")
        changed = self._changed.get(subject)
        without_generation = (subject.group, subject.kind) in WITHOUT_GENERATION
        if changed is not None and without_generation and self._clock() < changed + _SETTLING:
            return progressing("Settling", "its operator may not have seen the change yet")
        return compute(item)
