# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the custom kinds that this collection applies are Current.

Most follow the condition Ready but must not be believed before they have it. The others show it by a phase, by several
conditions, or with a generation of their own.
"""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import ceph_health, gateway_api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import (
    CURRENT,
    Item,
    Rule,
    Status,
    conditions_of,
    failed,
    progressing,
    require,
)

# With RetryOnFailure Flux never gives up; one failure may be a webhook that was still starting, a second one is not.
_TRIES = 2
# Whoever sets this asks Flux to act on an object now:
# https://fluxcd.io/flux/components/helm/helmreleases/#triggering-a-reconcile
REQUESTED = "reconcile.fluxcd.io/requestedAt"

# Ceph's code for it: https://docs.ceph.com/en/latest/rados/operations/health-checks/#too-few-osds
NO_DISK = "TOO_FEW_OSDS"
# https://cloudnative-pg.io/documentation/current/declarative_hibernation/
HIBERNATION = "cnpg.io/hibernation"
# On one that a restore has put to sleep: what came after it.
REPLACED_BY = "fediverse.mastodon/replaced-by"
# Phases that CloudNativePG never leaves by itself, and what to do. Others that report an error are tried again.
# https://github.com/cloudnative-pg/cloudnative-pg/blob/main/api/v1/cluster_types.go
_CNPG_ENDS = {
    "Cluster is unrecoverable and needs manual intervention": "Restore it from a backup, or repair its volumes.",
    "Invalid cluster definition": "Correct it.",
    "Cluster cannot execute instance online upgrade due to missing architecture binary": (
        "Use an image of the operator that has the architecture of every node."
    ),
    "Not enough disk space": "Enlarge spec.storage.size, or spec.walStorage.size.",
    "Waiting for user action": "Ask for a switchover: kubectl cnpg promote, or set primaryUpdateStrategy to unsupervised.",
}


def is_asked(item: Item) -> bool:
    """Whether Flux was asked to act on an object and has not done so yet: what it says is about before that."""
    asked = (at(item, "metadata.annotations") or {}).get(REQUESTED)
    return bool(asked) and at(item, "status.lastHandledReconcileAt") != asked


def any_kind(item: Item) -> Status:
    """Return the status of a kind without a rule: without the condition Ready it is Current because it exists."""
    found = conditions_of(item)
    reconciling = found.get("Reconciling")
    if reconciling and reconciling.status == "True":
        return progressing(reconciling.reason, reconciling.text())
    return require(found, "Ready") if "Ready" in found else CURRENT


def _ready(item: Item) -> Status:
    found = conditions_of(item)
    return any_kind(item) if "Ready" in found or "Reconciling" in found else require(found, "Ready")


def _observed_ready(item: Item) -> Status:
    if at(item, "status.observedGeneration") is None:
        return progressing("NoStatus", "its controller has not seen it yet")
    return _ready(item)


def _source(item: Item) -> Status:
    # A Helm repository of type oci is only an address: https://fluxcd.io/flux/components/source/helmrepositories/
    if at(item, "spec.type") == "oci":
        return CURRENT
    suspended = _suspended(item)
    return suspended or _observed_ready(item)


def _suspended(item: Item) -> Status | None:
    if at(item, "spec.suspend", False):
        return failed("Suspended", "is suspended, so Flux does not act on it; resume it by spec.suspend: false")
    return None


def _helm_release(item: Item) -> Status:
    if suspended := _suspended(item):
        return suspended
    if is_asked(item):
        return progressing("Asked", "Flux has not finished what it was asked for")
    found = conditions_of(item)
    tries = max(at(item, "status.installFailures", 0), at(item, "status.upgradeFailures", 0))
    released = found.get("Released")
    if tries >= _TRIES and released and released.reason in ("InstallFailed", "UpgradeFailed"):
        return failed(released.reason, f"failed {tries} times: {released.text()}")
    ready = found.get("Ready")
    reconciling = found.get("Reconciling")
    if reconciling and reconciling.status == "True":
        condition = ready if ready and ready.status == "False" else reconciling
        return progressing(condition.reason, condition.text())
    return _observed_ready(item)


def _external_secret(item: Item) -> Status:
    # The generation is the first part of `generation-hash`: https://external-secrets.io/latest/api/externalsecret/
    synced = str(at(item, "status.syncedResourceVersion", ""))
    ready = _ready(item)
    if ready.verdict == "Current" and synced.partition("-")[0] != str(at(item, "metadata.generation") or ""):
        return progressing("LatestGenerationNotObserved", "the latest change is not synced yet")
    return ready


def _certificate(item: Item) -> Status:
    ready = _ready(item)
    issuing = conditions_of(item).get("Issuing")
    if ready.verdict != "Current" and issuing and issuing.status == "False" and issuing.reason == "Failed":
        # cert-manager tries again only after an hour: https://cert-manager.io/docs/faq/acme/
        return failed(issuing.reason, issuing.text())
    return ready


def _cnpg_cluster(item: Item) -> Status:
    if (at(item, "metadata.annotations") or {}).get(HIBERNATION) == "on":
        return _hibernated(item)
    phase = at(item, "status.phase", "")
    message = at(item, "status.phaseReason", "") or phase
    if phase in _CNPG_ENDS:
        return failed(phase, message, _CNPG_ENDS[phase])
    ready, wanted = at(item, "status.readyInstances", 0), at(item, "spec.instances", 1)
    # Which it notes before it replaces the first instance:
    # https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/internal/controller/cluster_image.go
    asked, noted = at(item, "spec.imageName", ""), at(item, "status.image", "")
    if asked and noted and asked != noted:
        return progressing("Image", f"is to run by {asked}, which its operator has not seen yet")
    if phase != "Cluster in healthy state":
        return progressing(phase or "NoStatus", message or "its operator has not seen it yet")
    if ready != wanted:
        return progressing("Instances", f"{ready} of {wanted} instances ready")
    return _ready(item)


def _hibernated(item: Item) -> Status:
    metadata, condition = item["metadata"], conditions_of(item).get(HIBERNATION)
    is_over = condition is not None and condition.status == "True"
    message = "is hibernated: its pods are gone, its volumes are kept" if is_over else "is to be hibernated"
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    if following := (at(item, "metadata.annotations") or {}).get(REPLACED_BY):
        remedy = f"Playbook restore leads back to it by restore_back={name}; delete it once nobody wants to go back."
        return failed("Hibernated", f"{message}, and Cluster {following} is in its place", remedy)
    wake = f"kubectl annotate -n {namespace} clusters.postgresql.cnpg.io {name} {HIBERNATION}=off --overwrite"
    return failed("Hibernated", message, f"Wake it: {wake}.")


def _applied(item: Item) -> Status:
    if at(item, "status.applied", False):
        return CURRENT
    return progressing("NotApplied", at(item, "status.message", "its operator has not applied it yet"))


def _phase(good: str, *bad: str) -> Rule:
    def rule(item: Item) -> Status:
        phase = str(at(item, "status.phase", ""))
        if phase.lower() == good.lower():
            return CURRENT
        message = (
            at(item, "status.message", "") or at(item, "status.error", "") or f"its phase is {phase or 'not set yet'}"
        )
        return failed(phase, message) if phase in bad else progressing(phase or "NoStatus", message)

    return rule


def _pooler(item: Item) -> Status:
    # Its phase is new in CloudNativePG 1.30; before, the number of instances is all that it says.
    if at(item, "status.phase"):
        return _phase("active", "failed")(item)
    ready, wanted = at(item, "status.instances", 0), at(item, "spec.instances", 1)
    return CURRENT if ready == wanted else progressing("Instances", f"{ready} of {wanted} instances there")


def _ceph_cluster(item: Item) -> Status:
    # Once Ready it stays so; how it is now stands in its health:
    # https://rook.io/docs/rook/latest/CRDs/Cluster/ceph-cluster-crd/#status
    ready = _phase("Ready")(item)
    if ready.verdict == "Current" and ceph_health.of(item) == ceph_health.ERR:
        return progressing(ceph_health.ERR, ceph_health.details(item) or "Ceph's health is HEALTH_ERR")
    # Rook is content without a disk: https://github.com/ceph/ceph/blob/main/src/osd/OSDMap.cc (TOO_FEW_OSDS)
    few = str(at(item, "status.ceph.details.TOO_FEW_OSDS.message", ""))
    if ready.verdict == "Current" and few.startswith("OSD count 0 "):
        return progressing(NO_DISK, few)
    return ready


def _replication_source(item: Item) -> Status:
    # A first backup may take hours and a scheduled one is made at night: Current is what can make one.
    synchronizing = conditions_of(item).get("Synchronizing")
    if synchronizing is None:
        return progressing("NoStatus", "its operator has not seen it yet")
    # The next try may go well: a repository was locked, or could not be reached.
    if synchronizing.reason == "Error":
        return progressing(synchronizing.reason, synchronizing.text())
    return CURRENT


RULES: dict[tuple[str, str], Rule] = {
    **{
        ("source.toolkit.fluxcd.io", kind): _source
        for kind in ("GitRepository", "OCIRepository", "Bucket", "HelmChart")
    },
    ("source.toolkit.fluxcd.io", "HelmRepository"): _source,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _helm_release,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): lambda item: _suspended(item) or _observed_ready(item),
    ("fluxcd.controlplane.io", "FluxInstance"): _ready,
    ("external-secrets.io", "ExternalSecret"): _external_secret,
    ("external-secrets.io", "SecretStore"): _ready,
    ("external-secrets.io", "ClusterSecretStore"): _ready,
    ("cert-manager.io", "Issuer"): _ready,
    ("cert-manager.io", "ClusterIssuer"): _ready,
    ("cert-manager.io", "Certificate"): _certificate,
    ("postgresql.cnpg.io", "Cluster"): _cnpg_cluster,
    ("postgresql.cnpg.io", "Database"): _applied,
    ("postgresql.cnpg.io", "Pooler"): _pooler,
    ("postgresql.cnpg.io", "Backup"): _phase("completed", "failed", "invalid backup definition"),
    ("dragonflydb.io", "Dragonfly"): _phase("ready"),
    ("objectbucket.io", "ObjectBucketClaim"): _phase("Bound"),
    ("ceph.rook.io", "CephCluster"): _ceph_cluster,
    ("ceph.rook.io", "CephBlockPool"): _phase("Ready"),
    ("ceph.rook.io", "CephObjectStore"): _phase("Ready"),
    ("volsync.backube", "ReplicationSource"): _replication_source,
    ("gateway.networking.k8s.io", "GatewayClass"): gateway_api.gateway_class,
    ("gateway.networking.k8s.io", "Gateway"): gateway_api.gateway,
    ("gateway.networking.k8s.io", "HTTPRoute"): gateway_api.route,
}

# Without any generation in their status, what they say right after a change may still be about what was before it.
WITHOUT_GENERATION = frozenset(
    {
        ("postgresql.cnpg.io", "Cluster"),
        ("postgresql.cnpg.io", "Pooler"),
        ("dragonflydb.io", "Dragonfly"),
        ("objectbucket.io", "ObjectBucketClaim"),
        ("volsync.backube", "ReplicationSource"),
    }
)
