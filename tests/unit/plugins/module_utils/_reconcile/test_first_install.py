# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that was never installed is begun again, and one that was is never touched."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Clock,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

OLD = thing("HelmRelease", "app", spec={"releaseName": "app", "tag": "v9"})
NEW = thing("HelmRelease", "app", spec={"releaseName": "app", "tag": "v4"})
HOOK = subject("Job", "app-db-prepare")


def note(revision: int, status: str, name: str = "app") -> dict[str, Any]:
    """Return Helm's note of one revision."""
    item = thing("Secret", f"sh.helm.release.v1.{name}.v{revision}", type="helm.sh/release.v1")
    item["metadata"]["labels"] = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    return item


def hook(*, instance: str = "app", is_hook: bool = True, **status: Any) -> dict[str, Any]:
    item = thing("Job", "app-db-prepare", spec={"backoffLimit": 6}, status=status)
    item["metadata"]["labels"] = {"app.kubernetes.io/instance": instance}
    item["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"} if is_hook else {}
    return item


def pod(**state: Any) -> dict[str, Any]:
    item = thing("Pod", "app-db-prepare-x", status={"containerStatuses": [{"state": state}]})
    item["metadata"]["labels"] = {"batch.kubernetes.io/job-name": "app-db-prepare"}
    return item


PULLING = pod(waiting={"reason": "ImagePullBackOff"})
RUNNING = pod(running={"startedAt": "2026-06-01T00:00:00Z"})
FAILED = pod(terminated={"exitCode": 1})
BUSY = {"conditions": [{"type": "Reconciling", "status": "True", "reason": "Progressing"}]}


def begun(*objects: dict[str, Any], history: tuple[str, ...] = (), **status: Any) -> FakeApi:
    """Return a cluster in which Flux began to install the old release."""
    api = FakeApi(NAMESPACE)
    assert Ran(api, OLD, wait=False).error is None
    reported = [{"status": one, "lastDeployed": "2026-05-01T00:00:00Z"} for one in history]
    api.set_status(subject("HelmRelease", "app"), {"observedGeneration": 0, "history": reported, **BUSY, **status})
    for item in objects:
        api.put(item, "ADDED")
    return api


def test_a_first_install_that_hangs_at_a_hook_is_begun_anew_for_what_is_declared_now() -> None:
    api = begun(note(1, "pending-install"), hook(), PULLING)
    ran = Ran(api, NEW, wait=False)
    assert ran.error is None
    assert (
        ran.lines[0]
        == 'configured HelmRelease ns/app: spec.tag "v9" → "v4", its first install hangs at its hooks → installed again'
    )
    assert api.writes == [
        "delete Secret ns/sh.helm.release.v1.app.v1",
        "apply HelmRelease ns/app",
        "annotate HelmRelease ns/app as fediverse.mastodon.request",
        # Or Flux, which knows of it by now, would wait for it for half an hour.
        "apply Job ns/app-db-prepare by force",
    ]
    assert api.objects[HOOK]["spec"] == {"backoffLimit": 6, "activeDeadlineSeconds": 1}


def test_a_note_that_says_deployed_by_the_time_it_would_be_removed_stays() -> None:
    api = begun(note(1, "failed"), note(2, "pending-upgrade"))

    def deploy(deleted: ObjectRef) -> None:
        api.on_delete = lambda _unused: None
        for revision in (1, 2):
            api.put(note(revision, "superseded" if revision == 1 else "deployed"))

    api.on_delete = deploy
    assert Ran(api, OLD, wait=False).error is None
    notes = [item for one, item in api.objects.items() if one.kind == "Secret"]
    assert [item["metadata"]["labels"]["status"] for item in notes] == ["superseded", "deployed"]


def test_a_hook_that_began_to_run_by_the_time_it_would_be_ended_goes_on() -> None:
    api = begun(note(1, "pending-install"), hook(), PULLING)

    def run(_deleted: ObjectRef) -> None:
        api.put(RUNNING)

    api.on_delete = run
    assert Ran(api, NEW, wait=False).error is None
    assert "activeDeadlineSeconds" not in api.objects[HOOK]["spec"]


@pytest.mark.parametrize("statuses", [("failed",), ("failed", "pending-upgrade"), ("failed", "failed", "failed")])
def test_a_first_install_that_failed_is_begun_anew_even_if_nothing_else_changed(statuses: tuple[str, ...]) -> None:
    notes = [note(revision, status) for revision, status in enumerate(statuses, start=1)]
    api = begun(*notes, history=("failed",))
    ran = Ran(api, OLD, wait=False)
    assert ran.lines == ["configured HelmRelease ns/app: its first install failed → installed again"]
    assert not [one for one in api.objects if one.kind == "Secret"]
    asked = api.objects[subject("HelmRelease", "app")]["metadata"]["annotations"]
    assert asked["reconcile.fluxcd.io/resetAt"] == asked["reconcile.fluxcd.io/requestedAt"]


@pytest.mark.parametrize(
    ("notes", "history"),
    [
        ((note(1, "deployed"), note(2, "failed")), ()),
        ((note(1, "superseded"), note(2, "pending-upgrade")), ()),
        ((note(1, "uninstalled"),), ()),
        ((note(1, "failed"),), ("failed", "deployed")),
        ((note(1, "failed"),), ("superseded",)),
    ],
)
def test_what_was_installed_once_is_never_begun_anew(
    notes: tuple[dict[str, Any], ...], history: tuple[str, ...]
) -> None:
    api = begun(*notes, hook(), RUNNING, history=history)
    Ran(api, NEW, wait=False)
    assert api.writes == ["apply HelmRelease ns/app"]


