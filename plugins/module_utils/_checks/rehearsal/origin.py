# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be restored: a CloudNativePG Cluster that the Barman plugin backs up, as its objects say it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.archive import Archive
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import Taken, Window
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of

Item = Mapping[str, Any]

# Before these an archive with a change of the primary in it was restored up to that change, without an error:
# https://github.com/cloudnative-pg/cloudnative-pg/pull/10818
_FIXED = {(1, 28): 4, (1, 29): 2, (1, 30): 0}
_OLDEST = (1, 28)
# The last part is that of a release that is not out yet.
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-?(?:alpha|beta|rc))?")


@dataclass(frozen=True)
class Origin:
    """The Cluster, and where its backups are."""

    cluster: Item = field(repr=False)
    archive: Archive
    backups: Sequence[Taken] = ()

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Cluster {self.namespace}/{self.name}"

    @property
    def namespace(self) -> str:
        """Return its namespace."""
        return str(self.cluster["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.cluster["metadata"]["name"])

    @property
    def endpoint(self) -> str:
        """Return the address of the S3 server."""
        return str(at(self.archive.store, "spec.configuration.endpointURL", ""))

    def window(self, archived: datetime | None) -> Window:
        """Return what it can be restored to; `archived` is when it last archived WAL. Raises MastodonError without a backup."""
        found = self.archive.window
        since = at(found, "firstRecoverabilityPoint", "")
        if not since:
            failed = str(at(found, "lastFailedBackupTime", ""))
            why = f"the last try failed at {failed}" if failed else f"ObjectStore {self.archive.store_name} knows none"
            remedy = f"Wait for the first: kubectl get backups.postgresql.cnpg.io -n {self.namespace}."
            raise MastodonError(str(self), "has no completed backup", why, remedy)
        return Window(str(self), _time(since), archived, self.backups)


def find(cluster: Item, stores: Mapping[str, Item], backups: Iterable[Item]) -> Origin:
    """Return the origin. Raises MastodonError for one that is not backed up by the plugin."""
    place = f"Cluster {cluster['metadata']['namespace']}/{cluster['metadata']['name']}"
    kept = archive.of_cluster(cluster, stores)
    if kept is None:
        raise MastodonError(place, "is not backed up", "", "Set cnpg_backup: true and run fediverse.mastodon.site.")
    if not kept.store:
        remedy = "Run fediverse.mastodon.site, which creates it."
        raise MastodonError(place, "cannot be restored", f"its ObjectStore {kept.store_name} does not exist", remedy)
    if not kept.server:
        # The plugin looks for them under the name of the Cluster that is restored: config.go, as in `archive`.
        why = "its backups were made without a server name, and would not be found"
        raise MastodonError(
            place, "cannot be restored", why, "Set cnpg_backup_server_name and run fediverse.mastodon.site."
        )
    return Origin(cluster, kept, sorted(_taken(cluster, backups), key=lambda one: one.ended))


def _taken(cluster: Item, backups: Iterable[Item]) -> Iterator[Taken]:
    for item in backups:
        of_it = at(item, "spec.cluster.name") == cluster["metadata"]["name"] and at(item, "spec.method") == "plugin"
        began, ended = at(item, "status.startedAt", ""), at(item, "status.stoppedAt", "")
        if of_it and at(item, "status.phase") == "completed" and began and ended:
            yield Taken(item["metadata"]["name"], _time(began), _time(ended))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def refuse_broken(origin: Origin) -> None:
    """Raise MastodonError when its WAL does not reach the archive, as whatever is restored then is old."""
    archiving = conditions_of(origin.cluster).get("ContinuousArchiving")
    if archiving and archiving.status == "False":
        namespace, name = origin.namespace, origin.name
        remedy = f"Read why: kubectl logs -n {namespace} -l cnpg.io/cluster={name} -c plugin-barman-cloud --tail=50."
        raise MastodonError(str(origin), "does not archive its WAL", archiving.text(), remedy)


def refuse_unready(origin: Origin) -> None:
    """Raise MastodonError when it does not run, as there is then nothing to compare with."""
    if not at(origin.cluster, "status.readyInstances", 0):
        why = at(origin.cluster, "status.phase", "") or "no instance of it is ready"
        remedy = "A rehearsal compares with it: bring it up first."
        raise MastodonError(str(origin), "does not run", why, remedy)


def refuse_old_operators(found: Mapping[str, str]) -> str:
    """Raise MastodonError for a CloudNativePG that restores an archive with a change of the primary short, and says nothing.

    `found` is what runs, with its version. Returns what could not be checked, and why; empty when all is new enough.
    """
    for place, version in found.items():
        if _is_old(version):
            why = f"it is {version}, which restores only up to the last change of the primary, without an error"
            raise MastodonError(
                place, "is too old to restore", why, "Upgrade CloudNativePG to 1.28.4, 1.29.2, 1.30.0 or newer."
            )
    unknown = [place for place, version in found.items() if not _VERSION.match(version)]
    if found and not unknown:
        return ""
    why = f"{', '.join(unknown)} does not say its version" if unknown else "no Deployment of it can be seen"
    return f"whether CloudNativePG restores past a change of the primary was not checked, as {why}"


def _is_old(version: str) -> bool:
    numbers = _VERSION.match(version)
    if numbers is None:
        return False
    major, minor, patch = (int(numbers[part]) for part in (1, 2, 3))
    fixed = _FIXED.get((major, minor))
    before = fixed is not None and (patch < fixed or (patch == fixed and bool(numbers[4])))
    return (major, minor) < _OLDEST or before
