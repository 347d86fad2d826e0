# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the Ceph is that serves a bucket, as Rook reports it: whose gateway hangs says nothing by itself."""

from __future__ import annotations

import re
from datetime import datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError, WarnedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import ceph_health, rules
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

# https://rook.io/docs/rook/latest/Storage-Configuration/Object-Storage-RGW/object-storage/
_GATEWAY = re.compile(r"https?://rook-ceph-rgw-[a-z0-9-]+\.([a-z0-9-]+)\.svc\b")
# Rook asks each minute; with other settings it may be a few.
_STALE_SECONDS = 900


def namespace_of(endpoint: str) -> str:
    """Return where the Ceph behind an S3 endpoint is, empty when Rook's gateway is not what it names."""
    found = _GATEWAY.match(endpoint)
    return found[1] if found else ""


def healthy(objects: Api, namespace: str, now: datetime) -> str:
    """Report a Ceph that is well. Raises WarnedError, MastodonError, and SkippedError for one that cannot be seen."""
    item = _read(objects, namespace)
    subject, status, said = str(ObjectRef.of(item)), compute(item), _said(item)
    _must_be_recent(subject, item, now)
    if ceph_health.of(item) == ceph_health.ERR or status.reason == rules.NO_DISK:
        remedy = (
            f"Read more: kubectl describe cephcluster -n {namespace} {item['metadata']['name']}, and what each code means at"
            " https://docs.ceph.com/en/latest/rados/operations/health-checks/."
        )
        raise MastodonError(subject, "Ceph is not well", said, remedy)
    if ceph_health.of(item) != ceph_health.OK:
        raise WarnedError(f"{subject}: {said or status}")
    return f"{subject}: {said}"


def _read(objects: Api, namespace: str) -> Object:
    resource = objects.discover().preferred("ceph.rook.io", "CephCluster")
    try:
        found = read_served(objects, resource, namespace)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        raise SkippedError(f"Ceph in namespace {namespace}: you may not list CephClusters there") from error
    if not found:
        raise SkippedError(f"Ceph in namespace {namespace}: there is no CephCluster yet")
    return found[0]


def _must_be_recent(subject: str, item: Object, now: datetime) -> None:
    checked = at(item, "status.ceph.lastChecked", "")
    age = (now - datetime.fromisoformat(checked)).total_seconds() if checked else 0
    if age > _STALE_SECONDS:
        why = f"Rook last asked Ceph {age / 60:.0f} min ago, when it was {_said(item)}"
        remedy = "Check its operator: kubectl get pods -A -l app=rook-ceph-operator."
        raise MastodonError(subject, "nobody knows how Ceph is", why, remedy)


def _said(item: Object) -> str:
    return ": ".join(part for part in (ceph_health.of(item), ceph_health.details(item)) if part)


def explained(error: MastodonError, objects: Api, endpoint: str) -> MastodonError:
    """Return an error of a gateway that gives no answer with where to look, and with what Ceph says meanwhile where that is no good news.

    Of a disk that does not answer Ceph may say nothing for minutes.
    """
    if not (namespace := namespace_of(endpoint)):
        return error
    remedy = f"Check Ceph's pods, and the disks below them: kubectl get pods -n {namespace}."
    try:
        item = _read(objects, namespace)
    except (MastodonError, SkippedError):
        return error.cured(remedy)
    if ceph_health.of(item) in ("", ceph_health.OK):
        return error.cured(remedy)
    why = f"{error.why}; {ObjectRef.of(item)} reports {_said(item)}"
    return MastodonError(error.subject, error.failed, why, remedy)
