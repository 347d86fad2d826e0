# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    CLUSTER_WIDE,
    NAMESPACE,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

KEPT = thing("ConfigMap", "kept", data={"a": "1"})
OLD = thing("ConfigMap", "old", data={"a": "1"})


def installed(*objects: Object) -> FakeApi:
    api = FakeApi(NAMESPACE)
    assert Ran(api, KEPT, *objects, wait=False).error is None
    return api


def listed(api: FakeApi) -> str:
    text: str = api.objects[subject("ConfigMap", "fediverse.mastodon.set")]["data"]["objects"]
    return text


def test_without_prune_nothing_is_deleted_but_what_is_left_is_named_and_not_forgotten() -> None:
    api = installed(OLD, thing("Deployment", "older", spec={"replicas": 1}))
    for _each in ("once", "again"):
        ran = Ran(api, KEPT, prune=False)
        assert ran.actions == {"kept": "unchanged", "old": "skipped", "older": "skipped"}
        assert ran.lines == ["skipped ConfigMap ns/old, Deployment ns/older: no longer declared, and left as it is"]
        assert api.writes == []
        assert "ConfigMap/old" in listed(api)


def test_what_is_no_longer_wanted_is_deleted_and_then_forgotten() -> None:
    api = installed(OLD)
    ran = Ran(api, KEPT)
    assert ran.actions == {"kept": "unchanged", "old": "deleted"}
    assert ran.lines == ["deleted ConfigMap ns/old"]
    assert "ConfigMap/old" not in listed(api)
    again = Ran(api, KEPT)
    assert again.actions == {"kept": "unchanged"}
    assert api.writes == []


def test_what_cannot_be_asked_for_as_its_server_does_not_answer_is_not_forgotten() -> None:
    lost = kind("lost.test", "Lost")
    api = FakeApi(NAMESPACE, served=(*SERVED, lost))
    assert Ran(api, KEPT, {**thing("Lost", "old"), "apiVersion": "lost.test/v1"}, wait=False).error is None
    api.served.remove(lost)
    api.unanswered = [("lost.test", "v1")]
    ran = Ran(api, KEPT, prune=True)
    assert ran.actions == {"kept": "unchanged", "old": "skipped"}
    assert "APIService v1.lost.test, whose service does not answer" in ran.lines[0]
    assert "Lost/old" in listed(api)


def test_check_mode_only_says_so() -> None:
    api = installed(OLD)
    assert Ran(api, KEPT, check=True).actions == {"kept": "unchanged", "old": "deleted"}
    assert api.writes == []


HOLDERS = [
    "v1 Namespace",
    "v1 PersistentVolumeClaim",
    "v1 PersistentVolume",
    "v1 Secret",
    "apiextensions.k8s.io/v1 CustomResourceDefinition",
    "storage.k8s.io/v1 StorageClass",
    "snapshot.storage.k8s.io/v1 VolumeSnapshot",
    "snapshot.storage.k8s.io/v1 VolumeSnapshotContent",
    "postgresql.cnpg.io/v1 Cluster",
    "postgresql.cnpg.io/v1 Database",
    "postgresql.cnpg.io/v1 Backup",
    "barmancloud.cnpg.io/v1 ObjectStore",
    "dragonflydb.io/v1alpha1 Dragonfly",
    "ceph.rook.io/v1 CephCluster",
    "ceph.rook.io/v1 CephObjectStore",
    "ceph.rook.io/v1 CephBlockPool",
    "ceph.rook.io/v1 CephFilesystem",
    "ceph.rook.io/v1 CephObjectStoreUser",
    "objectbucket.io/v1alpha1 ObjectBucketClaim",
    "objectbucket.io/v1alpha1 ObjectBucket",
    "external-secrets.io/v1 ExternalSecret",
    "external-secrets.io/v1 SecretStore",
    "external-secrets.io/v1 ClusterSecretStore",
    "helm.toolkit.fluxcd.io/v2 HelmRelease",
    "kustomize.toolkit.fluxcd.io/v1 Kustomization",
    "source.toolkit.fluxcd.io/v1 HelmRepository",
    "fluxcd.controlplane.io/v1 FluxInstance",
    "gateway.networking.k8s.io/v1 Gateway",
    "cert-manager.io/v1 ClusterIssuer",
]
MERE = [
    "v1 ConfigMap",
    "apps/v1 Deployment",
    "batch/v1 CronJob",
    "autoscaling/v2 HorizontalPodAutoscaler",
    "networking.k8s.io/v1 NetworkPolicy",
    "policy/v1 PodDisruptionBudget",
    "monitoring.coreos.com/v1 PodMonitor",
    "postgresql.cnpg.io/v1 Pooler",
    "postgresql.cnpg.io/v1 ScheduledBackup",
    "volsync.backube/v1alpha1 ReplicationSource",
    "gateway.networking.k8s.io/v1 HTTPRoute",
    "gateway.networking.k8s.io/v1beta1 ReferenceGrant",
    "cert-manager.io/v1 Issuer",
]


