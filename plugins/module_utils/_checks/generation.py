# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of its Clusters the database of a Mastodon is, once one was restored beside another. Pure, but for reading the record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

Item = Mapping[str, Any]

# Its value is the name that the settings give the Cluster, which is that of the first.
LABEL = "fediverse.mastodon/generation-of"
AGAIN = "ansible-playbook -i inventories/mine fediverse.mastodon.restore"
IMPORT = "ansible-playbook -i inventories/mine fediverse.mastodon.database_major"


@dataclass(frozen=True)
class Generation(kept.Begun):
    """`current` is the Cluster that is the database, or is to be; `former` the one before it, which is kept.

    `ended` is of the change from one to the other; `emptied` is when queues and caches were, empty as long as they were not. `asked` is the
    time that was restored to, empty for the newest, `base` the Backup that it begins from, as far as one is known. One that goes `back` was
    there before. One with an `image` is not restored but imported from the former by that PostgreSQL, and nothing has to be emptied for it.
    `run` is the one that is at it, `suspended` whether scheduled backups were.
    """

    current: str = ""
    former: str = ""
    restored_from: str = ""
    asked: str = ""
    back: str = ""
    image: str = ""
    emptied: str = ""
    seconds: str = ""
    failure: str = ""
    base: str = ""
    suspended: str = ""
    run: str = ""

    def what(self) -> str:
        """Return in words what is, or was, done."""
        if self.back:
            return f"going back from Cluster {self.former} to {self.current}"
        if self.image:
            return f"importing Cluster {self.former} into Cluster {self.current} by {self.image}"
        when = f" as of {self.asked}" if self.asked else ""
        base = f", from Backup {self.base}" if self.base else ""
        return f"restoring the backup of {self.restored_from}{when} into Cluster {self.current}{base}"

    @property
    def command(self) -> str:
        """Return what goes on with it."""
        return IMPORT if self.image else AGAIN

    def line(self) -> str:
        """Return what people read, without when."""
        if self.is_open:
            return f"{self.what()} has not ended{f': {self.failure}' if self.failure else ''}"
        return f"{self.what()} took {self.seconds} s; Cluster {self.former} is kept"


def place_of(namespace: str, cluster: str) -> kept.Place:
    """Return what keeps that of a database, by the Cluster's name in the settings."""
    return kept.Place(namespace, f"{cluster}-generation", LABEL, cluster)


def of(item: Item) -> Generation:
    """Return what an object keeps, empty for none."""
    return kept.record(Generation, at(item, "data", {}))


def read(api: Api, namespace: str, cluster: str) -> tuple[Generation, str]:
    """Return what is kept, and as of which version. Raises MastodonError when something of somebody's is in its place."""
    place = place_of(namespace, cluster)
    for item in api.read(place.selection).objects:
        place.refuse_foreign(item)
        return of(item), str(item["metadata"].get("resourceVersion", ""))
    return Generation(), ""


def read_all(api: Api) -> Iterator[tuple[str, Generation]]:
    """Yield what is kept of each database, with how that is called."""
    for namespace, cluster, data in kept.read_all(api, LABEL):
        if data.get("began"):
            yield f"{namespace}/{cluster}", kept.record(Generation, data)


def current(api: Api, namespace: str, cluster: str) -> str:
    """Return the Cluster that is the database which the settings call so."""
    return read(api, namespace, cluster)[0].current or cluster


def refuse_open(namespace: str, cluster: str, found: Generation) -> None:
    """Raise MastodonError while one is being changed for another, as nobody else knows how far that is."""
    if found.is_open:
        why = f"{found.what()} began at {found.began} and has not ended"
        remedy = f"Run {found.command} again with the same settings: it goes on where it stopped."
        failed = "is being imported" if found.image else "is being restored"
        raise MastodonError(f"Database {namespace}/{cluster}", failed, why, remedy)


def next_name(cluster: str, taken: Collection[str]) -> str:
    """Return what the next Cluster is called, and what it is backed up as: neither is ever used twice."""
    own = re.compile(rf"{re.escape(cluster)}-(\d+)")
    numbers = [int(match[1]) for name in taken if (match := own.fullmatch(name))]
    return next(name for number in count(max([1, *numbers]) + 1) if (name := f"{cluster}-{number}") not in taken)
