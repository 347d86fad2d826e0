# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a set is applied.

Namespaces and CRDs; then the set's inventory; then everything else by `config.kubernetes.io/depends-on`; then kinds that
are not served yet, as a chart of the same set may bring them; webhook configurations last, as they may refuse what
comes before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from graphlib import CycleError, TopologicalSorter

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import DEPENDS_ON, Desired, ObjectRef

NAMESPACE = ("", "Namespace")
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_FIRST = (NAMESPACE, CRD)
WEBHOOKS = (
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
)
# What pods need to start, so that none of them fails once first.
_BEFORE_WORKLOADS = frozenset(
    {
        "ServiceAccount",
        "Role",
        "ClusterRole",
        "RoleBinding",
        "ClusterRoleBinding",
        "Secret",
        "ConfigMap",
        "StorageClass",
    }
    | {"PriorityClass", "ResourceQuota", "LimitRange", "PersistentVolumeClaim", "Service"}
)


class Stage(IntEnum):
    """What must come before what, whatever the set says."""

    FOUNDATIONS = 0
    INVENTORY = 1
    SERVED = 2
    UNSERVED = 3
    WEBHOOKS = 4


@dataclass(frozen=True)
class Wave:
    """Objects that can be applied at once."""

    stage: Stage
    items: tuple[Desired, ...]


def waves(desired: Sequence[Desired], is_served: Callable[[Desired], bool], inventory: ObjectRef) -> list[Wave]:
    """Return groups to apply one after the other. Within one, the order does not matter.

    Raises MastodonError for a dependency that is not in the set, and for a cycle.
    """
    by_subject = {item.subject: item for item in desired}
    ranks: dict[ObjectRef, tuple[Stage, int, bool]] = {}
    for subject in _sorted(by_subject):
        item = by_subject[subject]
        stage, depth = _stage(item, is_served, inventory), 0
        for dependency in item.depends_on:
            above_stage, above_depth, _unused = ranks[dependency]
            if (above_stage, above_depth + 1) > (stage, depth):
                stage, depth = above_stage, above_depth + 1
        ranks[subject] = (stage, depth, subject.kind not in _BEFORE_WORKLOADS)
    return [
        Wave(rank[0], tuple(by_subject[subject] for subject in ranks if ranks[subject] == rank))
        for rank in sorted(set(ranks.values()))
    ]


def _stage(item: Desired, is_served: Callable[[Desired], bool], inventory: ObjectRef) -> Stage:
    kind = (item.subject.group, item.subject.kind)
    if kind in _FIRST:
        return Stage.FOUNDATIONS
    if item.subject == inventory:
        # Before what it lists: an interrupted run still knows what it made.
        return Stage.INVENTORY
    if kind in WEBHOOKS:
        return Stage.WEBHOOKS
    return Stage.SERVED if is_served(item) else Stage.UNSERVED


def _sorted(by_subject: dict[ObjectRef, Desired]) -> list[ObjectRef]:
    for item in by_subject.values():
        for dependency in item.depends_on:
            if dependency not in by_subject:
                remedy = f"Add it, or correct the annotation {DEPENDS_ON}."
                raise MastodonError(str(item.subject), f"depends on {dependency}", "it is not in the set", remedy)
    graph = TopologicalSorter({item.subject: item.depends_on for item in by_subject.values()})
    try:
        return list(graph.static_order())
    except CycleError as error:
        circle = " → ".join(str(subject) for subject in error.args[1])
        raise MastodonError(circle, "depend on each other", "", f"Break the circle of {DEPENDS_ON}.") from error
