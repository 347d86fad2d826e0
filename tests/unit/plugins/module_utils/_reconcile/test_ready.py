# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line a state: kind, generation, spec, status, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

API = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
    "HelmRepository": "source.toolkit.fluxcd.io/v1",
    "GitRepository": "source.toolkit.fluxcd.io/v1",
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "FluxInstance": "fluxcd.controlplane.io/v1",
    "ExternalSecret": "external-secrets.io/v1",
    "ClusterSecretStore": "external-secrets.io/v1",
    "ClusterIssuer": "cert-manager.io/v1",
    "Certificate": "cert-manager.io/v1",
    "Cluster": "postgresql.cnpg.io/v1",
    "Database": "postgresql.cnpg.io/v1",
    "Backup": "postgresql.cnpg.io/v1",
    "Dragonfly": "dragonflydb.io/v1alpha1",
    "ObjectBucketClaim": "objectbucket.io/v1alpha1",
    "Pooler": "postgresql.cnpg.io/v1",
    "ScheduledBackup": "postgresql.cnpg.io/v1",
    "ObjectStore": "barmancloud.cnpg.io/v1",
    "CephCluster": "ceph.rook.io/v1",
    "CephObjectStore": "ceph.rook.io/v1",
    "ReplicationSource": "volsync.backube/v1alpha1",
    "GatewayClass": "gateway.networking.k8s.io/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Anything": "example.test/v1",
}
YES, NO = "{type: Ready, status: 'True'}", "{type: Ready, status: 'False', reason: R, message: M}"
PLUGIN = "Cluster cannot proceed to reconciliation due to an unknown plugin being required"

