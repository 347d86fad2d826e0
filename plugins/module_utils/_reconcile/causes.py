# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why objects do not come up, and how long each cause may take to heal before waiting on is of no use.

The only place where that is decided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Kubelet tries a pull or a crashed container again after at most five minutes:
# https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts
_NEXT_TRY = 330.0


@dataclass(frozen=True)
class Cause:
    """A cause by the pattern of its `Reason: message`.

    `seconds` is how long it may heal from when it is first seen. `seconds_before` is the same for what was so before the
    run began, as what the run changed, or somebody repaired, may be noticed only at the next try. In `remedy`,
    `{namespace}` and `{name}` are those of the object that has the trouble, and `{container}` is which of a pod's has it.
    """

    pattern: str
    seconds: float
    seconds_before: float
    remedy: str

    def matches(self, text: str) -> bool:
        """Whether this is the cause of a `Reason: message`."""
        return re.match(self.pattern, text, re.DOTALL) is not None


_PULL = r"(ErrImagePull|ImagePullBackOff|RegistryUnavailable|ImageInspectError): "
# Not with --all-containers, by which kubectl stops at the first one that never crashed. No line of the log is quoted, as it may be secret:
# Ruby, for one, prints the whole URL, password included, of a REDIS_URL that it cannot read.
_LOGS = "Read why: kubectl logs -n {namespace} {name} -c {container} --previous."
_JOB_LOGS = "Read why: kubectl logs -n {namespace} job/{name} --all-containers."

# Of pods and of what makes pods. The first that matches counts.
POD_CAUSES = (
    Cause("InvalidImageName", 0, 15, "Correct the image's name."),
    Cause("ErrImageNeverPull", 10, 10, "Load the image onto the nodes, or let it be pulled."),
    # Credentials may come a moment later, from Vault for example. Some registries say so of what they do not have, too.
    Cause(
        _PULL + ".*(denied|unauthorized|authorization|40[13])",
        30,
        _NEXT_TRY,
        "Check the image's name and the credentials in imagePullSecrets.",
    ),
    Cause(
        _PULL + ".*(: not found|(manifest|name) unknown|does not exist)",
        5,
        _NEXT_TRY,
        "Check the image's name and tag, and that the registry has it.",
    ),
    # A registry, or the way to it, that does not answer may be back soon.
    Cause(_PULL, 120, _NEXT_TRY, "Check that the nodes reach the registry."),
    # What it names may come from Vault a moment later.
    Cause("CreateContainerConfigError", 60, 60, "Create what it names, or correct the name."),
    Cause("(CreateContainerError|RunContainerError|StartError)", 60, _NEXT_TRY, "Correct the container's command."),
    Cause("FailedMount: .*(not found|non-existent)", 60, 60, "Create what it mounts, or correct the name."),
    # Counted in `troubles`, as the first crashes are often a database that is still starting.
    Cause("CrashLoopBackOff", 0, _NEXT_TRY, _LOGS),
    Cause("(PodsFailed|JobFailed)", 0, _NEXT_TRY, _JOB_LOGS),
    # Machines take minutes to start.
    Cause("Unschedulable, while a node is being added", 900, 900, "Check the cluster's autoscaler."),
    # A volume may still be made. One that waits for its pod is no obstacle to scheduling.
    Cause(
        "Unschedulable: .*(?i:persistentvolumeclaim|volume)",
        60,
        60,
        "Check its claims: kubectl describe pvc -n {namespace}.",
    ),
    # Pods that are about to end, or a node that is starting, may make room.
    Cause("Unschedulable", 30, 30, "Give the nodes what they lack, or ask for less."),
    Cause("OldRevision", 60, 60, "Delete that pod: kubectl delete pod -n {namespace} {name}."),
    # Pods that are about to end count as well.
    Cause("FailedCreate: .*exceeded quota", 10, 60, "Raise the quota or ask for less."),
    Cause("FailedCreate: .*violates PodSecurity", 5, 60, "Change the pod or the namespace's level."),
    Cause("FailedCreate: .*failed calling webhook", 60, 120, "Check the webhook's pods."),
    Cause("FailedCreate", 30, 60, "Check it: kubectl get events -n {namespace}."),
)

