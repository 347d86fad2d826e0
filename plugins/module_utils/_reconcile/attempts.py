# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Jobs say something about Flux's last attempt at a release. Pure.

The API server notes when a Job was created, and helm-controller when an attempt began, each by the clock of its own node.

A hook that failed stays until a later attempt comes to the same hook, as Helm deletes it right before it creates it anew: until then it
says only how an attempt before went. https://helm.sh/docs/topics/charts_hooks/#hook-deletion-policies
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import entries
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Item

_HOOK = "helm.sh/hook"
_NEVER = datetime.min.replace(tzinfo=UTC)
_FLUX = "helm-controller"
# Times of both are cut to it.
_SECOND = timedelta(seconds=1)


def is_hook(job: Item) -> bool:
    """Whether Helm runs a Job at a step of an attempt."""
    return _HOOK in at(job, "metadata.annotations", {})


def is_of_another(job: Item, release: Item) -> bool:
    """Whether a Job behind a release is of no attempt, as a schedule began it, or a hook of one that is over and was followed by the next."""
    if any(owner.get("kind") == "CronJob" for owner in maps_at(job, "metadata.ownerReferences")):
        return True
    if not is_hook(job) or _is_behind(release):
        return is_hook(job)
    # Who failed at a hook tries again a while later, so that no earlier Job is that near.
    created = _time(at(job, "metadata.creationTimestamp", ""))
    return began(release) - created > _ahead(release) + _SECOND


def began(release: Item) -> datetime:
    """Return when Flux began its last attempt, as far as it says so.

    Reconciling says what it is doing, and has the time of its message. Once an attempt is over it says only when the next is due, and the
    attempt is the newest in the history, where Helm notes when it began, before the first hook.
    https://github.com/fluxcd/helm-controller/blob/v1.6.0/internal/reconcile/atomic_release.go
    https://github.com/fluxcd/pkg/blob/main/runtime/conditions/setter.go
    https://github.com/helm/helm/blob/v4.2.1/pkg/action/upgrade.go
    """
    for condition in maps_at(release, "status.conditions"):
        if tuple(map(condition.get, ("type", "status", "reason"))) == ("Reconciling", "True", "Progressing"):
            return _time(condition.get("lastTransitionTime"))
    newest: Mapping[str, object] = next(iter(maps_at(release, "status.history")), {})
    return _time(newest.get("lastDeployed"))


def _ahead(release: Item) -> timedelta:
    """Return by how much the clock of helm-controller is ahead, as far as that shows: it notes what it cannot have written later.

    https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#managedfieldsentry-v1-meta
    """
    written = max(
        (_time(entry.get("time")) for entry in entries(release) if entry.get("manager") == _FLUX), default=_NEVER
    )
    noted = max((_time(one.get("lastTransitionTime")) for one in maps_at(release, "status.conditions")), default=_NEVER)
    return max(timedelta(), noted - written) if written > _NEVER else timedelta()


def _is_behind(release: Item) -> bool:
    """Whether Flux has not begun with what is declared by now."""
    attempted = at(release, "status.lastAttemptedGeneration", 0)
    return bool(attempted) and attempted < at(release, "metadata.generation", 0)


def _time(text: object) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else _NEVER
