# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks behind objects that are waited for, at their pods, and says when waiting on is of no use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import EVENT
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import attempts, causes
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.causes import Cause
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.events import time_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.relatives import Relatives
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import Status, failed
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.troubles import Trouble
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.watching import Watching

_RELEASE = "HelmRelease"
_CERTIFICATE = "Certificate"
_SHOWN = 2
_NO_NODE = "Unschedulable"
# Of the Cluster Autoscaler and of Karpenter.
_SCALING = ("TriggeredScaleUp", "Nominated")


@dataclass(frozen=True)
class _Finding:
    trouble: Trouble
    cause: Cause | None
    is_final: bool

    @property
    def remedy(self) -> str:
        about, container = self.trouble.about, self.trouble.container
        if self.cause is None:
            return ""
        return self.cause.remedy.format(namespace=about.namespace, name=about.name, container=container)


class Diagnosis:
    """What keeps objects from being ready, found among their pods. Use as a context manager; it costs nothing before `look`."""

    def __init__(self, api: Api, live: Live, tracker: StatusTracker) -> None:
        self._api = api
        self._live = live
        self._tracker = tracker
        self._relatives = Relatives(api)
        self._first_seen: dict[tuple[str, Cause], float] = {}
        self._failed_before: dict[str, int] = {}
        self._findings: dict[ObjectRef, list[_Finding]] = {}
        self._scaling: dict[ObjectRef, bool] = {}
        self._watching = ExitStack()
        self._is_examining = False

    def __enter__(self) -> Diagnosis:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.close()

    def examine(self, pending: Collection[ObjectRef]) -> None:
        """Check the pods behind these objects, from now on up to date."""
        if not self._is_examining:
            self._is_examining = True
            namespaces = {namespace for subject in pending if (namespace := self._namespace(subject))}
            issuing = any(subject.kind == _CERTIFICATE for subject in pending)
            watches = self._relatives.read(namespaces, issuing=issuing)
            self._failed_before = self._relatives.failures()
            self._watching.enter_context(Watching(self._api, self._relatives, watches))
        self._findings = {}
        for item, trouble in self._relatives.troubles():
            finding = self._assess(item, trouble)
            for root in set(self._relatives.roots(item)) & set(pending):
                if self._is_of_another_attempt(item, root):
                    continue
                is_final = finding.is_final and not self._may_be_replaced(item, trouble, root)
                self._findings.setdefault(root, []).append(replace(finding, is_final=is_final))

    def final(self, subject: ObjectRef) -> Status | None:
        """Return why an object will not become ready, None as long as it may."""
        for finding in self._findings.get(subject, []):
            if finding.is_final:
                reason, _unused, _unused = finding.trouble.text.partition(":")
                return failed(reason, str(finding.trouble), finding.remedy)
        return None

    def why(self, subject: ObjectRef) -> str:
        """Return what keeps an object from being ready now, empty if nothing is seen."""
        findings = self._findings.get(subject, [])
        return str(findings[0].trouble) if findings else ""

    def behind(self, subject: ObjectRef) -> str:
        """Return what the pods and Jobs behind an object are at; of a release, whose own words say little, also that all are ready."""
        found = dict.fromkeys(
            str(at_work) for item, at_work in self._relatives.unfinished() if subject in self._relatives.roots(item)
        )
        if not found and subject.kind == _RELEASE and self._is_examining:
            count = sum(subject in self._relatives.roots(pod) for pod in self._relatives.pods())
            return f"its pods that are there ({count}) are ready" if count else "it has no pods"
        more = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return "; ".join(list(found)[:_SHOWN]) + more

    def is_over(self, event: Mapping[str, Any]) -> bool:
        """Whether an event of before the run is about a pod, or what makes pods, that is gone or well now."""
        if not self._is_examining or time_of(event) >= self._api.began:
            return False
        return self._relatives.is_gone_or_well(event)

    def _namespace(self, subject: ObjectRef) -> str:
        if subject.kind != _RELEASE:
            return subject.namespace
        release = self._live.get(subject) or {}
        target = str(at(release, "spec.targetNamespace", ""))
        default = f"{target}-{subject.name}" if target else subject.name
        name = str(at(release, "spec.releaseName", default))
        self._relatives.releases[target or subject.namespace, name] = subject
        return target or subject.namespace

    def _assess(self, item: Object, trouble: Trouble) -> _Finding:
        finding = self._finding(item, trouble)
        if finding.is_final and trouble.text.startswith(f"{_NO_NODE}:") and self._is_scaling(trouble.about):
            text = trouble.text.replace(_NO_NODE, f"{_NO_NODE}, while a node is being added", 1)
            return self._finding(item, replace(trouble, text=text))
        return finding

    def _finding(self, item: Object, trouble: Trouble) -> _Finding:
        cause = causes.find(causes.POD_CAUSES, trouble.text)
        if cause is None:
            return _Finding(trouble, None, is_final=False)
        since = self._first_seen.setdefault((item["metadata"]["uid"], cause), self._tracker.now)
        patience = cause.seconds_before if self._is_of_before(item) else cause.seconds
        is_over = self._tracker.now >= since + patience
        return _Finding(trouble, cause, is_final=is_over and not self._is_trying_again(item))

    def _is_scaling(self, pod: ObjectRef) -> bool:
        """Whether an autoscaler said that it adds a node for a pod. Asked once a pod, when it would be given up."""
        if pod not in self._scaling:
            self._scaling[pod] = any(self._has_event(pod, reason) for reason in _SCALING)
        return self._scaling[pod]

    def _has_event(self, pod: ObjectRef, reason: str) -> bool:
        fields = f"involvedObject.kind=Pod,involvedObject.name={pod.name},reason={reason}"
        try:
            return bool(self._api.read(Selection(EVENT, pod.namespace, fields=fields)).objects)
        except MastodonError:
            return False

    def _may_be_replaced(self, item: Object, trouble: Trouble, root: ObjectRef) -> bool:
        """Whether this run changed what an object of before belongs to.

        Flux for one acts on a change only when it has given up what it did before, which takes minutes.
        """
        return self._is_older(item) and self._tracker.is_changed(root) and not trouble.lasts

    def _is_of_another_attempt(self, item: Object, root: ObjectRef) -> bool:
        """Whether an object is a Job, or of one, that says nothing about what Flux does now."""
        release, job = self._live.get(root), self._relatives.job_of(item)
        if root.kind != _RELEASE or release is None or job is None:
            return False
        return attempts.is_of_another(job, release)

    def _is_of_before(self, item: Object) -> bool:
        """Whether an object is as it was before the run, or of before and about to notice what the run changed."""
        unchanged = int(item["metadata"]["resourceVersion"]) <= self._live.began or self._has_not_failed_since(item)
        return self._is_older(item) and (unchanged or self._tracker.has_changes)

    def _is_trying_again(self, item: Object) -> bool:
        """Whether a Job of before is at its next try: what the others failed of may have been put right, and this one may take hours."""
        return self._is_older(item) and bool(at(item, "status.active", 0)) and self._has_not_failed_since(item)

    def _has_not_failed_since(self, item: Object) -> bool:
        """Whether a Job has failed no more often than when it was first looked at."""
        before = self._failed_before.get(item["metadata"]["uid"], 0)
        return bool(item["kind"] == "Job" and at(item, "status.failed", 0) <= before)

    def _is_older(self, item: Object) -> bool:
        return datetime.fromisoformat(item["metadata"]["creationTimestamp"]) < self._api.began
