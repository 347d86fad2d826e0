# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection has installed, as it is now: for people, and touching nothing.

Ours is what our field manager applied, wherever it is; no record of our own is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import (
    archive,
    base_backup,
    beginning,
    generation,
    media_copy,
    rotated,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.base_backup import BaseBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.last_backup import (
    Backup,
    of_cluster,
    of_volume,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import record as upgrade
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.record import Upgrade
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.vault_backup import VaultBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import behind, ceph_health, flux
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

Item = Mapping[str, Any]

# In the order in which site.yml installs them.
KINDS = (
    ("fluxcd.controlplane.io", "FluxInstance"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("external-secrets.io", "ExternalSecret"),
    ("cert-manager.io", "ClusterIssuer"),
    ("cert-manager.io", "Issuer"),
    ("cert-manager.io", "Certificate"),
    ("ceph.rook.io", "CephCluster"),
    ("ceph.rook.io", "CephBlockPool"),
    ("ceph.rook.io", "CephObjectStore"),
    ("objectbucket.io", "ObjectBucketClaim"),
    ("postgresql.cnpg.io", "Cluster"),
    ("postgresql.cnpg.io", "Pooler"),
    ("dragonflydb.io", "Dragonfly"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("volsync.backube", "ReplicationSource"),
    ("apps", "Deployment"),
    ("batch", "CronJob"),
)


@dataclass(frozen=True)
class Row:
    """One object of ours, or one behind a release of ours that is not as declared."""

    subject: str
    status: str
    age: str
    note: str

    def line(self) -> str:
        """Return what people read."""
        return ", ".join(
            part for part in (f"{self.subject}: {self.status}", self.age and f"{self.age} old", self.note) if part
        )


@dataclass(frozen=True)
class Scene:
    """What it takes beside an object to report on it: the time, and by namespace and name ObjectStores and what was done last of each kind."""

    now: datetime
    stores: Mapping[str, Mapping[str, Item]] = field(default_factory=dict)
    rehearsals: Mapping[tuple[str, str], Record] = field(default_factory=dict)
    backups: Mapping[tuple[str, str], BaseBackup] = field(default_factory=dict)
    upgrades: Mapping[tuple[str, str], Upgrade] = field(default_factory=dict)


def rows(objects: Api, now: datetime) -> list[Row]:
    """Return what to say of all that is ours."""
    catalog = objects.discover()
    kinds = [served for group, kind in KINDS if (served := catalog.preferred(group, kind))]
    items = [item for kind in kinds for item in objects.read(Selection(kind)).objects if is_ours(item)]
    scene = _scene(objects, catalog, items, now)
    found = []
    for item in items:
        found.append(row(item, scene))
        if item["kind"] == flux.RELEASE[1]:
            # Ready says that it was installed, and not that what it installed still runs.
            found += _behind(objects, catalog, item)
    return found


def _scene(objects: Api, catalog: Catalog, items: Iterable[Object], now: datetime) -> Scene:
    """Read what it takes for these objects, and no more."""
    kinds = {item["kind"] for item in items}
    scene = Scene(now, upgrades=upgrade.read_all(objects) if flux.RELEASE[1] in kinds else {})
    if "Cluster" not in kinds:
        return scene
    stores = _stores(objects, catalog)
    return replace(scene, stores=stores, rehearsals=record.read_all(objects), backups=base_backup.read_all(objects))


def _behind(objects: Api, catalog: Catalog, release: Object) -> list[Row]:
    try:
        return [_trouble(one) for one in behind.find_problems(objects, catalog, release)]
    except MastodonError as error:
        return [Row(f"What is behind {ObjectRef.of(release)}", "NotSeen", "", " ".join(str(error).splitlines()))]


def _stores(objects: Api, catalog: Catalog) -> Mapping[str, Mapping[str, Item]]:
    found: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in read_served(objects, catalog.preferred(*archive.STORE)):
        found[item["metadata"]["namespace"]][item["metadata"]["name"]] = item
    return found


def _trouble(found: behind.Trouble) -> Row:
    return Row(str(found.subject), "NotAsDeclared", "", found.what)


def row(item: Item, scene: Scene) -> Row:
    """Return what to say of one object."""
    found = compute(item)
    verdict = found.verdict if found.verdict == "Current" else f"{found.verdict} ({found})"
    note = _NOTES.get(item["kind"], lambda _item, _scene: "")(item, scene)
    return Row(str(ObjectRef.of(item)), verdict, _span(item["metadata"]["creationTimestamp"], scene.now), note)


def of_vault(last: VaultBackup | None, name: str, live: Mapping[str, str], now: datetime) -> Row:
    """Return what to say of the last backup of Vault's secrets, of which `live` says when each was written, by path."""
    subject = f"Backup of Vault of {name}"
    if last is None:
        return Row(subject, "NotThere", "", "fediverse.mastodon.backup makes one for vault_backup_recipients")
    changed = last.changed(live)
    verdict = "Failed" if last.failure else "Outdated" if changed else "Current"
    return Row(subject, verdict, _span(last.ended, now), ", ".join(filter(None, (last.line(), changed))))


def of_rotations(objects: Api, now: datetime) -> list[Row]:
    """Return what to say of the last time that each secret was replaced."""
    return [
        Row(
            f"Rotation of {one.secret} of {owner}",
            "Failed" if one.failure else "Done",
            _span(one.ended, now),
            one.line(),
        )
        for owner, one in rotated.read_all(objects)
    ]


def of_restores(objects: Api, now: datetime) -> list[Row]:
    """Return what to say of the last restore of each database."""
    return [
        Row(
            f"Restore of Database {place}",
            "NotEnded" if one.is_open else "Done",
            _span(one.ended or one.began, now),
            one.line(),
        )
        for place, one in generation.read_all(objects)
    ]


def _release(item: Item, scene: Scene) -> str:
    newest = next(iter(at(item, "status.history", [])), None)
    if not newest:
        return "never installed"
    tag = at(item, "spec.values.image.tag", "")
    runs = f" running {tag}" if tag else ""
    deployed = (
        f"chart {newest['chartVersion']}{runs}, {newest['status']} {_span(newest['lastDeployed'], scene.now)} ago"
    )
    last = scene.upgrades.get((item["metadata"]["namespace"], item["metadata"]["name"]))
    return f"{deployed}, {last.line(_span(last.last, scene.now))}" if last else deployed


def _certificate(item: Item, scene: Scene) -> str:
    ends = at(item, "status.notAfter", "")
    return f"{(_time(ends) - scene.now).days} days left" if ends else "not issued yet"


def _cluster(item: Item, scene: Scene) -> str:
    image = at(item, "status.image", "") or at(item, "spec.imageName", "")
    ready = f"{at(item, 'status.readyInstances', 0)} of {at(item, 'spec.instances', 0)} instances ready"
    backup = of_cluster(item, scene.stores.get(item["metadata"]["namespace"], {}))
    rehearsed = _rehearsed(item, scene) if backup.last_success else ""
    began = beginning.line(beginning.of_live(item))
    said = (image.rpartition("/")[2], ready, began, _backup(backup, scene), _asked_for(item, backup, scene), rehearsed)
    return ", ".join(filter(None, said))


def _asked_for(item: Item, backup: Backup, scene: Scene) -> str:
    """Return that a backup that was asked for failed, unless there was a later one."""
    last = scene.backups.get((item["metadata"]["namespace"], item["metadata"]["name"]))
    if last is None or not last.failure or (backup.last_success and _time(backup.last_success) > _time(last.ended)):
        return ""
    return f"backup asked for {_span(last.ended, scene.now)} ago {last.line()}"


def _rehearsed(item: Item, scene: Scene) -> str:
    last = scene.rehearsals.get((item["metadata"]["namespace"], item["metadata"]["name"]))
    return f"last rehearsal {_span(last.ended, scene.now)} ago {last.line()}" if last else "no restore rehearsed yet"


def _volume(item: Item, scene: Scene) -> str:
    return _backup(of_volume(item), scene)


def _backup(found: Backup, scene: Scene) -> str:
    last = f"last backup {_span(found.last_success, scene.now)} ago" if found.last_success else "no backup yet"
    return ", ".join(filter(None, (f"{last}: {found.trouble}" if found.trouble else last, found.warnings)))


def _ceph(item: Item, scene: Scene) -> str:
    """Return what Ceph says, unless it is an error that stands in the status, and when it was asked."""
    checked = at(item, "status.ceph.lastChecked", "")
    if not checked:
        return "its health was not asked yet"
    health, details = ceph_health.of(item), ceph_health.details(item)
    said = health if details in str(compute(item)) else f"{health}: {details}"
    return f"{said}, asked {_span(checked, scene.now)} ago"


def _runs(item: Item, scene: Scene) -> str:
    found = media_copy.runs_of(item)
    last = f"last ended well {_span(found.ended_well, scene.now)} ago" if found.ended_well else "never ended well yet"
    return f"{last}: {found.trouble}" if found.trouble else f"{last}, runs now" if found.is_running else last


def _refreshed(item: Item, scene: Scene) -> str:
    last = at(item, "status.refreshTime", "")
    return f"read from Vault {_span(last, scene.now)} ago" if last else "never read from Vault"


_NOTES = {
    "HelmRelease": _release,
    "Certificate": _certificate,
    "CephCluster": _ceph,
    "Cluster": _cluster,
    "ReplicationSource": _volume,
    "ExternalSecret": _refreshed,
    "CronJob": _runs,
}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _span(since: str, now: datetime) -> str:
    """Return how long ago, in the largest unit of which there are two."""
    seconds = max(0, int((now - _time(since)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