def served(called: str, **spec: Any) -> tuple[FakeApi, Object]:
    """Return an API server that serves this kind, with our object of it in a set, and that object."""
    version, kind = called.split()
    group, _unused, short = version.rpartition("/")
    api = FakeApi(
        NAMESPACE, served=(*SERVED, Resource(group, short, kind, f"{kind.lower()}s", kind not in CLUSTER_WIDE))
    )
    api.on_apply = lambda applied: api.set_status(applied, {"conditions": [{"type": "Established", "status": "True"}]})
    item = {**thing(kind, "one", spec={"a": 1, **spec}), "apiVersion": version}
    ran = Ran(api, KEPT, item, wait=False)
    assert ran.error is None
    return api, item


@pytest.mark.parametrize("called", HOLDERS)
def test_what_holds_data_or_leads_to_it_is_kept_unless_named(called: str) -> None:
    api, item = served(called)
    [line] = Ran(api, KEPT).lines
    name = str(ObjectRef.of(item))
    assert line.startswith(f"skipped {name}: kept, as with it goes ")
    group = ObjectRef.of(item).group
    place = "-n ns " if "namespace" in item["metadata"] else ""
    plural = f"{item['kind'].lower()}s{f'.{group}' if group else ''}"
    assert line.endswith(f'. If it is to go: prune_allow ["{name}"], or kubectl {place}delete {plural} one')
    assert Ran(api, KEPT, prune_allow=frozenset({name})).actions["one"] == "deleted"


def test_a_gateway_that_others_share_is_kept_and_nobody_is_shown_how_to_delete_it() -> None:
    api, item = served("gateway.networking.k8s.io/v1 Gateway")
    gateway = next(resource for resource in api.served if resource.kind == "Gateway")
    theirs = {**item, "spec": {"b": 1}}
    api.apply(gateway, theirs, manager="fediverse.mastodon/other.example", force=False, dry_run=False)
    [line] = Ran(api, KEPT).lines
    assert line == (
        "skipped Gateway ns/one: kept, as with it goes all traffic through it. "
        'If your part of it is to go: prune_allow ["Gateway ns/one"]'
    )
    assert Ran(api, KEPT, prune_allow=frozenset({"Gateway ns/one"})).actions["one"] == "configured"
    assert api.objects[ObjectRef.of(item)]["spec"] == {"b": 1}


@pytest.mark.parametrize(
    ("called", "stays"),
    [
        ("helm.toolkit.fluxcd.io/v2 HelmRelease", True),
        ("kustomize.toolkit.fluxcd.io/v1 Kustomization", True),
        ("batch/v1 CronJob", False),
    ],
)
def test_what_flux_would_leave_behind_stays_with_what_leads_to_it(called: str, stays: bool) -> None:
    api, item = served(called, suspend=True)
    name = str(ObjectRef.of(item))
    ran = Ran(api, KEPT, prune_allow=frozenset({name}))
    assert (ran.actions["one"] == "skipped") is stays
    assert ("Resume it by spec.suspend: false" in ran.lines[-1]) is stays
    assert (ObjectRef.of(item) in api.objects) is stays


def test_without_waiting_what_is_no_longer_wanted_goes_as_well_as_no_later_run_waits_either() -> None:
    api = installed(OLD)
    assert Ran(api, KEPT, wait=False).actions == {"kept": "unchanged", "old": "deleted"}


@pytest.mark.parametrize(
    ("called", "stays"), [("postgresql.cnpg.io/v1 ScheduledBackup", True), ("batch/v1 CronJob", False)]
)
def test_backups_stay_when_the_schedule_that_made_and_owns_them_goes(called: str, stays: bool) -> None:
    api, item = served(called)
    owner = {"uid": api.objects[ObjectRef.of(item)]["metadata"]["uid"], "kind": item["kind"], "name": "one"}
    made = thing("ConfigMap", "made")
    api.put({**made, "metadata": {**made["metadata"], "ownerReferences": [owner]}})
    assert Ran(api, KEPT).actions["one"] == "deleted"
    assert ObjectRef.of(item) not in api.objects
    assert (ObjectRef.of(made) in api.objects) is stays


@pytest.mark.parametrize("called", MERE)
def test_what_can_simply_be_made_again_goes(called: str) -> None:
    api, _item = served(called)
    assert Ran(api, KEPT).actions["one"] == "deleted"


def test_a_set_that_holds_nothing_any_more_goes_with_its_inventory() -> None:
    api = installed(OLD)
    ran = Ran(api)
    assert ran.actions == {"kept": "deleted", "old": "deleted"}
    assert [item.name for item in api.objects] == ["ns"]
    assert Ran(api).actions == {}
    assert api.calls == ["discover", "read ConfigMap ns/fediverse.mastodon.set"]


def test_a_set_that_holds_nothing_any_more_is_only_shown_in_check_mode() -> None:
    api = installed(OLD)
    assert Ran(api, check=True).lines == ["deleted ConfigMap ns/kept", "deleted ConfigMap ns/old"]
    assert api.writes == []


