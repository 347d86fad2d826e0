# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be restored, and when the last backup was made, from what the backups' own objects say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive, backups
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions

Item = Mapping[str, Any]

# Which VolSync calls a success: https://github.com/backube/volsync/blob/v0.16.0/mover-restic/entry.sh
# Of one that runs nothing is known yet: https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/api/v1/cluster_types.go
_RUNS = "BackupStarted"
_EMPTY = "Directory is empty skipping backup"


@dataclass(frozen=True)
class Backup:
    """Of one cluster or volume. Times are RFC 3339 in UTC, empty where there is none; `trouble` is what is wrong now.

    `warnings` are what may come to be wrong.
    """

    subject: str
    last_success: str = ""
    restorable_since: str = ""
    trouble: str = ""
    warnings: str = ""

    def line(self) -> str:
        """Return what people read."""
        if not self.last_success:
            return f"{self.subject}: no backup yet{f': {self.trouble}' if self.trouble else ''}"
        since = f", can be restored to any moment since {self.restorable_since}" if self.restorable_since else ""
        last = f"{self.subject}: last backup at {self.last_success}{since}"
        return "; ".join(filter(None, (last, self.trouble, self.warnings)))


def of_cluster(cluster: Item, stores: Mapping[str, Item]) -> Backup:
    """Return the backup of a CloudNativePG Cluster; `stores` are the ObjectStores of its namespace by name."""
    subject = _subject("Cluster", cluster)
    kept = archive.of_cluster(cluster, stores)
    if kept is None:
        return Backup(subject, trouble="none is asked for")
    window = kept.window
    found = conditions(at(cluster, "status", {}), at(cluster, "metadata.generation", 0))
    troubles = [
        found[name].text()
        for name in ("ContinuousArchiving", "LastBackupSucceeded")
        if name in found and found[name].status == "False" and found[name].reason != _RUNS
    ]
    return Backup(
        subject,
        str(window.get("lastSuccessfulBackupTime", "")),
        str(window.get("firstRecoverabilityPoint", "")),
        "; ".join(troubles),
        "; ".join(_warnings(kept)),
    )


def _warnings(kept: archive.Archive) -> Iterator[str]:
    """Yield what is not wrong now. Retention is that of the present server name alone, and of a store that outlives its cluster.

    https://github.com/cloudnative-pg/plugin-barman-cloud/blob/v0.13.0/internal/cnpgi/instance/retention.go
    """
    endpoint = str(at(kept.store, "spec.configuration.endpointURL", ""))
    if endpoint and backups.is_inside(endpoint):
        yield f"its store {endpoint} is in the cluster that it must survive"
    if others := sorted({*at(kept.store, "status.serverRecoveryWindow", {})} - {kept.server}):
        yield f"nothing cleans its archives under the earlier server name {', '.join(others)}"


def of_volume(source: Item) -> Backup:
    """Return the backup of a volume, from its VolSync ReplicationSource."""
    last = at(source, "status.latestMoverStatus.result", "")
    when = str(at(source, "status.lastSyncTime", ""))
    logs = str(at(source, "status.latestMoverStatus.logs", "")).strip().splitlines()
    message = f"the last try failed: {logs[-1]}" if logs else "the last try failed"
    subject = _subject("PersistentVolumeClaim", source)
    if any(_EMPTY in line for line in logs):
        return Backup(subject, trouble=f"the volume was empty at {when}, and is not backed up while it is")
    return Backup(subject, when, "", message if last == "Failed" else "")


def _subject(kind: str, item: Item) -> str:
    return f"{kind} {item['metadata']['namespace']}/{item['metadata']['name']}"
