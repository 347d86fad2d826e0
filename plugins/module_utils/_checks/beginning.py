# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database begins, empty or from what was backed up of an earlier one, and under which name it is backed up itself. Pure.

Barman keeps each server in a folder of its own, with base backups that are called after the time at which they began:
https://docs.pgbarman.org/release/3.13.0/user_guide/barman_cloud.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import window
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]
# What a bucket holds: folder of a server → times of its base backups, the oldest first.
Archives = Mapping[str, Sequence[datetime]]

_BACKUP = re.compile(r"\d{8}T\d{6}")
_AT = "cnpg_restore_at"


@dataclass(frozen=True)
class Wanted:
    """What the settings say. `server_name` is empty unless somebody chose one."""

    namespace: str
    name: str
    domain: str
    bucket: str
    server_name: str = ""
    restore_from: str = ""
    restore_at: str = ""
    begin_anew: str = ""

    def __str__(self) -> str:
        """Return how errors call the Cluster."""
        return f"Cluster {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Beginning:
    """From which server's backup a Cluster begins or began, empty for none, as of when, and what it is backed up as.

    One that was imported was so from another Cluster.
    """

    server_name: str
    restored_from: str = ""
    restored_at: str = ""
    imported_from: str = ""


def line(found: Beginning) -> str:
    """Return what people read of how a Cluster began that was restored; empty for another one."""
    if found.imported_from:
        return f"imported from Cluster {found.imported_from}"
    if not found.restored_from:
        return ""
    when = f" as of {found.restored_at}" if found.restored_at else ""
    stays = "" if found.restored_from == found.server_name else ", a folder that nothing cleans up any more"
    return f"restored from {found.restored_from}{when}{stays}"


def backup_time(folder: str) -> datetime | None:
    """Return when a base backup began, by the name of its folder; None for another folder."""
    if not _BACKUP.fullmatch(folder):
        return None
    return datetime.strptime(f"{folder}+0000", "%Y%m%dT%H%M%S%z")


def of_new(wanted: Wanted, archives: Archives, now: datetime) -> Beginning:
    """Return how a Cluster is to begin that is not there. Raises MastodonError for one that would be empty beside a backup of it."""
    if wanted.restore_from:
        _refuse_unrestorable(wanted, archives, now)
    elif wanted.begin_anew != wanted.domain:
        _refuse_empty(wanted, archives)
    chosen = wanted.server_name
    if chosen and chosen in archives:
        why = f"folder {chosen} of bucket {wanted.bucket} holds that of another database"
        remedy = "Set cnpg_backup_server_name to another name, or leave it out for a free one."
        raise MastodonError(str(wanted), f"cannot be backed up as {chosen}", why, remedy)
    name = chosen or next(name for name in _names(wanted) if name not in archives)
    at_time = window.written(window.read(wanted.restore_at, _AT)) if wanted.restore_at else ""
    return Beginning(name, wanted.restore_from, at_time if wanted.restore_from else "")


def _names(wanted: Wanted) -> Iterator[str]:
    yield wanted.name
    yield from (f"{wanted.name}-{number}" for number in count(2))


def backups_of(wanted: Wanted, archives: Archives) -> list[str]:
    """Return the servers with a backup that are this database's by their names, the one with the newest backup first."""
    own = re.compile(rf"{re.escape(wanted.name)}(-\d+)?")
    found = [name for name in archives if archives[name] and (name == wanted.server_name or own.fullmatch(name))]
    return sorted(found, key=lambda name: archives[name][-1], reverse=True)


def _refuse_empty(wanted: Wanted, archives: Archives) -> None:
    found = backups_of(wanted, archives)
    if not found:
        return
    newest = window.written(archives[found[0]][-1])
    others = f", and of {', '.join(found[1:])}" if found[1:] else ""
    raise MastodonError(
        str(wanted),
        f"would be created empty, and a backup of {found[0]} is there",
        f"bucket {wanted.bucket} has one of {newest}{others}",
        f"Set cnpg_restore_from to {found[0]} to restore it, or cnpg_begin_anew to {wanted.domain} to begin without it.",
    )


def _refuse_unrestorable(wanted: Wanted, archives: Archives, now: datetime) -> None:
    source = wanted.restore_from
    if not archives.get(source):
        known = [name for name in archives if archives[name]]
        why = f"it has those of {', '.join(known)}" if known else "it has none at all"
        remedy = "Correct cnpg_restore_from, cnpg_backup_bucket or cnpg_backup_endpoint."
        raise MastodonError(f"Bucket {wanted.bucket}", f"has no base backup of {source}", why, remedy)
    if wanted.restore_at:
        known_since = window.Window(f"The backup of {source}", archives[source][0], None, setting=_AT)
        window.refuse_outside(window.read(wanted.restore_at, _AT), known_since, now)


def of_live(cluster: Item) -> Beginning:
    """Return how a Cluster began that is there; without a server name where it is not backed up."""
    kept = archive.of_cluster(cluster, {})
    source = at(cluster, "spec.bootstrap.recovery.source", "")
    plugins = {
        one.get("name"): at(one, "plugin.parameters", {})
        for one in maps_at(cluster, "spec.externalClusters")
        if at(one, "plugin.name", "") == archive.PLUGIN
    }
    restored_from = str(plugins[source].get("serverName", source)) if source in plugins else ""
    time = str(at(cluster, "spec.bootstrap.recovery.recoveryTarget.targetTime", ""))
    return Beginning(kept.server if kept else "", restored_from, time if restored_from else "", _imported_from(cluster))


def _imported_from(cluster: Item) -> str:
    """Return the Cluster whose Service it was imported through, empty for another one."""
    source = at(cluster, "spec.bootstrap.initdb.import.source.externalCluster", "")
    hosts = [
        str(at(one, "connectionParameters.host", ""))
        for one in maps_at(cluster, "spec.externalClusters")
        if source and one.get("name") == source
    ]
    return hosts[0].partition(".")[0].removesuffix("-rw") if hosts else ""


def own_name(wanted: Wanted, cluster: Item, archives: Archives) -> str:
    """Return what a Cluster is to be backed up as that was not: where nothing is that is older than itself."""
    born = datetime.fromisoformat(cluster["metadata"]["creationTimestamp"]).astimezone(UTC)
    return next(
        name
        for name in _names(wanted)
        if name not in archives or (archives[name] and all(one >= born for one in archives[name]))
    )


def refuse_other(wanted: Wanted, cluster: Item, found: Beginning) -> None:
    """Raise MastodonError when a Cluster that is there began otherwise than is asked for now, as nothing would be restored."""
    if not wanted.restore_from:
        return
    if not found.restored_from:
        remedy = "Remove cnpg_restore_from, unless you mean another Cluster."
        raise MastodonError(
            str(wanted),
            "is there already",
            "a backup is only restored into a new one, and never over a database",
            remedy,
        )
    asked = window.written(window.read(wanted.restore_at, _AT)) if wanted.restore_at else ""
    same = (wanted.restore_from, asked) == (found.restored_from, found.restored_at)
    if not same and not at(cluster, "status.currentPrimary", ""):
        remedy = f"Nothing is in it: kubectl delete clusters.postgresql.cnpg.io -n {wanted.namespace} {wanted.name}, and run again."
        was = f"it was to be restored from {found.restored_from}{f' as of {found.restored_at}' if found.restored_at else ''}"
        raise MastodonError(str(wanted), "did not come up and is asked for otherwise now", was, remedy)