CURRENT = [
    ("ConfigMap", "", ""),
    ("Namespace", "", "phase: Active"),
    ("PersistentVolumeClaim", "", "phase: Bound"),
    ("Service", "", ""),
    ("Service", "type: ClusterIP", ""),
    ("Service", "type: LoadBalancer", "loadBalancer: {ingress: [{ip: 10.0.0.1}]}"),
    ("Service", "{type: LoadBalancer, externalIPs: [10.0.0.1]}", "loadBalancer: {}"),
    ("Pod", "", "{phase: Running, conditions: [" + YES + "]}"),
    ("Pod", "", "phase: Succeeded"),
    ("Deployment", "", "{observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}"),
    ("Deployment", "replicas: 0", "observedGeneration: 2"),
    ("Deployment", "paused: true", "{observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}"),
    (
        "ReplicaSet",
        "replicas: 2",
        "{observedGeneration: 2, replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2}",
    ),
    ("ReplicaSet", "replicas: 0", "{observedGeneration: 2, replicas: 0}"),
    (
        "ReplicationController",
        "",
        "{observedGeneration: 2, replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1}",
    ),
    (
        "StatefulSet",
        "replicas: 2",
        "{observedGeneration: 2, replicas: 2, readyReplicas: 2, currentRevision: a, updateRevision: a}",
    ),
    ("StatefulSet", "updateStrategy: {type: OnDelete}", "{observedGeneration: 2, readyReplicas: 1}"),
    (
        "StatefulSet",
        "{replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}}}",
        "{observedGeneration: 2, readyReplicas: 3, updatedReplicas: 1}",
    ),
    (
        "DaemonSet",
        "",
        "{observedGeneration: 2, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1,"
        " numberAvailable: 1, numberReady: 1}",
    ),
    ("Job", "", "conditions: [{type: Complete, status: 'True'}]"),
    ("Job", "suspend: true", "conditions: [{type: Suspended, status: 'True'}]"),
    (
        "CustomResourceDefinition",
        "",
        "conditions: [{type: NamesAccepted, status: 'True'}, {type: Established, status: 'True'}]",
    ),
    ("APIService", "", "conditions: [{type: Available, status: 'True'}]"),
    ("Anything", "", ""),
    ("Anything", "", f"conditions: [{YES}]"),
    ("Anything", "", f"{{observedGeneration: 2, conditions: [{YES}]}}"),
    ("HelmRelease", "", f"{{observedGeneration: 2, conditions: [{YES}]}}"),
    ("HelmRepository", "type: oci", ""),
    ("HelmRepository", "", f"{{observedGeneration: 2, conditions: [{YES}]}}"),
    ("Kustomization", "", f"{{observedGeneration: 2, conditions: [{YES}]}}"),
    ("FluxInstance", "", "conditions: [{type: Ready, status: 'True', observedGeneration: 2}]"),
    ("ExternalSecret", "", f"{{syncedResourceVersion: 2-abc, conditions: [{YES}]}}"),
    ("ClusterSecretStore", "", f"conditions: [{YES}]"),
    ("ClusterIssuer", "", "conditions: [{type: Ready, status: 'True', observedGeneration: 2}]"),
    ("Certificate", "", f"conditions: [{YES}]"),
    ("Cluster", "instances: 2", f"{{phase: Cluster in healthy state, readyInstances: 2, conditions: [{YES}]}}"),
    (
        "Cluster",
        "imageName: 'p:17.11'",
        f"{{phase: Cluster in healthy state, readyInstances: 1, image: 'p:17.11', conditions: [{YES}]}}",
    ),
    ("Database", "", "{applied: true, observedGeneration: 2}"),
    ("Backup", "", "phase: completed"),
    ("Dragonfly", "", "phase: Ready"),
    ("Dragonfly", "", "phase: ready"),
    ("ObjectBucketClaim", "", "phase: Bound"),
    ("Pooler", "instances: 2", "phase: active"),
    ("Pooler", "instances: 2", "instances: 2"),
    ("ScheduledBackup", "schedule: 0 0 3 * * *", ""),
    ("ObjectStore", "", ""),
    ("CephCluster", "", "{observedGeneration: 2, phase: Ready, ceph: {health: HEALTH_WARN}}"),
    ("CephObjectStore", "", "{observedGeneration: 2, phase: Ready}"),
    (
        "ReplicationSource",
        "",
        "conditions: [{type: Synchronizing, status: 'False', reason: WaitingForSchedule, message: waiting}]",
    ),
    ("ReplicationSource", "", "conditions: [{type: Synchronizing, status: 'True', reason: SyncInProgress}]"),
    ("GatewayClass", "", "conditions: [{type: Accepted, status: 'True', observedGeneration: 2}]"),
    (
        "Gateway",
        "",
        "{addresses: [{value: 10.0.0.1}], conditions: [{type: Accepted, status: 'True'}, {type: Programmed, status: 'True'}],"
        # A neighbour's, whose certificate is not there yet.
        " listeners: [{name: web, conditions: [{type: ResolvedRefs, status: 'False', message: no Secret}]}]}",
    ),
    (
        "HTTPRoute",
        "parentRefs: [{name: g}]",
        "parents: [{conditions: [{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'True'}]}]",
    ),
]
IN_PROGRESS = [
    ("Namespace", "", "phase: Terminating", "Terminating"),
    ("ConfigMap", "", "conditions: [{type: Reconciling, status: 'True', reason: R, message: busy}]", "busy"),
    ("Namespace", "", "{phase: Active, conditions: [{type: Reconciling, status: 'True', message: busy}]}", "busy"),
    ("Pod", "", "phase: Pending", "its controller has not set the condition Ready yet"),
    ("Pod", "", "{conditions: [{type: PodScheduled, status: 'False', message: no room}]}", "no room"),
    ("Deployment", "", "", "its controller has not seen it yet"),
    (
        "Deployment",
        "",
        "{observedGeneration: 1, availableReplicas: 1}",
        "its controller has not seen the latest change yet",
    ),
    ("Deployment", "", "{observedGeneration: 2, updatedReplicas: 0}", "0 of 1 pods updated"),
    ("Deployment", "", "{observedGeneration: 2, updatedReplicas: 1, replicas: 1}", "0 of 1 pods available"),
    (
        "Deployment",
        "",
        "{observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1, replicas: 2}",
        "1 of 2 pods left after the old ones are gone",
    ),
    (
        "Deployment",
        "",
        "{observedGeneration: 2, conditions: [{type: ReplicaFailure, status: 'True', message: exceeded quota}]}",
        "exceeded quota",
    ),
    (
        "Deployment",
        "paused: true",
        "{observedGeneration: 2, updatedReplicas: 0}",
        "is paused, so that nothing is rolled out: 0 of 1 pods updated",
    ),
    (
        "Deployment",
        "",
        "{observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1, conditions: [{type: Available,"
        " status: 'False', message: too few}]}",
        "too few",
    ),
    ("PersistentVolumeClaim", "", "phase: Pending", "no volume is bound to it yet"),
    ("PersistentVolumeClaim", "", "", "no volume is bound to it yet"),
    ("Service", "type: LoadBalancer", "loadBalancer: {}", "it has no address yet"),
    ("ReplicaSet", "", "", "its controller has not seen it yet"),
    ("ReplicaSet", "", "{observedGeneration: 2, replicas: 1, fullyLabeledReplicas: 1}", "0 of 1 pods available"),
    (
        "ReplicaSet",
        "",
        "{observedGeneration: 2, conditions: [{type: ReplicaFailure, status: 'True', message: exceeded quota}]}",
        "exceeded quota",
    ),
    (
        "ReplicaSet",
        "",
        "{observedGeneration: 2, replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2}",
        "1 of 2 pods left after the surplus is gone",
    ),
    ("ReplicationController", "", "{observedGeneration: 2, replicas: 1}", "0 of 1 pods made from the latest template"),
    (
        "StatefulSet",
        "",
        "{observedGeneration: 2, replicas: 2, readyReplicas: 2, currentRevision: a, updateRevision: a}",
        "1 of 2 pods left after the surplus is gone",
    ),
    ("StatefulSet", "", "", "its controller has not seen it yet"),
    ("StatefulSet", "replicas: 2", "{observedGeneration: 2, readyReplicas: 1}", "1 of 2 pods ready"),
    (
        "StatefulSet",
        "",
        "{observedGeneration: 2, readyReplicas: 1, currentRevision: a, updateRevision: b}",
        "pods of the old revision are still there",
    ),
    ("DaemonSet", "", "", "its controller has not seen it yet"),
    ("DaemonSet", "", "observedGeneration: 2", "its controller has not seen it yet"),
    ("DaemonSet", "", "{observedGeneration: 2, desiredNumberScheduled: 1}", "0 of 1 pods scheduled"),
    (
        "DaemonSet",
        "",
        "{observedGeneration: 2, desiredNumberScheduled: 1, currentNumberScheduled: 1}",
        "0 of 1 pods updated",
    ),
    ("Job", "", "{active: 1}", "has not completed yet"),
    ("Job", "suspend: true", "", "is about to be suspended"),
    ("CustomResourceDefinition", "", "", "its controller has not set the condition Established yet"),
    ("APIService", "", "conditions: [{type: Available, status: 'False', message: no endpoints}]", "no endpoints"),
    ("Anything", "", f"conditions: [{NO}]", "M"),
    ("Anything", "", "conditions: [{type: Reconciling, status: 'True', reason: R}]", "R"),
    (
        "Anything",
        "",
        f"{{observedGeneration: 1, conditions: [{YES}]}}",
        "its controller has not seen the latest change yet",
    ),
    ("HelmRelease", "", "", "its controller has not seen it yet"),
    ("HelmRelease", "", f"{{observedGeneration: 2, conditions: [{NO}]}}", "M"),
    (
        "HelmRelease",
        "",
        f"{{observedGeneration: 2, conditions: [{NO}, {{type: Reconciling, status: 'True', message: retrying}}]}}",
        "M",
    ),
    (
        "HelmRelease",
        "",
        f"{{observedGeneration: 2, conditions: [{YES}, {{type: Reconciling, status: 'True', message: upgrading}}]}}",
        "upgrading",
    ),
    (
        "HelmRelease",
        "",
        "{observedGeneration: 2, installFailures: 1, conditions: [{type: Released, status: 'False', reason: InstallFailed},"
        " {type: Ready, status: 'False', message: webhook is down}]}",
        "webhook is down",
    ),
    (
        "HelmRelease",
        "",
        "{observedGeneration: -1, conditions: [{type: Ready, status: Unknown, observedGeneration: 2, message: installing}]}",
        "installing",
    ),
    (
        "HelmRelease",
        "",
        "{observedGeneration: 1, conditions: [{type: Ready, status: 'True', observedGeneration: 1, message: old}]}",
        "its controller has not seen the latest change yet",
    ),
    (
        "HelmRelease",
        "",
        "{observedGeneration: 1, conditions: [{type: Reconciling, status: 'True', observedGeneration: 1, message: upgrading}]}",
        "its controller is still busy with an earlier change: upgrading",
    ),
    ("HelmRepository", "", "", "its controller has not seen it yet"),
    ("GitRepository", "", "", "its controller has not seen it yet"),
    ("FluxInstance", "", "", "its controller has not set the condition Ready yet"),
    (
        "FluxInstance",
        "",
        "conditions: [{type: Ready, status: 'True', observedGeneration: 1}]",
        "has not set the condition Ready",
    ),
    ("ExternalSecret", "", "", "its controller has not set the condition Ready yet"),
    (
        "ExternalSecret",
        "",
        f"{{syncedResourceVersion: 1-abc, conditions: [{YES}]}}",
        "the latest change is not synced yet",
    ),
    (
        "ClusterIssuer",
        "",
        "conditions: [{type: Ready, status: 'True', observedGeneration: 1}]",
        "has not set the condition Ready",
    ),
    ("Certificate", "", f"conditions: [{NO}]", "M"),
    ("Cluster", "", "", "its operator has not seen it yet"),
    ("Cluster", "", "phase: Setting up primary", "Setting up primary"),
    ("Cluster", "", "{phase: P, phaseReason: why}", "why"),
    (
        "Cluster",
        "instances: 2",
        f"{{phase: Cluster in healthy state, readyInstances: 1, conditions: [{YES}]}}",
        "1 of 2 instances ready",
    ),
    (
        "Cluster",
        "imageName: 'p:17.11'",
        f"{{phase: Cluster in healthy state, readyInstances: 1, image: 'p:17.9', conditions: [{YES}]}}",
        "is to run by p:17.11, which its operator has not seen yet",
    ),
    ("Database", "", "{observedGeneration: 2, message: no such owner}", "no such owner"),
    ("Dragonfly", "", "", "its phase is not set yet"),
    ("Dragonfly", "", "phase: resources-created", "its phase is resources-created"),
    ("ObjectBucketClaim", "", "phase: Pending", "its phase is Pending"),
    ("Pooler", "instances: 2", "instances: 1", "1 of 2 instances there"),
    ("Pooler", "instances: 2", "phase: inactive", "its phase is inactive"),
    ("CephCluster", "", "", "its phase is not set yet"),
    ("CephCluster", "", "{phase: Progressing, message: Configuring Ceph Mons}", "Configuring Ceph Mons"),
    (
        "CephCluster",
        "",
        "{phase: Ready, ceph: {health: HEALTH_ERR, details: {OSD_DOWN: {severity: HEALTH_ERR, message: 1 osds down}}}}",
        "1 osds down (OSD_DOWN)",
    ),
    (
        "CephCluster",
        "",
        "{phase: Ready, ceph: {health: HEALTH_ERR, details: {error: {severity: Urgent, message: 'timed out: exit status 1'}}}}",
        "timed out: exit status 1",
    ),
    (
        "CephCluster",
        "",
        "{phase: Ready, ceph: {health: HEALTH_ERR, details: {"
        "OSD_FULL: {severity: HEALTH_ERR, message: 1 full osd(s)}, "
        "PG_DEGRADED: {severity: HEALTH_WARN, message: Degraded data redundancy}, "
        "POOL_FULL: {severity: HEALTH_ERR, message: 8 pool(s) full}}}}",
        "1 full osd(s) (OSD_FULL); 8 pool(s) full (POOL_FULL)",
    ),
    ("CephCluster", "", "{phase: Ready, ceph: {health: HEALTH_ERR}}", "Ceph's health is HEALTH_ERR"),
    (
        "CephCluster",
        "",
        "{phase: Ready, ceph: {health: HEALTH_WARN, details: {"
        "TOO_FEW_OSDS: {severity: HEALTH_WARN, message: OSD count 0 < osd_pool_default_size 1}}}}",
        "OSD count 0 < osd_pool_default_size 1",
    ),
    ("CephObjectStore", "", "{observedGeneration: 1, phase: Ready}", "has not seen the latest change yet"),
    ("ReplicationSource", "", "", "its operator has not seen it yet"),
    (
        "ReplicationSource",
        "",
        "conditions: [{type: Synchronizing, status: 'False', reason: Error, message: repository is locked}]",
        "repository is locked",
    ),
    ("Cluster", "", f"{{phase: '{PLUGIN}', phaseReason: 'Unknown plugin: barman'}}", "Unknown plugin: barman"),
    ("Gateway", "", "", "its controller has not set the condition Accepted yet"),
    (
        "Gateway",
        "",
        "conditions: [{type: Accepted, status: 'True'}, {type: Programmed, status: 'True'}]",
        "it has no address yet",
    ),
    # One of its listeners has a port that its controller does not listen at, but others are served.
    (
        "Gateway",
        "",
        "{conditions: [{type: Accepted, status: 'True'}, {type: Programmed, status: 'True'}], "
        "listeners: [{name: b, conditions: [{type: Accepted, status: 'False', reason: PortUnavailable}]}]}",
        "it has no address yet",
    ),
    ("HTTPRoute", "parentRefs: [{name: g}]", "", "not all of its Gateways have answered yet"),
    (
        "HTTPRoute",
        "parentRefs: [{name: g}]",
        "parents: [{parentRef: {name: g}, conditions: [{type: Accepted, status: 'False', message: not allowed}]}]",
        "Gateway g: not allowed",
    ),
]
FAILED = [
    ("PersistentVolumeClaim", "", "phase: Lost", "the volume behind it is gone"),
    ("Pod", "", "{phase: Failed, message: evicted}", "evicted"),
    (
        "Deployment",
        "",
        "{observedGeneration: 2, conditions: [{type: Progressing, reason: ProgressDeadlineExceeded, message: too slow}]}",
        "too slow",
    ),
    ("Job", "", "conditions: [{type: Failed, status: 'True', message: backoff}]", "backoff"),
    ("Pooler", "", "phase: failed", "its phase is failed"),
    (
        "Gateway",
        "",
        "{conditions: [{type: Accepted, status: 'False'}], "
        "listeners: [{name: a, conditions: [{type: Accepted, status: 'True'}]}, "
        "{name: b, conditions: [{type: Accepted, status: 'False', reason: PortUnavailable, message: no port 443}]}]}",
        "listener b: no port 443",
    ),
    (
        "CustomResourceDefinition",
        "",
        "conditions: [{type: NamesAccepted, status: 'False', reason: ListKindConflict, message: taken}]",
        "taken",
    ),
    ("Anything", "", "conditions: [{type: Stalled, status: 'True', message: gave up}]", "gave up"),
    ("HelmRelease", "suspend: true", f"{{observedGeneration: 2, conditions: [{YES}]}}", "is suspended"),
    (
        "HelmRelease",
        "",
        "{observedGeneration: 2, upgradeFailures: 2, conditions: [{type: Released, status: 'False', reason: UpgradeFailed,"
        " message: hook failed}, {type: Reconciling, status: 'True'}]}",
        "failed 2 times: hook failed",
    ),
    ("HelmRepository", "suspend: true", "", "is suspended"),
    ("Kustomization", "suspend: true", "", "is suspended"),
    ("Certificate", "", "conditions: [{type: Issuing, status: 'False', reason: Failed, message: denied}]", "denied"),
    ("Cluster", "", "{phase: 'Cluster is unrecoverable and needs manual intervention'}", "unrecoverable"),
    ("Cluster", "", "{phase: Invalid cluster definition, phaseReason: no such plugin}", "no such plugin"),
    ("Cluster", "", "{phase: Not enough disk space, phaseReason: WAL is full}", "WAL is full"),
    ("Cluster", "", "{phase: Waiting for user action, phaseReason: switchover}", "switchover"),
    ("Backup", "", "{phase: failed, error: no bucket}", "no bucket"),
]


