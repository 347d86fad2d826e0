# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps how a rehearsal ended, whichever way it did, so that nobody relies on one before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record, scratch, window
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LostLeaseError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run


def now() -> datetime:
    """Return the time of this machine, as records have it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Keeper:
    """That of one Cluster. `target` is the time that was asked for."""

    api: Api
    namespace: str
    cluster: str
    target: datetime | None
    run: Run

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Keep what it fails by; but after its Lease was lost the record is another run's."""
        try:
            yield
        except LostLeaseError:
            raise
        except MastodonError as error:
            self._failed(error)
            raise
        except Exception as error:
            self._failed(unforeseen(f"Cluster {self.namespace}/{self.cluster}", error))
            raise

    def _failed(self, error: MastodonError) -> None:
        try:
            self.keep(failure=str(error))
        except MastodonError as refused:
            if str(refused) != str(error):
                self.run.say(f"could not keep a record: {refused}")

    def refuse_foreign(self) -> None:
        """Raise MastodonError when a record could not be kept, as what has its name is somebody's."""
        self._write(self._made(), dry_run=True)

    def keep(self, **found: str) -> Record:
        """Write how it ended, unless this is only a check, and return it. `found` is what a Record has but times."""
        made = self._made(**found)
        if not self.run.check:
            self._write(made, dry_run=False)
        return made

    def _write(self, made: Record, *, dry_run: bool) -> None:
        for item in self.api.read(Selection(record.CONFIG_MAP, self.namespace, scratch.name_of(self.cluster))).objects:
            scratch.refuse_foreign(item, self.cluster)
        body = record.config_map(self.namespace, self.cluster, made)
        self.api.apply(record.CONFIG_MAP, body, manager=MANAGER, force=False, dry_run=dry_run)

    def _made(self, **found: str) -> Record:
        asked = window.written(self.target) if self.target else ""
        return Record(window.written(now()), asked, **found)
