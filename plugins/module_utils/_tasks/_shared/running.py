# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a Mastodon while it is upgraded, and what people get of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import fullname
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.answers import NotAskedError, examine
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import DEPLOYMENT, JOB, POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.flux import RELEASE
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

_PAUSE = 5.0


@dataclass(frozen=True)
class Running:
    """A release and the Deployments of its two images, empty where they are not there."""

    name: str
    release: Object
    web: Object
    streaming: Object

    @classmethod
    def read(cls, api: Api, namespace: str, name: str) -> Running:
        """Read them."""
        releases = read_served(api, api.discover().preferred(*RELEASE), namespace, name)
        found = [
            next(iter(api.read(Selection(DEPLOYMENT, namespace, f"{fullname(name)}-{part}")).objects), {})
            for part in ("web", "streaming")
        ]
        return cls(name, next(iter(releases), {}), *found)

    @property
    def tag(self) -> str:
        """Return the image tag that its web server is to have by now."""
        return _tag(at(self.web, "spec.template.spec", {}))

    @property
    def declared(self) -> str:
        """Return the one that Flux is to bring about."""
        return str(at(self.release, "spec.values.image.tag", ""))

    def is_settled_at(self, tag: str) -> bool:
        """Return whether all is done of what is declared, and that is this one."""
        return {self.tag, self.declared} == {tag} and compute(self.release).verdict == "Current"

    def await_scheduled(self, api: Api, deadline: Deadline, say: Callable[[str], None]) -> None:
        """Return when no Job runs that a schedule of this release began. Raises MastodonError when one does not end."""
        reminder = Reminder(deadline)
        while jobs := [
            job for job in api.read(Selection(JOB, self.web["metadata"]["namespace"])).objects if self._is_at_work(job)
        ]:
            subject = ObjectRef.of(jobs[0])
            if reminder.is_due():
                say(f"waiting for {subject}, which a schedule began, to end")
            if not deadline.pause(_PAUSE):
                remedy = f"Let it end, or delete it: kubectl delete job -n {subject.namespace} {subject.name}."
                raise MastodonError(str(subject), "is at work still", "it may hold what migrations change", remedy)

    def _is_at_work(self, job: Object) -> bool:
        owners = maps_at(job, "metadata.ownerReferences")
        ours = any(
            one.get("kind") == "CronJob" and str(one.get("name")).startswith(f"{fullname(self.name)}-")
            for one in owners
        )
        return ours and bool(at(job, "status.active", 0))


def serving(api: Api, connection: Connection, parameters: Mapping[str, Any]) -> str:
    """Return in words which pods are ready, of which release, and whether people get an answer."""
    labels = f"app.kubernetes.io/instance={parameters['name']},pod-template-hash"
    ready = Counter(
        (at(pod, "metadata.labels", {}).get("app.kubernetes.io/component", "a pod"), _tag(at(pod, "spec", {})))
        for pod in api.read(Selection(POD, parameters["namespace"], labels=labels)).objects
        if any((one.get("type"), one.get("status")) == ("Ready", "True") for one in maps_at(pod, "status.conditions"))
    )
    pods = ", ".join(f"{count} of {part} {tag}" for (part, tag), count in sorted(ready.items())) or "no pod is ready"
    return "; ".join(filter(None, (f"pods that are ready: {pods}", _answer(connection, parameters["site"]))))


def _answer(connection: Connection, site: Mapping[str, Any] | None) -> str:
    if not site:
        return ""
    try:
        return str(examine(site, connection, 0, lambda _said: None))
    except (MastodonError, NotAskedError) as error:
        return str(error).rstrip(".")


def _tag(pod: Object) -> str:
    containers = maps_at(pod, "containers") or [{}]
    return str(containers[0].get("image", "")).partition("@")[0].rpartition(":")[2]
