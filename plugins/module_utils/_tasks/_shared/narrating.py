# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which migration runs while a release is waited for, and of what one failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import fullname
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import migrations
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.migrations import Migration
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import JOB, POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import attempts
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.flux import RELEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

_PAUSE = 1.0
_AGAIN_SECONDS = 15.0
_LINES = 500
# Of the chart: https://github.com/mastodon/helm-charts/tree/main/charts/mastodon/templates
_HOOKS = {"db-pre-migrate": "before the roll-out", "db-migrate": "after the roll-out"}


@dataclass
class Narrator:
    """Follows the Jobs of Flux's last attempt at a release from a thread of its own, as long as the block lasts.

    `fullname` is what the chart calls it, `release` returns its HelmRelease as it is now.
    """

    objects: Api
    namespace: str
    fullname: str
    release: Callable[[], Object]
    say: Callable[[str], None]
    ran: dict[str, Migration] = field(default_factory=dict)
    # By version: since when each is known to run, and when it was reported last.
    _began: dict[str, float] = field(default_factory=dict)
    _reported: dict[str, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @classmethod
    def of(cls, objects: Api, namespace: str, name: str, say: Callable[[str], None]) -> Narrator:
        """Return that of a release, by its name."""
        resource = objects.discover().preferred(*RELEASE)

        def release() -> Object:
            return next(iter(read_served(objects, resource, namespace, name)), {})

        return cls(objects, namespace, fullname(name), release, say)

    def __enter__(self) -> Narrator:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(_PAUSE):
            self.look()

    def look(self) -> None:
        """Say what is new. That a log cannot be read keeps nobody from waiting."""
        try:
            for job, when in self._jobs():
                for one in migrations.announced(self._log(next(iter(self._pods(job)), None))):
                    self._report(one, when)
        except MastodonError:
            return

    def _report(self, one: Migration, when: str) -> None:
        known, now = self.ran.get(one.version), time.monotonic()
        self.ran[one.version] = one
        if one.seconds is not None:
            if known is None or known.seconds is None:
                self.say(f"{when}: {one} ran in {one.seconds:.1f} s")
        elif now >= self._reported.get(one.version, 0.0) + _AGAIN_SECONDS or known is None:
            began = self._began.setdefault(one.version, now)
            self._reported[one.version] = now
            self.say(f"{when}: {one} runs" + (f" since {now - began:.0f} s" if known else ""))

    def failure(self) -> MastodonError | None:
        """Return of what a Job of migrations failed, None where none did."""
        for job, when in self._jobs():
            if not at(job, "status.failed", 0) or compute(job).verdict == "Current":
                continue
            pods = self._pods(job)
            log = self._log(next((pod for pod in pods if at(pod, "status.phase") == "Failed"), next(iter(pods), None)))
            where = f"{self.namespace}/{job['metadata']['name']}"
            stopped = migrations.unfinished(migrations.announced(log))
            failed = f"failed {when}" + (f" at {stopped}" if stopped else "")
            why = migrations.cause(log) or "its log says nothing"
            remedy = f"Read all of its log: kubectl logs -n {self.namespace} job/{job['metadata']['name']}."
            return MastodonError(f"Job {where}", failed, why, remedy)
        return None

    def _jobs(self) -> Iterator[tuple[Object, str]]:
        release = self.release()
        for job in self.objects.read(Selection(JOB, self.namespace)).objects:
            when = _HOOKS.get(str(job["metadata"]["name"]).removeprefix(f"{self.fullname}-"))
            if when and not attempts.is_of_another(job, release):
                yield job, when

    def _pods(self, job: Object) -> list[Object]:
        """Return the pods of a Job, the newest first."""
        labels = f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}"
        found = self.objects.read(Selection(POD, self.namespace, labels=labels)).objects
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), reverse=True)

    def _log(self, pod: Object | None) -> str:
        if pod is None or at(pod, "status.phase") == "Pending":
            return ""
        return self.objects.log(pod, at(pod, "spec.containers", [{}])[0].get("name", ""), _LINES)