def item(kind: str, spec: str, status: str) -> dict[str, Any]:
    found = {"apiVersion": API.get(kind, "v1"), "kind": kind, "metadata": {"name": "a", "generation": 2}}
    parts = {"spec": yaml.safe_load(spec), "status": yaml.safe_load(status)}
    return found | {name: part for name, part in parts.items() if part}


@pytest.mark.parametrize(("kind", "spec", "status"), CURRENT)
def test_current(kind: str, spec: str, status: str) -> None:
    assert compute(item(kind, spec, status)).verdict == "Current"


@pytest.mark.parametrize(("kind", "spec", "status", "reported"), IN_PROGRESS)
def test_in_progress(kind: str, spec: str, status: str, reported: str) -> None:
    found = compute(item(kind, spec, status))
    assert found.verdict == "InProgress"
    assert reported in str(found)


@pytest.mark.parametrize(("kind", "spec", "status", "reported"), FAILED)
def test_failed(kind: str, spec: str, status: str, reported: str) -> None:
    found = compute(item(kind, spec, status))
    assert found.verdict == "Failed"
    assert reported in str(found)


def test_what_is_being_deleted_is_never_current() -> None:
    dying = item("ConfigMap", "", "")
    dying["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b", "c/d"]}
    assert str(compute(dying)) == "is being deleted, held by a/b, c/d"


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        ("conditions: [{type: cnpg.io/hibernation, status: 'True', reason: Hibernated}]", "is hibernated"),
        ("phase: Cluster in healthy state", "is to be hibernated"),
    ],
)
def test_a_hibernated_database_is_reported_with_how_to_wake_it(status: str, reported: str) -> None:
    asleep = item("Cluster", "", status)
    asleep["metadata"] |= {"namespace": "ns", "annotations": {"cnpg.io/hibernation": "on"}}
    found = compute(asleep)
    assert (found.verdict, found.reason) == ("Failed", "Hibernated")
    assert reported in str(found)
    assert found.remedy == (
        "Wake it: kubectl annotate -n ns clusters.postgresql.cnpg.io a cnpg.io/hibernation=off --overwrite."
    )
    asleep["metadata"]["annotations"] |= {"fediverse.mastodon/replaced-by": "a-2"}
    assert str(compute(asleep)).endswith("and Cluster a-2 is in its place")
    assert compute(asleep).remedy.startswith("Playbook restore leads back to it by restore_back=a;")
    asleep["metadata"]["annotations"] = {"cnpg.io/hibernation": "off"}
    assert compute(asleep).verdict == "InProgress"
