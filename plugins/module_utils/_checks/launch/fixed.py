# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays as it was installed: a second operator, another disk or mount would break what the first one runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

OPERATORS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "kind": {"type": "str", "default": "HelmRelease"},
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "setting": {"type": "str", "required": True},
    },
}


def operators(applied: Iterable[Object], wanted: Iterable[Mapping[str, str]]) -> Iterator[MastodonError]:
    """Yield an error for each operator that was installed in another namespace than it is wanted in."""
    ours = {ObjectRef.of(item) for item in applied if is_ours(item)}
    for one in wanted:
        there = {
            subject.namespace: subject for subject in ours if (subject.kind, subject.name) == (one["kind"], one["name"])
        }
        if there and one["namespace"] not in there:
            namespace, subject = sorted(there.items())[0]
            why = f"a second one in {one['namespace']} would conflict with it over what both manage"
            yield MastodonError(str(subject), "is installed already", why, f"Set {one['setting']} to {namespace}.")


def ceph(view: ClusterView, wanted: Mapping[str, Any]) -> Iterator[MastodonError]:
    """Yield an error when the disks of a Ceph that runs would be left, or its state on the nodes."""
    if not wanted["ceph_name"]:
        return
    found = view.within(kinds.CEPH, wanted["ceph_namespace"])
    named = {item["metadata"]["name"]: item for item in found}
    if named and wanted["ceph_name"] not in named:
        name = sorted(named)[0]
        why = f"Rook runs one a namespace, and {wanted['ceph_name']} would be an empty one"
        yield MastodonError(_called(wanted, name), "holds the media", why, f"Set rook_cluster_name to {name}.")
    path = at(named.get(wanted["ceph_name"]), "spec.dataDirHostPath", "")
    if path and path != wanted["ceph_path"]:
        # https://rook.io/docs/rook/latest/CRDs/Cluster/ceph-cluster-crd/#cluster-settings
        failed = f"keeps its state in {path} and cannot go on in {wanted['ceph_path']}"
        why = "its monitors would start without what they know"
        yield MastodonError(_called(wanted, wanted["ceph_name"]), failed, why, f"Set rook_data_path to {path}.")


def _called(wanted: Mapping[str, Any], name: str) -> str:
    return f"CephCluster {wanted['ceph_namespace']}/{name}"


def owner(external: Iterable[Object], wanted: Mapping[str, Any]) -> Iterator[MastodonError]:
    """Yield an error when the database would be asked for as another user than it belongs to."""
    for item in external:
        place = f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        user = at(item, "spec.target.template.data.username", "")
        if place == wanted["database_secret"] and user and wanted["database_user"] not in ("", user):
            failed = f"belongs to {user} and cannot be used as {wanted['database_user']}"
            subject = f"Database {wanted['database_name']}"
            yield MastodonError(subject, failed, "its owner is set once", f"Set cnpg_username to {user}.")


def store(wanted: Mapping[str, Any], mount: str) -> Iterator[MastodonError]:
    """Yield an error when the pods would be given the secrets of another mount than the one that they are made in."""
    found = wanted["store_mount"]
    if found and found.strip("/") != mount.strip("/"):
        failed = f"would read the mount {found}, and the secrets are in {mount}"
        why = "Mastodon would get other keys than those it encrypts with"
        subject = f"ClusterSecretStore {wanted['store']}"
        yield MastodonError(subject, failed, why, f"Set external_secrets_vault_mount to {mount}.")
