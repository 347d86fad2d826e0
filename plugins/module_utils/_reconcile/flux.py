# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask Flux to put right what drifted behind a release, and to try again what failed.

Flux looks at a release only at its interval, and one that failed too often not at all until something changes. The
annotations: https://fluxcd.io/flux/components/helm/helmreleases/#triggering-a-reconcile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.behind import Trouble
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import REQUESTED

RELEASE = ("helm.toolkit.fluxcd.io", "HelmRelease")
# Apart from our field manager, so that a request never looks like a declared field.
ASKER = f"{MANAGER}.request"


@dataclass(frozen=True)
class Request:
    """What to ask of Flux for one release, and why in words."""

    reasons: tuple[str, ...]
    notes: Mapping[str, str]


def is_busy(release: Object) -> bool:
    """Whether Flux is at work on a release, or was configured not to be: what is behind it may be on its way."""
    status = compute(release)
    return status.verdict == "InProgress" or status.reason == "Suspended"


def needed(release: Object, troubles: Sequence[Trouble], began: datetime) -> Request | None:
    """Return what to ask of Flux, None when it is busy or could do nothing. `began` is a moment by the API server's clock."""
    if is_busy(release):
        return None
    status = compute(release)
    reasons = [f"{trouble} → asked Flux to put it right" for trouble in troubles if trouble.is_drift]
    if status.verdict == "Failed":
        reasons.append(f"{status} → asked Flux to try again")
    if not reasons:
        return None
    again = status.verdict == "Failed"
    # Without drift correction only an upgrade puts objects back.
    force = not again and at(release, "spec.driftDetection.mode") != "enabled"
    return Request(tuple(reasons), _notes(began, *(["resetAt"] if again else []), *(["forceAt"] if force else [])))


def again(reason: str, began: datetime) -> Request:
    """Return what to ask for a release that is to be installed however often that failed."""
    return Request((reason,), _notes(began, "resetAt"))


def _notes(began: datetime, *besides: str) -> dict[str, str]:
    # By the API server's clock, as it dates all changes: one that is no later was seen. And never the same twice.
    token = began.replace(microsecond=datetime.now(UTC).microsecond).isoformat()
    return {REQUESTED: token, **{f"reconcile.fluxcd.io/{name}": token for name in besides}}


def ask(api: Api, resource: Resource, release: Object, request: Request) -> Object:
    """Set the annotations that Flux acts on, and return the release."""
    metadata = release["metadata"]
    return api.annotate(resource, metadata["namespace"], metadata["name"], request.notes, ASKER)
