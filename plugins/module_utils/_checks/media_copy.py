# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a CronJob, such as the one that copies media, last ended well.

What Kubernetes says of it is the record: a Job counts only once its pod has looked at what it copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError, WarnedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Runs:
    """Those of one CronJob. Times are RFC 3339 in UTC, empty where there is none."""

    began: str
    ended_well: str
    is_running: bool
    is_suspended: bool

    @property
    def trouble(self) -> str:
        """Return what is wrong with them now."""
        if self.is_suspended:
            return "it is suspended"
        if self.began and not self.is_running and self.ended_well < self.began:
            return f"the run of {self.began} did not end well"
        return ""


def runs_of(item: Item) -> Runs:
    """Return what its status says: https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/cronjob/cronjob_controllerv2.go"""
    return Runs(
        str(at(item, "status.lastScheduleTime", "")),
        str(at(item, "status.lastSuccessfulTime", "")),
        bool(at(item, "status.active", [])),
        bool(at(item, "spec.suspend", False)),
    )


def is_fresh(objects: Api, namespace: str, name: str, hours: int, now: datetime) -> str:
    """Report the last copy. Raises WarnedError when it failed or is old, or there is none yet."""
    subject, kind = f"CronJob {namespace}/{name}", objects.discover().preferred("batch", "CronJob")
    found = objects.read(Selection(kind, namespace, name)).objects if kind else ()
    if not found:
        raise SkippedError(f"{subject}: fediverse.mastodon.site creates it, and media were not copied yet")
    runs = runs_of(found[0])
    remedy = f"Its pod says why: kubectl -n {namespace} logs job/JOB, of the newest in kubectl -n {namespace} get jobs."
    if runs.trouble:
        raise WarnedError(MastodonError(subject, "does not copy media", runs.trouble, remedy))
    if not runs.ended_well:
        made = str(at(found[0], "metadata.creationTimestamp", ""))
        raise WarnedError(MastodonError(subject, "has not copied the media yet", f"it was created at {made}"))
    if now - datetime.fromisoformat(runs.ended_well) > timedelta(hours=hours):
        failed = f"has not copied the media for {hours} hours"
        raise WarnedError(MastodonError(subject, failed, f"the last copy was complete at {runs.ended_well}", remedy))
    return f"{subject}: the copy of media was complete at {runs.ended_well}"
