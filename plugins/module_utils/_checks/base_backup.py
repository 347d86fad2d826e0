# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A base backup that is asked for: what asks for it, how far it is, and what is kept of it. Pure, but for reading records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.archive import PLUGIN
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

Item = Mapping[str, Any]

# On what a run of ours makes; its value is the Cluster's name.
LABEL = "fediverse.mastodon/backup-of"
_DONE = "completed"
# https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/api/v1/backup_types.go
_FAILED = ("failed", "invalid backup definition")
# Phases that a Backup never leaves.
ENDED = (_DONE, *_FAILED)
_STUCK = "walArchivingFailing"
# Name of WAL, without what may follow it: of a backup's label, or of the end of a timeline.
_SEGMENT = 24


@dataclass(frozen=True)
class BaseBackup(kept.Ended):
    """The last one that was asked for."""

    backup: str = ""
    wal: str = ""
    seconds: str = ""

    def _result(self) -> str:
        return f"Backup {self.backup} was complete after {self.seconds} s, with its WAL up to {self.wal}"


def place_of(namespace: str, cluster: str) -> kept.Place:
    """Return what keeps that of a Cluster."""
    return kept.Place(namespace, f"{cluster}-backup", LABEL, cluster)


def read_all(api: Api) -> dict[tuple[str, str], BaseBackup]:
    """Return the last one of each Cluster, by namespace and name."""
    return {
        (namespace, cluster): kept.record(BaseBackup, data)
        for namespace, cluster, data in kept.read_all(api, LABEL)
        if data.get("ended")
    }


def body(namespace: str, cluster: str, now: datetime) -> dict[str, Any]:
    """Return what asks CloudNativePG for one."""
    name = f"{cluster}-now-{now:%Y%m%d%H%M%S}"
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Backup",
        "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: cluster}},
        "spec": {"cluster": {"name": cluster}, "method": "plugin", "pluginConfiguration": {"name": PLUGIN}},
    }


def unfinished(cluster: str, backups: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the one of a Cluster that an earlier run of ours began and that goes on. Raises MastodonError for somebody else's."""
    ours = None
    for item in backups:
        if at(item, "spec.cluster.name", "") != cluster or at(item, "status.phase", "") in ENDED:
            continue
        if (item["metadata"].get("labels") or {}).get(LABEL) != cluster:
            why = f"{subject(item)} began at {item['metadata']['creationTimestamp']}"
            raise MastodonError(
                f"Cluster {item['metadata']['namespace']}/{cluster}",
                "another backup of it runs",
                why,
                "Wait until it has ended.",
            )
        ours = item
    return ours


def is_complete(item: Item) -> bool:
    """Return whether it is. Raises MastodonError when it never will be."""
    phase, why = at(item, "status.phase", ""), at(item, "status.error", "")
    if phase in _FAILED:
        raise MastodonError(subject(item), "failed", why or phase, "Read the log of the plugin, and run again.")
    if phase == _STUCK:
        remedy = "Mend the archiving, and run again: it goes on with this one."
        raise MastodonError(subject(item), "waits", why or "WAL of its database does not reach the archive", remedy)
    return bool(phase == _DONE)


def end_of(item: Item) -> tuple[str, str]:
    """Return when a complete one ended, and the last WAL that it needs. Raises MastodonError when it does not say so."""
    ended, needed = at(item, "status.stoppedAt", ""), at(item, "status.endWal", "")
    if not (ended and needed):
        why = "nothing proves that it can be restored"
        raise MastodonError(subject(item), "does not say which WAL it needs", why, "Upgrade the plugin, and run again.")
    return str(ended), str(needed)


def is_archived(last: str, needed: str) -> bool:
    """Return whether the WAL that PostgreSQL archived last is the one that is needed, or a later one."""
    return last[:_SEGMENT] >= needed


def subject(item: Item) -> str:
    """Return how errors call it."""
    return f"Backup {item['metadata']['namespace']}/{item['metadata']['name']}"