def test_without_prune_a_set_that_holds_nothing_any_more_is_named_in_one_line() -> None:
    api = installed(thing("HelmRelease", "r", spec={"interval": "1h"}), thing("Namespace", "other"))
    assert Ran(api, prune=False).lines == [
        "skipped ConfigMap ns/kept, Namespace other, HelmRelease ns/r: no longer declared, and left as it is"
    ]
    assert api.writes == []
    assert "HelmRelease/r" in listed(api)


def test_a_set_that_never_held_anything_asks_for_no_kind_and_leaves_no_trace() -> None:
    api = FakeApi(NAMESPACE)
    ran = Ran(api, kinds=({"api_version": "example.test/v1", "kind": "Widget", "provided_by": ""},))
    assert (ran.error, ran.lines, api.writes) == (None, [], [])


def test_an_empty_set_whose_inventory_may_not_be_read_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    api = installed(OLD)

    def refuse(selection: Selection) -> Listing:
        raise api.forbidden(selection)

    monkeypatch.setattr(api, "read", refuse)
    ran = Ran(api)
    assert ran.error is None
    assert ran.lines == [
        "skipped ConfigMap ns/fediverse.mastodon.set: it may not be read, so that nothing it lists is touched"
    ]


def test_what_a_failed_prune_left_is_pruned_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    api = installed(OLD)

    def broken(*_unused: Any, **__: Any) -> None:
        raise ApiError("ConfigMap ns/old", "cannot be deleted", "etcd is away", "", status=500)

    with monkeypatch.context() as patched:
        patched.setattr(api, "delete", broken)
        assert Ran(api, KEPT).error is not None
    assert Ran(api, KEPT).actions["old"] == "deleted"


def test_what_others_have_taken_over_is_left_to_them() -> None:
    api = installed(OLD)
    api.edit(subject("ConfigMap", "old"), "helm", ("data", "a"), "2")
    assert Ran(api, KEPT).actions["old"] == "skipped"


NOTE = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")


def joined() -> FakeApi:
    """Return an API server with an object that kubectl applied on the client and that a set then joined."""
    api = installed(OLD)
    api.edit(subject("ConfigMap", "old"), "kubectl-client-side-apply", NOTE, "{}")
    return api


def test_of_what_kubectl_applied_and_the_set_only_joined_no_more_goes_than_the_set_declared() -> None:
    api = joined()
    api.edit(subject("ConfigMap", "old"), "kubectl-client-side-apply", ("data", "b"), "2")
    ran = Ran(api, KEPT)
    assert ran.lines == ["configured ConfigMap ns/old: left to kubectl-client-side-apply"]
    assert api.objects[subject("ConfigMap", "old")]["data"] == {"b": "2"}
    assert "ConfigMap/old" not in listed(api)


def test_what_kubectl_applied_and_a_set_then_declared_as_a_whole_is_neither_deleted_nor_emptied() -> None:
    api = joined()
    for entry in api.objects[subject("ConfigMap", "old")]["metadata"]["managedFields"]:
        if entry["operation"] == "Update":
            # It keeps the map, though we took over all that is in it.
            entry["fieldsV1"]["f:data"] = {}
    line = (
        "skipped ConfigMap ns/old: not deleted, as kubectl apply created it. "
        "If it is to go: kubectl -n ns delete configmaps old"
    )
    for _each in ("once", "again"):
        assert Ran(api, KEPT).lines == [line]
        assert api.objects[subject("ConfigMap", "old")]["data"] == {"a": "1"}
        assert api.writes == []


def test_what_cannot_be_without_the_fields_of_the_set_is_left_to_others_as_it_is() -> None:
    api = joined()
    old = subject("ConfigMap", "old")
    api.edit(old, "kubectl-client-side-apply", ("data", "b"), "2")
    api.refusals[old] = [ApiError(str(old), "is not valid", "data.a: Required value", "", status=422)]
    ran = Ran(api, KEPT)
    assert ran.error is None
    assert ran.lines == [
        "skipped ConfigMap ns/old: left to kubectl-client-side-apply as it is, "
        "as it cannot be without what this set declared: data.a: Required value"
    ]
    assert "ConfigMap/old" in listed(api)


def test_an_object_deleted_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    api = installed(OLD)

    def gone(*_unused: Any, **__: Any) -> None:
        raise ApiError("ConfigMap ns/old", "was not found", "", "", status=404)

    monkeypatch.setattr(api, "delete", gone)
    assert Ran(api, KEPT).error is None


def test_an_unreadable_inventory_is_refused() -> None:
    api = installed(OLD)
    api.edit(subject("ConfigMap", "fediverse.mastodon.set"), "kubectl-edit", ("data", "objects"), "nonsense\n")
    ran = Ran(api, KEPT)
    assert "ConfigMap ns/fediverse.mastodon.set: cannot be read: 'nonsense' is not" in str(ran.error)
    assert api.writes == []