@pytest.mark.parametrize("stuck", [(hook(), PULLING), (hook(failed=1), FAILED)])
def test_of_an_upgrade_a_hook_that_fails_is_ended_and_nothing_is_removed(stuck: tuple[dict[str, Any], ...]) -> None:
    api = begun(note(1, "deployed"), note(2, "pending-upgrade"), *stuck, history=("deployed",))
    ran = Ran(api, NEW, wait=False)
    assert ran.lines[0].endswith("its last upgrade hangs at a hook that fails → ended that")
    assert api.writes == ["apply HelmRelease ns/app", "apply Job ns/app-db-prepare by force"]


def test_of_an_upgrade_a_hook_that_tries_once_more_is_waited_for() -> None:
    api = begun(hook(failed=1), RUNNING, history=("deployed",))
    clock = Clock()
    clock.on_sleep = lambda: api.put(FAILED) and None
    assert Ran(api, NEW, wait=False, clock=clock, seconds=30).error is None
    assert clock.time == 2
    assert api.writes == ["apply HelmRelease ns/app", "apply Job ns/app-db-prepare by force"]


def test_of_an_upgrade_that_is_declared_as_before_a_hook_may_try_as_often_as_it_likes() -> None:
    api = begun(hook(failed=1), FAILED, history=("deployed",))
    Ran(api, OLD, wait=False)
    assert api.writes == []


@pytest.mark.parametrize(
    "found",
    [
        (),
        (RUNNING,),
        (FAILED,),
        (pod(waiting={"reason": "ContainerCreating"}),),
        (pod(waiting={"reason": "CreateContainerConfigError"}),),
    ],
)
def test_of_an_upgrade_a_hook_that_ran_or_may_yet_run_is_left_alone(found: tuple[dict[str, Any], ...]) -> None:
    api = begun(hook(), *found, history=("deployed",))
    Ran(api, NEW, wait=False)
    assert api.writes == ["apply HelmRelease ns/app"]


@pytest.mark.parametrize(
    "objects",
    [
        # On its way, and nothing else is declared.
        (note(1, "pending-install"), hook(), RUNNING),
        (note(1, "pending-install"), hook(), PULLING),
        (),
    ],
)
def test_a_first_install_on_its_way_is_left_alone(objects: tuple[dict[str, Any], ...]) -> None:
    api = begun(*objects)
    assert Ran(api, OLD, wait=False).actions == {"app": "unchanged"}
    assert api.writes == []


@pytest.mark.parametrize(
    "objects",
    [
        # Past its hooks: an upgrade goes on from there.
        (note(1, "pending-install"),),
        (note(1, "pending-install"), hook(conditions=[{"type": "Complete", "status": "True"}])),
        # Somebody else's.
        (note(1, "failed", name="other"), hook(instance="other"), PULLING),
        (note(1, "pending-install"), hook(is_hook=False), PULLING),
    ],
)
def test_what_an_upgrade_can_finish_or_others_made_is_left_alone(objects: tuple[dict[str, Any], ...]) -> None:
    api = begun(*objects)
    Ran(api, NEW, wait=False)
    assert api.writes == ["apply HelmRelease ns/app"]


def test_a_release_of_somebody_else_is_left_alone() -> None:
    api = FakeApi(NAMESPACE, {**OLD, "status": BUSY}, note(1, "failed"))
    Ran(api, OLD, wait=False)
    assert "delete" not in str(api.writes)


def test_a_hook_that_runs_is_waited_for() -> None:
    api = begun(note(1, "pending-install"), hook(), RUNNING)
    clock = Clock()
    clock.on_sleep = lambda: api.put(PULLING) and None
    assert Ran(api, NEW, wait=False, clock=clock, seconds=30).error is None
    assert clock.time == 2
    assert api.writes[0] == "delete Secret ns/sh.helm.release.v1.app.v1"


def test_a_hook_that_never_ends_is_named_and_nothing_is_touched() -> None:
    api = begun(note(1, "pending-install"), hook(), RUNNING)
    ran = Ran(api, NEW, wait=False, clock=Clock(), seconds=30)
    assert str(ran.error) == (
        "Job ns/app-db-prepare: has not ended: an earlier run of Helm is still running. Check it: kubectl logs -n ns job/app-db-prepare."
    )
    assert api.writes == []


def test_an_install_that_ends_well_meanwhile_is_upgraded() -> None:
    api = begun(note(1, "pending-install"), hook(), RUNNING)
    clock = Clock()
    clock.on_sleep = lambda: api.put(note(1, "deployed")) and None
    assert Ran(api, NEW, wait=False, clock=clock, seconds=30).error is None
    assert api.writes == ["apply HelmRelease ns/app"]


def test_an_interrupted_run_is_finished_by_the_next() -> None:
    api = begun(hook(), PULLING)
    assert Ran(api, OLD, wait=False).actions == {"app": "configured"}
    assert api.writes[-1] == "apply Job ns/app-db-prepare by force"


@pytest.mark.parametrize("objects", [(note(1, "pending-install"), hook(), RUNNING), (note(1, "failed"),)])
def test_check_mode_only_says_so(objects: tuple[dict[str, Any], ...]) -> None:
    api = begun(*objects)
    ran = Ran(api, NEW, check=True)
    assert "→ installed again" in ran.lines[0]
    assert api.writes == []


def test_a_suspended_release_is_left_alone() -> None:
    api = begun(note(1, "failed"))
    api.edit(subject("HelmRelease", "app"), "flux", ("spec", "suspend"), True)
    Ran(api, OLD, wait=False)
    assert api.writes == []
