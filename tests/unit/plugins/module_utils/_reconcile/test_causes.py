# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubelets, registries, the scheduler and controllers really say, and for how long it may heal."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.causes import (
    POD_CAUSES,
    STALE_CAUSES,
    STATUS_CAUSES,
    WEBHOOK_CAUSES,
    find,
)

BACK_OFF = 'ImagePullBackOff: Back-off pulling image "r.test/a:1": ErrImagePull: '
WEBHOOK = 'failed calling webhook "w": failed to call webhook: Post "https://w.ns.svc:443/validate": '
PODS = [
    ('InvalidImageName: Failed to apply default image tag "UPPER::x": invalid reference format', 0, 15),
    ('ErrImageNeverPull: Container image "x" is not present with pull policy of Never', 10, 10),
    (f"{BACK_OFF}rpc error: code = NotFound desc = failed to resolve reference: r.test/a:1: not found", 5, 330),
    (f"{BACK_OFF}reading manifest 1 in r.test/a: manifest unknown", 5, 330),
    (f"{BACK_OFF}pull access denied, repository does not exist or may require authorization", 30, 330),
    (f"{BACK_OFF}unexpected status from HEAD request: 401 Unauthorized", 30, 330),
    (f"{BACK_OFF}failed to do request: dial tcp: lookup r.test: no such host", 120, 330),
    ("ErrImagePull: unexpected status: 503 Service Unavailable", 120, 330),
    ('CreateContainerConfigError: secret "db" not found', 60, 60),
    ("CreateContainerError: context deadline exceeded", 60, 330),
    ('FailedMount: MountVolume.SetUp failed for volume "a" : secret "b" not found', 60, 60),
    ("CrashLoopBackOff: it crashed 5 times, the last time with exit code 1", 0, 330),
    ("PodsFailed: 3 of its pods failed", 0, 330),
    ("JobFailed: Job has reached the specified backoff limit", 0, 330),
    ("Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate", 30, 30),
    ("Unschedulable: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", 60, 60),
    ('Unschedulable: 0/1 nodes are available: persistentvolumeclaim "lost" not found.', 60, 60),
    ("Unschedulable, while a node is being added: 0/1 nodes are available: 1 Insufficient cpu.", 900, 900),
    ("OldRevision: it is of an older revision, and the StatefulSet waits for it", 60, 60),
    ('FailedCreate: pods "a" is forbidden: exceeded quota: q, requested: pods=1', 10, 60),
    ('FailedCreate: pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', 5, 60),
    (f"FailedCreate: Internal error occurred: {WEBHOOK}connection refused", 60, 120),
    ('FailedCreate: pods "a" is forbidden: error looking up service account ns/x: not found', 30, 60),
]
NOT_READY = "HelmRelease SourceNotReady: HelmChart 'flux-system/ns-a' is not ready: "
REFERENCE = f"{NOT_READY}invalid chart reference: failed to get chart version for remote reference: "
PULL = f"{NOT_READY}chart pull error: failed to download chart for remote reference: failed to get 'oci://r.test/a:9': "
INDEX = "HelmRepository Failed: failed to fetch Helm repository index: failed to cache index to temporary file: "
# What Flux's controllers, CloudNativePG and VolSync write into their conditions and phases.
STATUSES = [
    (f"{REFERENCE}no 'a' chart with version matching '9' found", 20),
    (f"{REFERENCE}no chart name found", 20),
    (f"{REFERENCE}could not locate a version matching provided version string >=9", 20),
    (f"{PULL}r.test/a:9: not found", 20),
    (f'{PULL}GET "https://r.test/v2/a/manifests/9": response status code 404: name unknown', 20),
    (f'{PULL}GET "https://r.test/v2/a/manifests/9": response status code 403: denied: denied', 60),
    (f'{PULL}Get "https://r.test/v2/": dial tcp: lookup r.test on 10.0.0.10:53: no such host', 300),
    (f'{PULL}Get "https://r.test/v2/": dial tcp 10.0.0.1:443: connect: connection refused', 300),
    (f'{PULL}Get "https://r.test/v2/": net/http: TLS handshake timeout', 300),
    (f'{NOT_READY}failed to get source: HelmRepository.source.toolkit.fluxcd.io "a" not found', 60),
    (f"{INDEX}failed to fetch https://r.test/index.yaml : 404 Not Found", 20),
    (f"{INDEX}failed to fetch https://r.test/index.yaml : 401 Unauthorized", 60),
    (f"{INDEX}failed to fetch https://r.test/index.yaml : 503 Service Unavailable", 300),
    (f'{INDEX}Get "https://r.test/index.yaml": context deadline exceeded', 300),
    ("Cluster Cluster cannot proceed to reconciliation due to an unknown plugin being required: Unknown plugin", 120),
    ("Cluster Cluster has incomplete or invalid image catalog: catalog not found", 60),
    ("ReplicationSource Error: repository is locked", 120),
    ("PersistentVolumeClaim NoStorageClass: there is no StorageClass fast, only slow", 30),
    ("Deployment Paused: is paused", 30),
    ("CephCluster TOO_FEW_OSDS: OSD count 0 < osd_pool_default_size 1", 120),
]
NO_STATUS_CAUSE = [
    f"{NOT_READY}latest generation of object has not been reconciled",
    f"{NOT_READY}no artifact available for HelmRepository source 'a'",
    "HelmRelease InstallFailed: Helm install failed: secret not found",
    "Cluster Setting up primary: Creating primary instance db-1",
]
NO_CAUSE = ["FailedMount: timed out waiting for the condition", "Anything: else", ""]


