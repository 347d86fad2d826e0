# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps how a run ended, whichever way it did, so that nobody relies on one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.kept import Place
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LostLeaseError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run


def now() -> datetime:
    """Return the time of this machine, as records have it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Book:
    """Where the record of one subject is kept."""

    api: Api
    place: Place
    subject: str
    run: Run

    @contextmanager
    def failing(self, made: Callable[[str], Mapping[str, str]]) -> Iterator[None]:
        """Keep what it fails by, as `made` has it; but after its Lease was lost the record is another run's."""
        try:
            yield
        except LostLeaseError:
            raise
        except MastodonError as error:
            self._failed(error, made)
            raise
        except Exception as error:
            self._failed(unforeseen(self.subject, error), made)
            raise

    def _failed(self, error: MastodonError, made: Callable[[str], Mapping[str, str]]) -> None:
        try:
            self.keep(made(str(error)))
        except MastodonError as refused:
            if str(refused) != str(error):
                self.run.say(f"could not keep a record: {refused}")

    def read(self) -> Mapping[str, str]:
        """Return what is kept, empty when nothing is. Raises MastodonError when something of somebody's is in its place."""
        found = self.api.read(self.place.selection).objects
        for item in found:
            self.place.refuse_foreign(item)
        return at(found[0], "data", {}) if found else {}

    def refuse_foreign(self) -> None:
        """Raise MastodonError when a record could not be kept, as what has its name is somebody's."""
        self._write({}, dry_run=True)

    def keep(self, data: Mapping[str, str]) -> None:
        """Write how it ended, unless this is only a check."""
        if not self.run.check:
            self._write(data, dry_run=False)

    def _write(self, data: Mapping[str, str], *, dry_run: bool) -> None:
        self.read()
        self.api.apply(CONFIG_MAP, self.place.body(data), manager=MANAGER, force=False, dry_run=dry_run)