_SOURCES = (
    r"((HelmChart|HelmRepository|OCIRepository|GitRepository|Bucket) |HelmRelease (SourceNotReady|ArtifactFailed): )"
)
_PASSING = r"no such host|server misbehaving|connection re|unreachable|time(d )?out|deadline exceeded|\bEOF\b|\b5\d\d [A-Z]|\b429\b"

# Of what an object says of itself, by `Kind Reason: message`. Flux asks a source again for ever, whatever it answered:
# https://github.com/fluxcd/source-controller/blob/main/internal/helm/repository/chart_repository.go
STATUS_CAUSES = (
    Cause(_SOURCES + f".*({_PASSING})", 300, 300, "Check that the cluster reaches it; Flux's source-controller asks."),
    Cause(
        _SOURCES + ".*(401|403|[Uu]nauthorized|denied|authenticat)",
        60,
        60,
        "Check its address, and the credentials in its secretRef.",
    ),
    Cause(
        _SOURCES + ".*(no chart (name|version) found|no '[^']*' chart with version|could not locate a version"
        "|unable to locate any tags)",
        20,
        40,
        "Check the chart's name and version, and that its repository has them.",
    ),
    # What it names may be made a moment later.
    Cause(
        _SOURCES + r".*(could not get Source object|failed to get source)", 60, 60, "Create it, or correct the name."
    ),
    Cause(
        _SOURCES + ".*(not found|404|(name|manifest) unknown|does not exist|couldn't find remote ref)",
        20,
        40,
        "Check its address, and the chart's name and version.",
    ),
    # Tried again every 10 or 15 s, as a plugin may be starting.
    Cause(
        "Cluster Cluster cannot proceed to reconciliation",
        120,
        120,
        "Check the plugin's pods in the operator's namespace.",
    ),
    Cause(
        "Cluster Cluster has incomplete or invalid image catalog", 60, 60, "Create the image catalog, or correct it."
    ),
    Cause("Cluster Unable to create required cluster objects", 120, 120, "Check the operator's log."),
    Cause(
        "ReplicationSource Error: ", 120, 120, "Check its mover: kubectl logs -n {namespace} job/volsync-src-{name}."
    ),
    # Rook has looked at all disks by then; whoever wiped one lets its operator look again.
    Cause(
        "CephCluster TOO_FEW_OSDS: ",
        120,
        _NEXT_TRY,
        "It took no disk. Read why it passed over each: kubectl logs -n {namespace} -l app=rook-ceph-osd-prepare --tail=-1.",
    ),
    Cause("PersistentVolumeClaim NoStorageClass: ", 30, 30, "Correct storageClassName, or create the StorageClass."),
    Cause("Deployment Paused: ", 30, 30, "Resume it: kubectl rollout resume -n {namespace} deployment/{name}."),
)

# Of an admission webhook that does not answer when an object is applied; the error says what to do.
WEBHOOK_CAUSES = (
    # A release applies its Services before its webhook configurations.
    Cause('.*service "[^"]*" not found', 15, 15, ""),
    # Its certificate is often made, and made known, after its pods are up.
    Cause(".*x509", 90, 90, ""),
    Cause("", 120, 120, ""),
)

# Of objects that were Failed before the run began, by `reason: message`.
STALE_CAUSES = (
    Cause("(Suspended|Hibernated|BackoffLimitExceeded|DeadlineExceeded|PodFailurePolicy|Lost)", 0, 0, ""),
    # Its pods are looked at as well, and they show it sooner.
    Cause("ProgressDeadlineExceeded", 0, _NEXT_TRY, ""),
    # Volumes take a while to grow, and CloudNativePG looks again only then.
    Cause("Not enough disk space", 0, _NEXT_TRY, ""),
    Cause("", 0, 15, ""),
)


def find(causes: tuple[Cause, ...], text: str) -> Cause | None:
    """Return the first cause that matches `Reason: message`, None if it is no known one."""
    return next((cause for cause in causes if cause.matches(text)), None)
