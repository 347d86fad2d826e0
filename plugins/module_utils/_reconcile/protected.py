# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that hold data or lead to it: never deleted unless named one by one, nor along with what made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

_ANY = "*"
# What is lost with an object of `group`, `kind`; kinds of theirs alone count more than all of the group.
_LOST: Mapping[tuple[str, str], str] = {
    ("", "Namespace"): "all that is in it",
    ("", "PersistentVolumeClaim"): "the data on its volume",
    ("", "PersistentVolume"): "the data on it",
    ("", "Secret"): "what may be the last copy of a key",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of its kind",
    # Rook cannot give back a bucket of a class that is gone: https://github.com/rook/rook/issues/12516
    ("storage.k8s.io", "StorageClass"): "the way to the volumes and buckets made by it",
    ("snapshot.storage.k8s.io", _ANY): "a copy of a volume",
    ("postgresql.cnpg.io", "Cluster"): "the database",
    ("postgresql.cnpg.io", "Database"): "a database, if it says so itself",
    ("postgresql.cnpg.io", "Backup"): "the way to a backup",
    ("barmancloud.cnpg.io", _ANY): "the way to the backups",
    ("dragonflydb.io", "Dragonfly"): "all jobs that wait in it",
    ("ceph.rook.io", _ANY): "what Ceph keeps in it, or the keys to that",
    ("objectbucket.io", _ANY): "the bucket, or the keys to it",
    ("volsync.backube", "ReplicationDestination"): "the volume that was restored",
    # Routes move to another one later, and each by itself.
    ("gateway.networking.k8s.io", "Gateway"): "all traffic through it",
    # Whose certificates name it, in any namespace, is not ours to know.
    ("cert-manager.io", "ClusterIssuer"): "the renewal of every certificate of it",
    # They own the Secrets that they write, so that those go as well: https://external-secrets.io/latest/guides/ownership-deletion-policy/
    ("external-secrets.io", _ANY): "the Secrets that it keeps",
    # Uninstalling a chart may take its kinds along, and with these every object of them.
    ("helm.toolkit.fluxcd.io", "HelmRelease"): "all that its chart installed",
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): "all that it applied",
    # A release that is kept is upgraded and repaired from there.
    ("source.toolkit.fluxcd.io", _ANY): "what releases are installed from",
    ("fluxcd.controlplane.io", _ANY): "all that it installed",
}

# What Flux installs by, and takes away with them.
_INSTALLERS = frozenset({("helm.toolkit.fluxcd.io", "HelmRelease"), ("kustomize.toolkit.fluxcd.io", "Kustomization")})

# Those that own objects of kinds above. With `backupOwnerReference: self` a schedule owns the Backups that it made:
# https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/#scheduledbackupspec
_OUTLIVED = frozenset({("postgresql.cnpg.io", "ScheduledBackup")})


def what_goes_with(subject: ObjectRef) -> str:
    """Return what is lost for good with an object, in words; empty for those that can simply be made again."""
    return _LOST.get((subject.group, subject.kind)) or _LOST.get((subject.group, _ANY), "")


def is_outlived(subject: ObjectRef) -> bool:
    """Whether what an object owns stays when the object goes."""
    return (subject.group, subject.kind) in _OUTLIVED


def leaves_all_behind(item: Mapping[str, Any]) -> bool:
    """Whether what Flux installed by an object would stay when that goes, with nothing left that leads to it.

    https://github.com/fluxcd/helm-controller/blob/v1.4.0/internal/controller/helmrelease_controller.go (reconcileDelete), and
    likewise https://fluxcd.io/flux/components/kustomize/kustomizations/#suspend
    """
    subject = ObjectRef.of(item)
    return (subject.group, subject.kind) in _INSTALLERS and bool(at(item, "spec.suspend", False))


def deletion(subject: ObjectRef, resource: Resource) -> str:
    """Return the command that deletes an object."""
    place = f"-n {subject.namespace} " if subject.namespace else ""
    return f"kubectl {place}delete {resource.plural}{f'.{resource.group}' if resource.group else ''} {subject.name}"
