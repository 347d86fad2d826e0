# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.upgrade`: what goes on around the release that is changed, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import parse
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.answers import SITE_OPTION
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import images
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.record import Upgrade, place_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import await_ready
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.narrating import Narrator
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import RELEASE_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.pulling import Puller
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.running import Running, serving
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.web_pod import in_web_pod

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **RELEASE_OPTIONS,
        "version": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["begun", "rolled_out", "ended", "stopped"], "required": True},
        "backup": {"type": "str", "default": ""},
        "why": {"type": "str", "default": ""},
        "site": SITE_OPTION,
        "wait_timeout": {"type": "int", "default": 1800},
    }
)
# Whatever it stopped of, and wherever.
AGAIN = "ansible-playbook -i inventories/mine fediverse.mastodon.upgrade"
_PENDING = ["bundle", "exec", "rake", "db:abort_if_pending_migrations"]
_RELEASE = {"api_version": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, upgrade, applied, before}`. Raises MastodonError when it cannot go on, and always for one that `stopped`."""
    needs("websocket")
    connection = connect(parameters, run.environment)
    upgrading = Upgrading(parameters, connection, Deadline(parameters["wait_timeout"]), run)
    steps = {
        "begun": upgrading.begin,
        "rolled_out": upgrading.roll_out,
        "ended": upgrading.end,
        "stopped": upgrading.stop,
    }
    result: dict[str, Any] = steps[parameters["state"]]()
    return result


class Upgrading:
    """One upgrade, at one of its steps."""

    def __init__(self, parameters: Mapping[str, Any], connection: Connection, deadline: Deadline, run: Run) -> None:
        self._parameters, self._connection, self._deadline, self._run = parameters, connection, deadline, run
        self._namespace, self._name, self._wanted = parameters["namespace"], parameters["name"], parameters["version"]
        self._objects = open_objects(connection, deadline, run.say)
        self._book = Book(self._objects, place_of(self._namespace, self._name), str(self), run)
        self._kept = kept.record(Upgrade, self._book.read())

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Mastodon {self._namespace}/{self._name}"

    @property
    def _goes_on(self) -> bool:
        return self._kept.is_open and self._kept.wanted == self._wanted

    def begin(self) -> dict[str, Any]:
        """Decide whether there is anything to do, and have a node pull what is to run."""
        running = Running.read(self._objects, self._namespace, self._name)
        self._refuse_other(running)
        before = self._kept.before if self._goes_on else running.tag
        if running.is_settled_at(self._wanted) and not self._goes_on:
            self._run.say(f"{self} runs {self._wanted} already")
            return {"changed": False, "upgrade": False, "applied": True, "before": before}
        applied = running.declared == self._wanted
        what = f"{'go on with the upgrade of' if self._goes_on else 'upgrade'} {self} from {before} to {self._wanted}"
        self._run.say(f"would {what}" if self._run.check else what)
        if not applied:
            self._prepare(running)
        if not self._goes_on:
            self._keep(Upgrade(written(now()), before=before, wanted=self._wanted))
        return {"changed": True, "upgrade": True, "applied": applied, "before": before}

    def _refuse_other(self, running: Running) -> None:
        """Raise MastodonError for what is not there, and for a way back."""
        if not running.tag:
            why = "no Deployment of its web server is there"
            raise MastodonError(str(self), "is not installed", why, "Run fediverse.mastodon.site, which installs it.")
        begun, wanted = parse(self._kept.wanted), parse(self._wanted)
        if self._kept.is_open and begun and wanted and wanted < begun:
            why = f"an upgrade to {begun} began at {self._kept.began}, and what it migrated stays"
            remedy = f"Set mastodon_image_tag to {begun}, and run {AGAIN}, which goes on."
            raise MastodonError(str(self), f"cannot go back to {wanted}", why, remedy)

    def _prepare(self, running: Running) -> None:
        """Have the images pulled, and wait for Jobs that schedules began."""
        wanted = images.of_release(running.web, running.streaming, self._wanted)
        if self._run.check:
            self._run.say(f"skipped: whether a node can pull {' and '.join(wanted)}, as that takes a pod")
            return
        deadline = Deadline(min(images.SECONDS, self._deadline.seconds))
        Puller(
            self._objects, images.pod(self._namespace, self._name, running.web, wanted), deadline, self._run.say
        ).pull()
        self._run.say(f"a node has pulled {' and '.join(wanted)}")
        running.await_scheduled(self._objects, self._deadline, self._run.say)

    def roll_out(self) -> dict[str, Any]:
        """Return when the release, its pods and its migrations are of the wanted one."""
        if self._run.check:
            return {"changed": False, "upgrade": True, "applied": False, "before": self._kept.before}
        if self._parameters["backup"]:
            self._keep(replace(self._kept, backup=self._parameters["backup"], failure=""))
        release = {**_RELEASE, "namespace": self._namespace, "name": self._name}
        narrator = Narrator.of(self._objects, self._namespace, self._name, self._run.say)
        try:
            with narrator:
                await_ready([release], self._objects, self._deadline, self._run)
        except MastodonError as error:
            raise narrator.failure() or error from error
        running = Running.read(self._objects, self._namespace, self._name)
        if not running.is_settled_at(self._wanted):
            why = f"its web server is {running.tag or 'gone'}, and its release asks for {running.declared or 'nothing'}"
            raise MastodonError(str(self), f"is not {self._wanted}", why, "Check who else changes its HelmRelease.")
        self._refuse_pending()
        return {"changed": False, "upgrade": True, "applied": True, "before": self._kept.before}

    def _refuse_pending(self) -> None:
        """Raise MastodonError for migrations that never ran, as where the chart's Jobs are turned off."""
        done = in_web_pod(self._connection, self._namespace, self._name)(_PENDING)
        if done.code:
            why = " ".join((done.stderr or done.stdout).split())
            remedy = "Run bundle exec rake db:migrate in a pod of web."
            raise MastodonError(str(self), "lacks migrations", why, remedy)

    def end(self) -> dict[str, Any]:
        """Keep that it came to its end."""
        if self._run.check:
            return {"changed": False, "upgrade": True, "applied": True, "before": self._kept.before}
        ended = now()
        seconds = (ended - datetime.fromisoformat(self._kept.began)).total_seconds() if self._kept.began else 0
        self._keep(replace(self._kept, ended=written(ended), seconds=f"{seconds:.0f}", failure=""))
        self._run.say(f"{self}: {self._kept.line()}")
        return {"changed": True, "upgrade": True, "applied": True, "before": self._kept.before}

    def stop(self) -> dict[str, Any]:
        """Keep of what it stopped, and raise MastodonError with what serves now and the one thing to do."""
        why = " ".join(self._parameters["why"].split()).rstrip(".")
        self._keep(replace(self._kept, failure=why))
        serves = serving(self._objects, self._connection, self._parameters)
        remedy = f"Correct that, leave mastodon_image_tag at {self._wanted}, and run {AGAIN} again: it goes on where this stopped."
        failed = f"stopped on its way from {self._kept.before} to {self._wanted}"
        raise MastodonError(str(self), failed, f"{why}. What serves now: {serves}", remedy)

    def _keep(self, made: Upgrade) -> None:
        self._book.keep(asdict(made))
        self._kept = made


TASK = Task(ARGUMENTS, run_task)
