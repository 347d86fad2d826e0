# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps how a rehearsal ended, whichever way it did, so that nobody relies on one before it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import major
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record, window
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now


@dataclass(frozen=True)
class Keeper:
    """That of one Cluster. `target` is the time that was asked for, `image` what it is imported by, of which the record is another one."""

    api: Api
    namespace: str
    cluster: str
    target: datetime | None
    run: Run
    image: str = ""

    @property
    def _book(self) -> Book:
        place = (major if self.image else record).place_of(self.namespace, self.cluster)
        return Book(self.api, place, f"Cluster {self.namespace}/{self.cluster}", self.run)

    def failing(self) -> AbstractContextManager[None]:
        """Keep what it fails by; but after its Lease was lost the record is another run's."""
        return self._book.failing(lambda why: asdict(self._made(failure=why)))

    def refuse_foreign(self) -> None:
        """Raise MastodonError when a record could not be kept, as what has its name is somebody's."""
        self._book.refuse_foreign()

    def keep(self, **found: str) -> Record:
        """Write how it ended, unless this is only a check, and return it. `found` is what a Record has but times."""
        made = self._made(**found)
        self._book.keep(asdict(made))
        return made

    def _made(self, **found: str) -> Record:
        asked = window.written(self.target) if self.target else ""
        return Record(window.written(now()), asked, image=self.image, **found)


def result_of(made: Record, target: datetime | None) -> dict[str, Any]:
    """Return what the task returns of a rehearsal. Times are in seconds, None where nothing is known."""
    return {
        "asked": window.written(target) if target else "",
        "newest": made.newest,
        "rpo_seconds": int(made.rpo) if made.rpo else None,
        "rto_seconds": int(made.rto) if made.rto else None,
        "skipped": made.skipped,
        "left": made.left,
    }
