# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade is begun, watched, kept and reported, whichever way it goes and wherever a run is killed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP, DEPLOYMENT, JOB, POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import Finished
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import upgrade
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import narrating, pulling, running
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

RELEASE = kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2")
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
KINDS = tuple({(one.group, one.kind): one for one in (*SERVED, RELEASE, CONFIG_MAP, DEPLOYMENT, JOB, POD)}.values())
PULLED = {"containerStatuses": [{"name": name, "state": {"terminated": {}}} for name in ("web", "streaming")]}
FAILING = {
    "containerStatuses": [
        {"name": name, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
        for name in ("web", "streaming")
    ]
}
CREATED = "2026-06-01T10:00:00Z"
LOG = """== 20260720104058 AddUniqueIndexOnAccountsUri: migrating ====
rake aborted!
StandardError: An error has occurred, this and all later migrations canceled:

PG::UniqueViolation: ERROR:  could not create unique index
"""


class Place:
    """A Mastodon on a cluster, at a release."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.api = FakeApi(NAMESPACE, served=KINDS)
        self.pulled: dict[str, Any] = PULLED
        self.pending = Finished(0, "", "")
        self.logs: dict[str, str] = {}
        self.api.on_apply = self._pull
        monkeypatch.setattr(self.api, "log", self.log)
        monkeypatch.setattr(upgrade, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(upgrade, "open_objects", lambda connection, limit, say: self.api)
        monkeypatch.setattr(upgrade, "in_web_pod", lambda connection, namespace, name: self.command)
        monkeypatch.setattr(running, "examine", lambda site, connection, seconds, say: f"answers for {site['domain']}")
        for module, name in ((pulling, "_PAUSE"), (pulling, "_PATIENCE"), (running, "_PAUSE"), (narrating, "_PAUSE")):
            monkeypatch.setattr(module, name, 0.0)
        self.at("v4.6.9")

    def at(self, tag: str, *, declared: str = "", ready: str = "True", **status: Any) -> None:
        """Let Flux have been given `declared`, and pods run `tag`."""
        self.api.put(
            {
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": "mastodon", "namespace": "mastodon"},
                "spec": {"values": {"image": {"tag": declared or tag}, "mastodon": {"localDomain": "example.org"}}},
                "status": {
                    "observedGeneration": 1,
                    "conditions": [{"type": "Ready", "status": ready, "reason": "X", "message": "x"}],
                    **status,
                },
            }
        )
        for part, name in (("web", "mastodon"), ("streaming", "mastodon-streaming")):
            container = {"name": f"mastodon-{part}", "image": f"ghcr.io/mastodon/{name}:{tag}"}
            self.put("apps/v1", "Deployment", f"mastodon-{part}", {"template": {"spec": {"containers": [container]}}})

    def put(self, api_version: str, kind_: str, name: str, spec: dict[str, Any], **other: Any) -> None:
        metadata = {"name": name, "namespace": "mastodon", **other.pop("metadata", {})}
        self.api.put({"apiVersion": api_version, "kind": kind_, "metadata": metadata, "spec": spec, **other})

    def job(self, name: str, log: str, **status: Any) -> None:
        """Let a Job of the chart's be there with a pod that logged, as created by Helm at a time."""
        hook = {"helm.sh/hook": "post-install,post-upgrade"}
        metadata = {"uid": f"uid-{name}", "annotations": hook, "creationTimestamp": CREATED}
        self.put("batch/v1", "Job", name, {}, metadata=metadata, status=status)
        labels = {"batch.kubernetes.io/controller-uid": f"uid-{name}"}
        status_of_pod = {"phase": "Failed" if status.get("failed") else "Running"}
        containers = {"containers": [{"name": "db-migrate"}]}
        self.put("v1", "Pod", f"{name}-abc", containers, metadata={"labels": labels}, status=status_of_pod)
        self.logs[f"{name}-abc"] = log

    def log(self, pod: dict[str, Any], container: str, lines: int) -> str:
        assert (container, lines > 100) == ("db-migrate", True)
        return self.logs[pod["metadata"]["name"]]

    def command(self, command: Sequence[str]) -> Finished:
        assert command == ["bundle", "exec", "rake", "db:abort_if_pending_migrations"]
        return self.pending

    def _pull(self, subject: ObjectRef) -> None:
        if subject.kind == "Pod":
            self.api.set_status(subject, self.pulled)

    @property
    def kept(self) -> dict[str, str]:
        found = [
            item for one, item in self.api.objects.items() if (one.kind, one.name) == ("ConfigMap", "mastodon-upgrade")
        ]
        return dict(found[0]["data"]) if found else {}

    def run(self, state: str, *, check: bool = False, **other: Any) -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        given = {"namespace": "mastodon", "name": "mastodon", "version": "v4.7.4", "state": state}
        usual = {"backup": "", "why": "", "site": {"domain": "example.org"}, "wait_timeout": 5}
        return upgrade.run_task({**given, **usual, **other}, run)

    def refusal(self, state: str, **other: Any) -> str:
        with pytest.raises(MastodonError) as caught:
            self.run(state, **other)
        return str(caught.value)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def pods(place: Place) -> list[str]:
    return [one.name for one in place.api.objects if one.kind == "Pod"]


def test_it_begins_with_both_images_pulled_and_a_record(place: Place) -> None:
    assert place.run("begun") == {"changed": True, "upgrade": True, "applied": False, "before": "v4.6.9"}
    assert place.said == [
        "upgrade Mastodon mastodon/mastodon from v4.6.9 to v4.7.4",
        "a node has pulled ghcr.io/mastodon/mastodon:v4.7.4 and ghcr.io/mastodon/mastodon-streaming:v4.7.4",
    ]
    assert pods(place) == []
    assert (place.kept["before"], place.kept["wanted"], place.kept["ended"]) == ("v4.6.9", "v4.7.4", "")


def test_check_mode_creates_nothing_and_says_what_it_did_not_look_at(place: Place) -> None:
    assert place.run("begun", check=True)["upgrade"]
    assert place.api.writes == []
    assert place.said == [
        "would upgrade Mastodon mastodon/mastodon from v4.6.9 to v4.7.4",
        "skipped: whether a node can pull ghcr.io/mastodon/mastodon:v4.7.4 and ghcr.io/mastodon/mastodon-streaming:v4.7.4, as that takes a pod",
    ]


def test_images_that_cannot_be_pulled_end_it_before_anything_is_kept_or_changed(place: Place) -> None:
    place.pulled = FAILING
    assert place.refusal("begun") == (
        "Image ghcr.io/mastodon/mastodon:v4.7.4: cannot be pulled: ErrImagePull: not found. Check mastodon_image_tag, and that nodes may pull it."
    )
    assert (place.kept, pods(place)) == ({}, [])


def test_a_pod_that_a_killed_run_left_is_replaced_and_somebodys_is_not(place: Place) -> None:
    place.put("v1", "Pod", "mastodon-images", {}, metadata={"labels": {"fediverse.mastodon/images-of": "mastodon"}})
    place.run("begun")
    assert pods(place) == []
    place.put("v1", "Pod", "mastodon-images", {})
    place.at("v4.6.9")
    assert place.refusal("begun").startswith("Pod mastodon/mastodon-images: is in the way")


def test_what_runs_already_is_left_alone(place: Place) -> None:
    place.at("v4.7.4")
    assert place.run("begun") == {"changed": False, "upgrade": False, "applied": True, "before": "v4.7.4"}
    assert place.api.writes == []


def test_a_run_that_was_killed_is_gone_on_with_from_where_flux_was_given_the_release(place: Place) -> None:
    place.run("begun")
    place.said.clear()
    place.at("v4.6.9", declared="v4.7.4", ready="Unknown")
    assert place.run("begun") == {"changed": True, "upgrade": True, "applied": True, "before": "v4.6.9"}
    # Also when all but the end of it is done.
    place.at("v4.7.4")
    assert place.run("begun")["before"] == "v4.6.9"
    assert place.said == ["go on with the upgrade of Mastodon mastodon/mastodon from v4.6.9 to v4.7.4"] * 2


def test_one_that_was_begun_is_not_turned_round(place: Place) -> None:
    place.run("begun")
    began = place.kept["began"]
    assert place.refusal("begun", version="v4.6.9") == (
        f"Mastodon mastodon/mastodon: cannot go back to v4.6.9: an upgrade to v4.7.4 began at {began}, and what it migrated stays. Set "
        "mastodon_image_tag to v4.7.4, and run ansible-playbook -i inventories/mine fediverse.mastodon.upgrade, which goes on."
    )


def test_a_mastodon_that_is_not_there_is_not_upgraded(place: Place) -> None:
    for one in [one for one in place.api.objects if one.kind == "Deployment"]:
        del place.api.objects[one]
    assert place.refusal("begun").startswith("Mastodon mastodon/mastodon: is not installed")


def test_a_job_that_a_schedule_began_is_waited_for(place: Place) -> None:
    owner = {"ownerReferences": [{"kind": "CronJob", "name": "mastodon-media-remove", "uid": "1"}]}
    place.put("batch/v1", "Job", "mastodon-media-remove-1", {}, metadata=owner, status={"active": 1})
    assert place.refusal("begun", wait_timeout=0) == (
        "Job mastodon/mastodon-media-remove-1: is at work still: it may hold what migrations change. Let it end, or delete it: kubectl delete job -n "
        "mastodon mastodon-media-remove-1."
    )


def test_each_migration_is_said_with_its_time_and_the_backup_is_kept(place: Place) -> None:
    place.run("begun")
    place.at("v4.7.4")
    place.job("mastodon-db-migrate", "== 20260702144128 MigrateLocalAccountKeypairs: migrated (12.3456s) ==", active=1)
    narrator = narrating.Narrator.of(place.api, "mastodon", "mastodon", place.said.append)
    narrator.look()
    narrator.look()
    assert place.said[2:] == ["after the roll-out: migration 20260702144128 MigrateLocalAccountKeypairs ran in 12.3 s"]
    assert place.run("rolled_out", backup="db-now-1")["upgrade"]
    assert place.kept["backup"] == "db-now-1"


def test_a_migration_that_fails_is_named_with_its_cause(place: Place) -> None:
    place.run("begun")
    place.at("v4.7.4", ready="False")
    place.job("mastodon-db-migrate", LOG, failed=3)
    assert place.refusal("rolled_out", wait_timeout=1) == (
        "Job mastodon/mastodon-db-migrate: failed after the roll-out at migration 20260720104058 AddUniqueIndexOnAccountsUri: PG::UniqueViolation: "
        "ERROR: could not create unique index. Read all of its log: kubectl logs -n mastodon job/mastodon-db-migrate."
    )


# As helm-controller leaves it between two attempts, and while it is at one.
RETRYING = {
    "type": "Reconciling",
    "status": "True",
    "reason": "ProgressingWithRetry",
    "message": "retrying after 1m0s",
    "lastTransitionTime": "2026-06-01T10:20:00Z",
    "observedGeneration": 1,
}
RUNNING = {
    **RETRYING,
    "reason": "Progressing",
    "message": "Running 'upgrade' action with timeout of 24h0m0s",
    "lastTransitionTime": "2026-06-01T10:21:05Z",
}
HISTORY = [
    {"version": 3, "status": "failed", "lastDeployed": "2026-06-01T09:59:30Z"},
    {"version": 2, "status": "superseded", "lastDeployed": "2026-05-01T00:00:00Z"},
]


def test_a_job_that_an_attempt_before_left_is_neither_said_nor_blamed(place: Place) -> None:
    place.run("begun")
    place.job("mastodon-db-migrate", LOG, failed=3)
    narrator = narrating.Narrator.of(place.api, "mastodon", "mastodon", place.said.append)
    place.at("v4.7.4", history=HISTORY, conditions=[RUNNING])
    narrator.look()
    assert (place.said[2:], narrator.failure()) == ([], None)
    # Between two attempts it is of the last one.
    place.at("v4.7.4", history=HISTORY, conditions=[RETRYING])
    narrator.look()
    assert place.said[2:] == ["after the roll-out: migration 20260720104058 AddUniqueIndexOnAccountsUri runs"]
    assert str(narrator.failure()).startswith(
        "Job mastodon/mastodon-db-migrate: failed after the roll-out at migration"
    )


def test_a_job_that_came_to_its_end_at_another_try_is_not_blamed(place: Place) -> None:
    place.run("begun")
    place.at("v4.7.4", ready="False")
    complete = {"type": "Complete", "status": "True"}
    place.job("mastodon-db-pre-migrate", LOG, failed=1, succeeded=1, conditions=[complete])
    assert place.refusal("rolled_out", wait_timeout=0).startswith(
        "HelmRelease mastodon/mastodon: not ready after 0 s: x"
    )


def test_pods_of_another_release_and_migrations_that_never_ran_are_no_end(place: Place) -> None:
    place.run("begun")
    assert place.refusal("rolled_out").startswith("Mastodon mastodon/mastodon: is not v4.7.4: its web server is v4.6.9")
    place.at("v4.7.4")
    place.pending = Finished(1, "", "You have 2 pending migrations:\n  1 A\n")
    assert place.refusal("rolled_out") == (
        "Mastodon mastodon/mastodon: lacks migrations: You have 2 pending migrations: 1 A. Run bundle exec rake db:migrate in a pod of web."
    )


def test_its_end_is_kept_with_how_long_it_took(place: Place) -> None:
    place.run("begun")
    [subject] = [one for one in place.api.objects if one.name == "mastodon-upgrade"]
    began = (datetime.now(UTC) - timedelta(seconds=100)).strftime("%Y-%m-%dT%H:%M:%SZ")
    place.api.objects[subject]["data"]["began"] = began
    place.run("ended")
    assert int(place.kept["seconds"]) in range(99, 110)
    assert place.said[-1] == f"Mastodon mastodon/mastodon: upgraded from v4.6.9 to v4.7.4 in {place.kept['seconds']} s"


def test_where_it_stops_what_serves_and_one_thing_to_do_are_said_and_kept(place: Place) -> None:
    place.run("begun")
    labels = {"app.kubernetes.io/instance": "mastodon", "app.kubernetes.io/component": "web", "pod-template-hash": "1"}
    spec = {"containers": [{"name": "mastodon-web", "image": "ghcr.io/mastodon/mastodon:v4.7.4"}]}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    for name, status in (("web-1", ready), ("web-2", ready), ("web-3", {})):
        place.put("v1", "Pod", name, spec, metadata={"labels": labels}, status=status)
    assert place.refusal("stopped", why="Job mastodon/db: failed.\nRead its log.") == (
        "Mastodon mastodon/mastodon: stopped on its way from v4.6.9 to v4.7.4: Job mastodon/db: failed. Read its log. What serves now: pods that are "
        "ready: 2 of web v4.7.4; answers for example.org. Correct that, leave mastodon_image_tag at v4.7.4, and run ansible-playbook -i inventories/mine "
        "fediverse.mastodon.upgrade again: it goes on where this stopped."
    )
    assert (place.kept["failure"], place.kept["ended"]) == ("Job mastodon/db: failed. Read its log", "")
    # And the next run goes on.
    assert place.run("begun")["before"] == "v4.6.9"


def test_a_record_of_somebodys_is_not_overwritten(place: Place) -> None:
    place.put("v1", "ConfigMap", "mastodon-upgrade", {})
    assert place.refusal("begun").startswith("ConfigMap mastodon/mastodon-upgrade: is in the way")