@pytest.mark.parametrize(("text", "seconds", "seconds_before"), PODS)
def test_each_cause_has_its_time(text: str, seconds: float, seconds_before: float) -> None:
    cause = find(POD_CAUSES, text)
    assert cause is not None
    assert (cause.seconds, cause.seconds_before) == (seconds, seconds_before)
    assert cause.remedy.format(namespace="ns", name="a", container="main").endswith(".")


@pytest.mark.parametrize("text", NO_CAUSE)
def test_what_is_not_known_is_not_given_up(text: str) -> None:
    assert find(POD_CAUSES, text) is None


@pytest.mark.parametrize(
    ("why", "seconds"),
    [
        (f'{WEBHOOK}service "w" not found', 15),
        (f"{WEBHOOK}tls: failed to verify certificate: x509: certificate signed by unknown authority", 90),
        (f'{WEBHOOK}no endpoints available for service "w"', 120),
        (f"{WEBHOOK}connect: connection refused", 120),
    ],
)
def test_each_webhook_has_its_time(why: str, seconds: float) -> None:
    cause = find(WEBHOOK_CAUSES, why)
    assert cause is not None
    assert cause.seconds == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Suspended: is suspended", 0),
        ("Hibernated: is hibernated", 0),
        ("Not enough disk space: Insufficient disk space detected", 330),
        ("BackoffLimitExceeded: Job has reached the specified backoff limit", 0),
        ("ProgressDeadlineExceeded: too slow", 330),
        ("RetriesExceeded: Failed to install", 15),
    ],
)
def test_what_failed_before_the_run_has_its_time(text: str, seconds: float) -> None:
    cause = find(STALE_CAUSES, text)
    assert cause is not None
    assert cause.seconds_before == seconds


@pytest.mark.parametrize(("text", "seconds"), STATUSES)
def test_what_an_object_says_of_itself_has_its_time(text: str, seconds: float) -> None:
    cause = find(STATUS_CAUSES, text)
    assert cause is not None
    assert cause.seconds == seconds
    assert cause.remedy.format(namespace="ns", name="a").endswith(".")


@pytest.mark.parametrize("text", NO_STATUS_CAUSE)
def test_what_is_on_its_way_is_not_given_up(text: str) -> None:
    assert find(STATUS_CAUSES, text) is None
