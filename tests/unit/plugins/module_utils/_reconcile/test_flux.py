# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

RELEASE = thing("HelmRelease", "app", spec={"driftDetection": {"mode": "enabled"}})
AVAILABLE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
ENTRIES = [{"id": "ns_web_apps_Deployment", "v": "v1"}, {"id": "ns_hook_batch_Job", "v": "v1"}]
TOKEN = "reconcile.fluxcd.io/requestedAt"


def status(**more: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True"}
    return {"observedGeneration": 1, "conditions": [ready], "inventory": {"entries": ENTRIES}, **more}


def released(release: dict[str, Any] = RELEASE, **more: Any) -> FakeApi:
    """Return a cluster in which the release is as declared, but its Deployment is not there."""
    api = FakeApi(NAMESPACE)
    assert Ran(api, release, wait=False).error is None
    api.set_status(subject("HelmRelease", "app"), status(**more))
    return api


def restore(api: FakeApi) -> None:
    """Act as Flux does when it is asked."""

    def react(asked: ObjectRef) -> None:
        token = api.objects[asked]["metadata"]["annotations"][TOKEN]
        api.put({**thing("Deployment", "web"), "status": AVAILABLE}, "ADDED")
        api.set_status(asked, status(lastHandledReconcileAt=token))

    api.on_apply = react


def test_what_is_missing_behind_a_release_is_restored_and_waited_for() -> None:
    api = released()
    restore(api)
    ran = Ran(api, RELEASE)
    assert ran.error is None
    expected = "configured HelmRelease ns/app: Deployment ns/web is missing → asked Flux to put it right"
    assert ran.lines == [expected]
    assert api.writes == ["annotate HelmRelease ns/app as fediverse.mastodon.request"]
    assert Ran(api, RELEASE).actions == {"app": "unchanged"}


def test_a_restored_deployment_is_waited_for_until_it_is_available() -> None:
    api = released()

    def react(asked: ObjectRef) -> None:
        token = api.objects[asked]["metadata"]["annotations"][TOKEN]
        api.set_status(asked, status(lastHandledReconcileAt=token))

    api.on_apply = react
    assert "Deployment ns/web: not ready after 0 s: does not exist yet." in str(Ran(api, RELEASE, seconds=0.05).error)


def test_a_request_that_flux_does_not_answer_is_reported() -> None:
    ran = Ran(released(), RELEASE, seconds=0.05)
    assert "HelmRelease ns/app: not ready after 0 s: Flux has not finished what it was asked for." in str(ran.error)


def test_check_mode_only_says_what_is_missing() -> None:
    api = released()
    assert Ran(api, RELEASE, check=True).actions == {"app": "configured"}
    assert api.writes == []


def annotations(api: FakeApi) -> set[str]:
    return set(api.objects[subject("HelmRelease", "app")]["metadata"]["annotations"])


def test_without_drift_correction_an_upgrade_is_forced() -> None:
    release = thing("HelmRelease", "app", spec={"interval": "1h"})
    api = released(release)
    Ran(api, release, wait=False)
    assert annotations(api) == {TOKEN, "reconcile.fluxcd.io/forceAt"}


def test_a_release_that_gave_up_is_tried_again() -> None:
    stalled = {"type": "Stalled", "status": "True", "reason": "RetriesExceeded", "message": "Failed to install"}
    api = released(conditions=[stalled], inventory={"entries": []})
    ran = Ran(api, RELEASE, wait=False)
    assert ran.lines == ["configured HelmRelease ns/app: Failed to install → asked Flux to try again"]
    assert annotations(api) == {TOKEN, "reconcile.fluxcd.io/resetAt"}


@pytest.mark.parametrize(
    "state",
    [
        {"conditions": [{"type": "Ready", "status": "Unknown"}]},
        {"conditions": [{"type": "Reconciling", "status": "True"}, {"type": "Ready", "status": "True"}]},
        {"observedGeneration": 0},
    ],
)
def test_flux_is_not_disturbed_while_it_is_busy(state: dict[str, Any]) -> None:
    assert Ran(released(**state), RELEASE, wait=False).actions == {"app": "unchanged"}


def test_a_suspended_release_is_an_error_that_says_so() -> None:
    api = released()
    api.edit(subject("HelmRelease", "app"), "flux", ("spec", "suspend"), True)
    ran = Ran(api, RELEASE)
    assert api.writes == []
    assert "HelmRelease ns/app: failed: is suspended, so Flux does not act on it" in str(ran.error)


def deployed(*editors: tuple[str, str, dict[str, Any]], replicas: int = 1, **more: Any) -> FakeApi:
    """Return a cluster in which the release was asked last at noon, and its Deployment was written by these since."""
    handled = {"lastHandledReconcileAt": "2026-06-01T12:00:00+00:00", **more}
    api = released(**handled)
    web = thing("Deployment", "web", spec={"replicas": replicas})
    web["metadata"]["managedFields"] = [
        {"manager": manager, "operation": "Update", "time": f"2026-06-01T{time}:00Z", "fieldsV1": fields}
        for manager, time, fields in editors
    ]
    available = {**AVAILABLE, **{name: replicas for name in AVAILABLE if name.endswith("eplicas")}}
    api.put({**web, "status": available}, "ADDED")
    return api


STATUS = {"f:status": {"f:observedGeneration": {}}}
REPLICAS = {"f:spec": {"f:replicas": {}}}
RESTART = {
    "f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}}
}
TEMPLATE = {"f:spec": {"f:template": {"f:spec": {}}}}


def test_a_workload_scaled_to_nothing_by_hand_is_asked_back_and_waited_for() -> None:
    api = deployed(("kubectl", "12:30", REPLICAS), replicas=0)
    restore(api)
    ran = Ran(api, RELEASE)
    assert ran.error is None
    assert ran.lines == [
        "configured HelmRelease ns/app: Deployment ns/web is scaled to zero replicas by kubectl → asked Flux to put it right"
    ]
    assert api.writes == ["annotate HelmRelease ns/app as fediverse.mastodon.request"]


def scaled_to_zero(time: str = "12:30") -> FakeApi:
    """Return what `kubectl scale --replicas=0` leaves: the number is nobody's, and only the status tells when."""
    return deployed(("helm-controller", "11:00", TEMPLATE), ("kube-controller-manager", time, STATUS), replicas=0)


def test_what_kubectl_scales_to_nothing_leaves_no_owner_and_is_asked_back_once() -> None:
    api = scaled_to_zero()

    def react(asked: ObjectRef) -> None:
        token = api.objects[asked]["metadata"]["annotations"][TOKEN]
        api.set_status(asked, status(lastHandledReconcileAt=token))

    api.on_apply, api.began = react, datetime(2026, 6, 1, 13, tzinfo=UTC)
    expected = "Deployment ns/web is scaled to zero replicas by hand → asked Flux to put it right"
    assert expected in Ran(api, RELEASE).lines[0]
    # Flux may be configured to leave replicas alone.
    assert Ran(api, RELEASE).actions == {"app": "unchanged"}
    assert Ran(api, RELEASE, check=True).lines == ["check mode: Deployment ns/web is scaled to zero replicas by hand"]


def test_check_mode_tells_a_workload_scaled_to_nothing() -> None:
    api = deployed(("kubectl", "12:30", REPLICAS), replicas=0)
    ran = Ran(api, RELEASE, check=True)
    assert ran.actions == {"app": "configured"}
    assert "Deployment ns/web is scaled to zero replicas by kubectl" in ran.lines[0]
    assert api.writes == []


@pytest.mark.parametrize("manager", ["kubectl-edit", "node-fetch", "kubectl-set"])
def test_what_anybody_changed_since_flux_last_looked_is_looked_at_once(manager: str) -> None:
    api = deployed((manager, "12:30", TEMPLATE))

    def react(asked: ObjectRef) -> None:
        token = api.objects[asked]["metadata"]["annotations"][TOKEN]
        api.set_status(asked, status(lastHandledReconcileAt=token))

    api.on_apply, api.began = react, datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert f"Deployment ns/web was changed by {manager} → asked Flux" in Ran(api, RELEASE).lines[0]
    # Whatever Flux made of it: what the chart does not declare stays.
    assert Ran(api, RELEASE).actions == {"app": "unchanged"}


@pytest.mark.parametrize(
    "editor",
    [
        ("kubectl", "11:30", TEMPLATE),
        ("helm-controller", "12:30", TEMPLATE),
        # A HorizontalPodAutoscaler.
        ("kube-controller-manager", "12:30", REPLICAS),
        ("kubectl", "12:30", {"f:metadata": {"f:labels": {}}}),
        ("kubelet", "12:30", {"f:status": {}}),
        ("kubectl-rollout", "12:30", RESTART),
    ],
)
def test_what_is_no_drift_costs_no_request(editor: tuple[str, str, dict[str, Any]]) -> None:
    assert Ran(deployed(editor), RELEASE).actions == {"app": "unchanged"}


@pytest.mark.parametrize(("manager", "expected"), [("kubectl-patch", True), ("helm-controller", False)])
def test_a_service_that_somebody_changed_is_looked_at(manager: str, expected: bool) -> None:
    api = released(inventory={"entries": [{"id": "ns_web__Service", "v": "v1"}]})
    api.served.append(kind("", "Service"))
    service = thing("Service", "web")
    fields = {"f:spec": {"f:selector": {"f:nobody": {}}}}
    service["metadata"]["managedFields"] = [{"manager": manager, "time": "2026-06-01T12:30:00Z", "fieldsV1": fields}]
    api.put(service, "ADDED")
    lines = Ran(api, RELEASE, wait=False).lines
    assert ("Service ns/web was changed by kubectl-patch → asked Flux" in str(lines)) is expected


def test_no_replicas_are_well_where_the_chart_says_so() -> None:
    assert Ran(deployed(("helm-controller", "11:00", REPLICAS), replicas=0), RELEASE).actions == {"app": "unchanged"}


def test_a_request_of_somebody_else_is_no_moment() -> None:
    api = deployed(("kubectl", "12:30", TEMPLATE), lastHandledReconcileAt="requested by hand")
    assert Ran(api, RELEASE, wait=False).actions == {"app": "configured"}


def test_a_workload_that_is_not_ready_behind_a_ready_release_is_waited_for_and_named() -> None:
    api = deployed()
    api.set_status(subject("Deployment", "web"), {**AVAILABLE, "availableReplicas": 0})
    ran = Ran(api, RELEASE, seconds=0.05)
    assert "Deployment ns/web: not ready after 0 s: 0 of 1 pods available" in str(ran.error)
    assert api.writes == []
    assert "check mode: Deployment ns/web is not ready: 0 of 1 pods available" in Ran(api, RELEASE, check=True).lines


def test_one_listing_a_kind_is_enough_and_rbac_names_are_read_back() -> None:
    many = [{"id": f"ns_web-{number}_apps_Deployment", "v": "v1"} for number in range(20)]
    api = released(inventory={"entries": [*many, {"id": "_a__b_rbac.authorization.k8s.io_ClusterRole", "v": "v1"}]})
    Ran(api, RELEASE, check=True)
    assert [call for call in api.calls if "Deployment" in call] == ["read Deployment ns"]


@pytest.mark.parametrize(("crds", "is_missed"), [("CreateReplace", True), ("Skip", False)])
def test_kinds_that_flux_was_asked_to_leave_out_are_not_missed(crds: str, is_missed: bool) -> None:
    release = {**RELEASE, "spec": {**RELEASE["spec"], "install": {"crds": crds}}}
    kinds = [{"id": "_things.example.org_apiextensions.k8s.io_CustomResourceDefinition", "v": "v1"}]
    api = released(release, inventory={"entries": kinds})
    missed = "CustomResourceDefinition things.example.org is missing" in str(Ran(api, release, check=True).lines)
    assert missed is is_missed


def test_who_may_not_see_the_workloads_behind_a_release_does_not_pass() -> None:
    api = released()
    api.unreadable = {"Deployment"}
    for check in (False, True):
        assert "Deployment ns/web: is not permitted (403)" in str(Ran(api, RELEASE, check=check).error)


def test_kinds_whose_state_is_not_looked_at_need_not_be_seen() -> None:
    role = {"id": "_a__b_admissionregistration.k8s.io_ValidatingWebhookConfiguration", "v": "v1"}
    api = released(inventory={"entries": [role]})
    api.unreadable = {"ValidatingWebhookConfiguration"}
    ran = Ran(api, RELEASE)
    assert (ran.error, ran.actions) == (None, {"app": "unchanged"})
