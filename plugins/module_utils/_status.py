# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection has laid down, as it is now: for people, and touching nothing.

Ours is what our field manager applied, wherever it is; no record of our own is asked. This module util is PRIVATE to the
collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import KUBERNETES_OPTIONS, connect
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, Subject
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

Item = Mapping[str, Any]

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **vault.VAULT_OPTIONS,
        "mount": {"type": "str", "default": "secret"},
        # Paths, not secrets.
        "path": {"type": "str", "required": True},
        "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    }
)

# In the order in which site.yml lays them down.
_KINDS = (
    ("fluxcd.controlplane.io", "FluxInstance"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("external-secrets.io", "ExternalSecret"),
    ("cert-manager.io", "ClusterIssuer"),
    ("cert-manager.io", "Certificate"),
    ("ceph.rook.io", "CephCluster"),
    ("ceph.rook.io", "CephObjectStore"),
    ("objectbucket.io", "ObjectBucketClaim"),
    ("postgresql.cnpg.io", "Cluster"),
    ("postgresql.cnpg.io", "Pooler"),
    ("dragonflydb.io", "Dragonfly"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("volsync.backube", "ReplicationSource"),
)


@dataclass(frozen=True)
class Row:
    """One object of ours."""

    subject: str
    status: str
    age: str
    note: str

    def line(self) -> str:
        """Return what people read."""
        return f"{self.subject}: {self.status}, {self.age} old{f', {self.note}' if self.note else ''}"


def status(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, objects: [{subject, status, age, note}], secrets: [{path, version, fingerprints}]}`."""
    rows = _rows(Objects(Client(connect(parameters, run.environment))), datetime.now(UTC))
    secrets = _secrets(vault.connect(parameters, run.environment), parameters)
    for line in [*(row.line() for row in rows), *map(_told, secrets)]:
        run.say(line)
    return {"changed": False, "objects": [vars(row) for row in rows], "secrets": secrets}


def _rows(objects: Objects, now: datetime) -> list[Row]:
    catalog = objects.discover()
    kinds = [found for group, kind in _KINDS if (found := catalog.preferred(group, kind))]
    items = [item for kind in kinds for item in objects.read(Selection(kind)).objects if is_ours(item)]
    return [row(item, now) for item in items]


def is_ours(item: Item) -> bool:
    """Return whether this collection applied the object, for all Mastodons or for one (`<manager>/<domain>`)."""
    managers = [entry.get("manager", "") for entry in item["metadata"].get("managedFields") or []]
    return any(manager == MANAGER or manager.startswith(f"{MANAGER}/") for manager in managers)


def row(item: Item, now: datetime) -> Row:
    """Return what to say of one object."""
    found = compute(item)
    verdict = found.verdict if found.verdict == "Current" else f"{found.verdict} ({found})"
    note = _NOTES.get(item["kind"], lambda _item, _now: "")(item, now)
    return Row(str(Subject.of(item)), verdict, _span(item["metadata"]["creationTimestamp"], now), note)


def _release(item: Item, now: datetime) -> str:
    newest = next(iter(at(item, "status.history", [])), None)
    if not newest:
        return "never installed"
    tag = at(item, "spec.values.image.tag", "")
    runs = f" running {tag}" if tag else ""
    return f"chart {newest['chartVersion']}{runs}, {newest['status']} {_span(newest['lastDeployed'], now)} ago"


def _certificate(item: Item, now: datetime) -> str:
    ends = at(item, "status.notAfter", "")
    return f"{(_time(ends) - now).days} days left" if ends else "not issued yet"


def _cluster(item: Item, now: datetime) -> str:
    image = at(item, "status.image", "") or at(item, "spec.imageName", "")
    ready = f"{at(item, 'status.readyInstances', 0)} of {at(item, 'spec.instances', 0)} instances ready"
    backup = at(item, "status.lastSuccessfulBackup", "")
    return f"{image.rpartition('/')[2]}, {ready}, {f'last backup {_span(backup, now)} ago' if backup else 'no backup'}"


def _volume(item: Item, now: datetime) -> str:
    last = at(item, "status.lastSyncTime", "")
    return f"last backup {_span(last, now)} ago" if last else "no backup yet"


def _refreshed(item: Item, now: datetime) -> str:
    last = at(item, "status.refreshTime", "")
    return f"read from Vault {_span(last, now)} ago" if last else "never read from Vault"


_NOTES = {
    "HelmRelease": _release,
    "Certificate": _certificate,
    "Cluster": _cluster,
    "ReplicationSource": _volume,
    "ExternalSecret": _refreshed,
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


def _secrets(server: vault.Vault, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    mount, folder = parameters["mount"], parameters["path"]
    salt = kv.read(server, mount, f"{folder}/fingerprint").data.get("key", "")
    told = []
    for name in parameters["secrets"]:
        path = f"{folder}/{name}"
        stored = kv.read(server, mount, path)
        made = {key: fingerprint(salt, path, key, value) for key, value in sorted(stored.data.items())} if salt else {}
        told.append({"path": path, "version": stored.version, "gone": stored.gone, "fingerprints": made})
    return told


def _told(secret: Mapping[str, Any]) -> str:
    if secret["gone"]:
        return f"secret {secret['path']}: version {secret['version']} was deleted at {secret['gone']}"
    prints = ", ".join(f"{key} {value}" for key, value in secret["fingerprints"].items())
    held = f"version {secret['version']}, {prints}" if secret["version"] else "not there"
    return f"secret {secret['path']}: {held}"
