# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Clock,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

INVENTORY = "ConfigMap ns/fediverse.mastodon.set"
READY = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}
AVAILABLE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}


def config(name: str, **data: str) -> dict[str, Any]:
    return thing("ConfigMap", name, data=data)


def webhook_down(name: str) -> ApiError:
    return ApiError(f"ConfigMap ns/{name}", "no", 'failed calling webhook "x": connection refused', "", status=500)


def controllers(api: FakeApi, **statuses: dict[str, Any]) -> None:
    """Let the named objects get a status as soon as they are applied."""

    def react(applied: ObjectRef) -> None:
        if applied.name in statuses:
            api.set_status(applied, statuses[applied.name])

    api.on_apply = react


def test_everything_is_created_namespace_and_inventory_first() -> None:
    api = FakeApi()
    ran = Ran(api, config("a"), NAMESPACE)
    assert ran.error is None
    assert api.writes == ["apply Namespace ns", f"apply {INVENTORY}", "apply ConfigMap ns/a"]
    assert ran.lines == ["created Namespace ns", "created ConfigMap ns/a"]
    listed = api.objects[ObjectRef("", "ConfigMap", "ns", "fediverse.mastodon.set")]["data"]["objects"]
    assert listed == "/namespaces/ns/ConfigMap/a\n/Namespace/ns\n"


MISSING = ({"api_version": "x.io/v1", "kind": "X", "provided_by": "cnpg"},)
MISSING_SENTENCE = (
    "X (x.io/v1): not served by this cluster. Run fediverse.mastodon.site with --tags cnpg first, or without tags."
)


def test_a_kind_that_another_role_provides_is_missed_before_anything_is_written() -> None:
    api = FakeApi()
    ran = Ran(api, config("a"), NAMESPACE, kinds=MISSING)
    assert str(ran.error) == MISSING_SENTENCE
    assert api.writes == []


def test_check_mode_tells_of_a_missing_kind_and_goes_on() -> None:
    ran = Ran(FakeApi(), config("a"), NAMESPACE, kinds=MISSING, check=True)
    assert ran.error is None
    assert f"check mode: {MISSING_SENTENCE}" in ran.lines
    assert "created ConfigMap ns/a" in ran.lines


def test_check_mode_tells_of_what_a_run_would_fail_of() -> None:
    api = FakeApi()
    release = thing("HelmRelease", "app", spec={"interval": "1h"})
    assert Ran(api, release, NAMESPACE, wait=False).error is None
    live = api.objects[subject("HelmRelease", "app")]
    api.put({**live, "spec": {**live["spec"], "suspend": True}})
    ran = Ran(api, release, NAMESPACE, check=True)
    assert ran.error is None
    assert ran.lines == [f"check mode: HelmRelease ns/app: {SUSPENDED}"]


SUSPENDED = "is suspended, so Flux does not act on it; resume it by spec.suspend: false"


def suspended(release: dict[str, Any], **status: Any) -> FakeApi:
    """Return a cluster in which somebody suspended the release that was applied, and Flux has seen that."""
    api = FakeApi()
    assert Ran(api, release, NAMESPACE, wait=False).error is None
    live = api.objects[subject("HelmRelease", "app")]
    metadata = {**live["metadata"], "generation": 2}
    api.put({**live, "metadata": metadata, "spec": {**live["spec"], "suspend": True}})
    api.set_status(subject("HelmRelease", "app"), {"observedGeneration": 2, **status})
    return api


def test_check_mode_tells_of_a_suspended_release_that_drifted_too() -> None:
    api = suspended(thing("HelmRelease", "app", spec={"interval": "1h"}))
    ran = Ran(api, thing("HelmRelease", "app", spec={"interval": "2h"}), NAMESPACE, check=True)
    assert ran.error is None
    changed = 'configured HelmRelease ns/app: spec.interval "1h" → "2h"'
    assert ran.lines == [changed, f"check mode: HelmRelease ns/app: {SUSPENDED}"]


def test_check_mode_does_not_tell_of_a_suspension_that_a_run_ends() -> None:
    api = suspended(thing("HelmRelease", "app", spec={"interval": "1h", "suspend": False}))
    ran = Ran(api, thing("HelmRelease", "app", spec={"interval": "2h", "suspend": False}), NAMESPACE, check=True)
    assert len(ran.lines) == 1


def test_check_mode_tells_of_no_failure_that_a_change_may_mend() -> None:
    api = FakeApi(NAMESPACE)
    assert Ran(api, thing("HelmRelease", "app", spec={"interval": "1h"}), wait=False).error is None
    released = {"type": "Released", "status": "False", "reason": "UpgradeFailed", "message": "no"}
    api.set_status(subject("HelmRelease", "app"), {"upgradeFailures": 9, "conditions": [released]})
    ran = Ran(api, thing("HelmRelease", "app", spec={"interval": "2h"}), check=True)
    assert ran.lines == ['configured HelmRelease ns/app: spec.interval "1h" → "2h"']


def test_check_mode_tells_of_what_is_declared_not_to_act() -> None:
    ran = Ran(FakeApi(NAMESPACE), thing("HelmRelease", "app", spec={"suspend": True}), check=True)
    assert ran.lines == ["created HelmRelease ns/app", f"check mode: HelmRelease ns/app: {SUSPENDED}"]


def test_a_second_run_costs_requests_by_kind_and_writes_nothing() -> None:
    api = FakeApi()
    objects = [NAMESPACE, *(config(f"c{number}", a="1") for number in range(30)), thing("Secret", "s", data={})]
    Ran(api, *objects)
    ran = Ran(api, *objects)
    assert set(ran.actions.values()) == {"unchanged"}
    assert ran.lines == []
    assert sorted(api.calls) == ["discover", "read ConfigMap ns", "read Namespace ns", "read Secret ns/s"]


def test_only_what_drifted_is_written_after_a_dry_run() -> None:
    api = FakeApi(NAMESPACE)
    Ran(api, config("a", x="1"), config("b", x="1"))
    ran = Ran(api, config("a", x="2"), config("b", x="1"))
    assert ran.lines == ['configured ConfigMap ns/a: data.x "1" → "2"']
    assert [call for call in api.calls if "ns/a" in call and "read" not in call] == [
        "try ConfigMap ns/a",
        "apply ConfigMap ns/a",
    ]
    assert ran.actions == {"a": "configured", "b": "unchanged"}


def test_a_person_is_overruled_and_a_program_is_not() -> None:
    api = FakeApi(NAMESPACE)
    Ran(api, config("a", x="1"))
    api.edit(subject("ConfigMap", "a"), "kubectl-edit", ("data", "x"), "2")
    assert Ran(api, config("a", x="1")).lines == [
        'configured ConfigMap ns/a: data.x "2" → "1" (was changed by kubectl-edit)'
    ]
    api.edit(subject("ConfigMap", "a"), "helm-controller", ("data", "x"), "3")
    ran = Ran(api, config("a", x="1"))
    assert str(ran.error) == (
        'ConfigMap ns/a: is not applied: data.x is owned by "helm-controller". Leave it to its owner by not declaring '
        'it, or take it over once with -e \'{"force_conflicts": ["ConfigMap ns/a"]}\'.'
    )
    assert api.writes == []
    forced = Ran(api, config("a", x="1"), force_conflicts=frozenset({"ConfigMap ns/a"}))
    assert forced.actions == {"a": "configured"}


def test_what_people_made_is_not_ours_to_overrule() -> None:
    api = FakeApi(NAMESPACE, config("a"))
    api.edit(subject("ConfigMap", "a"), "kubectl", ("data", "x"), "theirs")
    ran = Ran(api, config("a", x="ours"))
    assert 'owned by "kubectl"' in str(ran.error)


def test_what_could_not_be_adopted_does_not_become_ours_by_being_tried() -> None:
    api = FakeApi(NAMESPACE, config("a"))
    api.edit(subject("ConfigMap", "a"), "kubectl", ("data", "x"), "theirs")
    for _unused in range(2):
        assert 'owned by "kubectl"' in str(Ran(api, config("a", x="ours"), config("b")).error)
    listed = api.objects[subject("ConfigMap", "fediverse.mastodon.set")]["data"]["objects"]
    assert listed == "/namespaces/ns/ConfigMap/b\n"


def test_what_is_adopted_is_listed_afterwards() -> None:
    api = FakeApi(NAMESPACE, config("a", x="1"))
    assert Ran(api, config("a", x="1")).error is None
    assert "ConfigMap/a" in api.objects[subject("ConfigMap", "fediverse.mastodon.set")]["data"]["objects"]
    Ran(api, config("a", x="1"))
    assert api.writes == []


def test_the_kinds_of_a_crd_are_served_before_their_objects_are_applied() -> None:
    api = FakeApi(NAMESPACE)

    def establish(applied: ObjectRef) -> None:
        if applied.kind == "CustomResourceDefinition":
            api.served.append(kind("example.test", "Widget"))
            api.set_status(applied, ESTABLISHED)

    api.on_apply = establish
    ran = Ran(api, thing("Widget", "w"), thing("CustomResourceDefinition", "widgets.example.test"))
    assert ran.error is None
    assert list(ran.actions) == ["widgets.example.test", "w"]
    assert api.calls.count("discover") == 2


def test_kinds_that_a_chart_of_the_set_brings_come_last() -> None:
    api = FakeApi(NAMESPACE)

    def install(applied: ObjectRef) -> None:
        if applied.kind == "HelmRelease":
            api.served.append(kind("example.test", "Widget"))
            api.set_status(applied, READY)

    api.on_apply = install
    ran = Ran(api, thing("Widget", "w"), thing("HelmRelease", "r"), config("a"))
    assert ran.error is None
    assert list(ran.actions)[-1] == "w"


def test_a_kind_that_never_comes_is_named() -> None:
    ran = Ran(FakeApi(NAMESPACE), thing("Widget", "w"), seconds=0)
    assert str(ran.error) == (
        "Widget ns/w: cannot be applied: the cluster has no kind example.test/v1 Widget. "
        "Install what provides it first, or in the same set."
    )


def test_a_dependent_comes_after_what_it_needs_is_ready() -> None:
    api = FakeApi(NAMESPACE)
    controllers(api, d=AVAILABLE)
    ran = Ran(
        api, config("a"), thing("ConfigMap", "b", after="apps/namespaces/ns/Deployment/d"), thing("Deployment", "d")
    )
    assert ran.error is None
    assert list(ran.actions) == ["a", "d", "b"]


def test_a_dependent_is_not_applied_while_what_it_needs_is_not_ready() -> None:
    api = FakeApi(NAMESPACE)
    ran = Ran(
        api, thing("ConfigMap", "b", after="apps/namespaces/ns/Deployment/d"), thing("Deployment", "d"), seconds=0.05
    )
    assert "Deployment ns/d: not ready after 0 s: its controller has not seen it yet." in str(ran.error)
    assert ran.actions == {"d": "created"}


def test_webhook_configurations_come_last() -> None:
    api = FakeApi()
    Ran(api, thing("ValidatingWebhookConfiguration", "v"), config("a"), NAMESPACE)
    assert api.writes[-1] == "apply ValidatingWebhookConfiguration v"


def test_a_webhook_that_is_still_starting_is_waited_for_and_shown() -> None:
    api = FakeApi(NAMESPACE)
    api.refusals[subject("ConfigMap", "a")] = [webhook_down("a"), webhook_down("a")]
    ran = Ran(api, config("a"))
    assert ran.actions == {"a": "created"}
    assert ran.lines == [
        'waiting to apply ConfigMap ns/a (0 s): failed calling webhook "x": connection refused',
        "created ConfigMap ns/a",
    ]


def test_a_webhook_whose_service_is_not_there_is_given_up_soon() -> None:
    api, clock = FakeApi(NAMESPACE), Clock()
    why = 'failed calling webhook "x": Post "https://w.ops.svc:443/": service "w" not found'
    api.refusals[subject("ConfigMap", "a")] = [ApiError("ConfigMap ns/a", "no", why, "", status=500)] * 100
    ran = Ran(api, config("a"), seconds=600, clock=clock)
    assert 'service "w" not found' in str(ran.error)
    assert 15 <= clock.time < 20


def test_an_api_group_whose_server_does_not_answer_is_reported_and_stops_only_who_needs_it() -> None:
    api = FakeApi(NAMESPACE)
    api.unanswered = [("example.test", "v1")]
    assert Ran(api, config("a")).error is None
    assert str(Ran(api, config("a"), thing("Widget", "w"), seconds=0).error).startswith(
        "API group example.test: is served by APIService v1.example.test, whose service does not answer."
    )


def test_a_kind_that_is_served_in_another_version_is_named_at_once() -> None:
    api, clock = FakeApi(NAMESPACE, served=(*SERVED, kind("example.test", "Widget", version="v1beta1"))), Clock()
    Ran(api, config("a"))
    ran = Ran(api, config("a"), thing("Widget", "w"), seconds=600, clock=clock)
    assert str(ran.error) == (
        "Widget ns/w: cannot be applied: the cluster has no kind example.test/v1 Widget, only v1beta1. "
        "Upgrade what serves it, or declare a version that it serves."
    )
    assert clock.time < 15


def test_an_object_of_another_set_is_refused_by_name_and_nothing_is_written() -> None:
    api = FakeApi(NAMESPACE)
    assert Ran(api, config("a", x="1"), config("b")).error is None
    ran = Ran(api, config("a", x="2"), config("c"), name="other")
    assert str(ran.error) == (
        "ConfigMap ns/a: belongs to another set: ConfigMap ns/fediverse.mastodon.set lists it. Declare it in one of the "
        "two sets. If the other set no longer exists, delete ConfigMap ns/fediverse.mastodon.set."
    )
    assert api.writes == []


def test_an_object_whose_inventory_was_lost_is_taken_back() -> None:
    api = FakeApi(NAMESPACE)
    Ran(api, config("a", x="1"))
    del api.objects[ObjectRef("", "ConfigMap", "ns", "fediverse.mastodon.set")]
    assert Ran(api, config("a", x="2")).error is None


def test_what_was_done_before_an_error_is_reported() -> None:
    api = FakeApi(NAMESPACE)
    api.refusals[subject("ConfigMap", "b")] = [ApiError("ConfigMap ns/b", "is invalid", "why", "", status=422)]
    ran = Ran(api, config("a"), config("b"), thing("ConfigMap", "c", after="/namespaces/ns/ConfigMap/b"))
    assert str(ran.error) == "ConfigMap ns/b: is invalid: why."
    assert ran.actions == {"a": "created"}


def test_several_errors_are_reported_together() -> None:
    api = FakeApi(NAMESPACE)
    for name in ("a", "b"):
        refusal = ApiError(f"ConfigMap ns/{name}", "is invalid", "why", "", status=422)
        api.refusals[subject("ConfigMap", name)] = [refusal]
    assert (
        str(Ran(api, config("a"), config("b")).error)
        == "ConfigMap ns/a: is invalid: why.\nConfigMap ns/b: is invalid: why."
    )


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, "needs a namespace"),
        ({**NAMESPACE, "metadata": {"name": "ns", "namespace": "ns"}}, "belongs to no namespace"),
    ],
)
def test_a_wrong_scope_is_refused_before_anything_is_written(item: dict[str, Any], sentence: str) -> None:
    api = FakeApi()
    ran = Ran(api, item)
    assert sentence in str(ran.error)
    assert api.writes == []


def test_check_mode_writes_nothing_and_reaches_the_end_of_an_empty_cluster() -> None:
    api = FakeApi()
    objects = [
        NAMESPACE,
        config("a"),
        thing("CustomResourceDefinition", "c"),
        thing("Widget", "w"),
        thing("HelmRelease", "r"),
    ]
    ran = Ran(api, *objects, check=True)
    assert ran.error is None
    assert set(ran.actions.values()) == {"created"}
    assert api.writes == []


def test_check_mode_names_the_drift() -> None:
    api = FakeApi(NAMESPACE)
    Ran(api, config("a", x="1"))
    ran = Ran(api, config("a", x="2"), check=True)
    assert ran.lines == ['configured ConfigMap ns/a: data.x "1" → "2"']
    assert api.writes == []


def test_check_mode_does_not_wait_for_a_webhook() -> None:
    api = FakeApi(NAMESPACE)
    Ran(api, config("a", x="1"))
    api.refusals[subject("ConfigMap", "a")] = [webhook_down("a")]
    assert Ran(api, config("a", x="2"), check=True).actions == {"a": "configured"}


def test_without_wait_nothing_is_watched() -> None:
    api = FakeApi(NAMESPACE)
    ran = Ran(api, thing("Deployment", "d"), wait=False)
    assert ran.error is None
    assert not [call for call in api.calls if call.startswith("watch")]


def test_the_wait_ends_with_the_news_that_the_object_is_ready() -> None:
    api = FakeApi(NAMESPACE)
    controllers(api, d=AVAILABLE)
    ran = Ran(api, thing("Deployment", "d"))
    assert ran.error is None
    assert ran.engine.verdict(subject("Deployment", "d")) == "Current"


def test_an_object_being_deleted_is_created_again_once_it_is_gone() -> None:
    dying = config("a")
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api = FakeApi(NAMESPACE, dying)
    ran = Ran(api, config("a"), check=True)
    assert ran.lines == ["created ConfigMap ns/a: once it is gone, as it is being deleted"]
    ran = Ran(api, config("a"), seconds=0)
    assert str(ran.error) == "ConfigMap ns/a: cannot be created: is being deleted. Remove what holds it."


def test_without_its_inventory_s_namespace_the_set_is_refused() -> None:
    with pytest.raises(MastodonError, match="has no namespace"):
        raise Ran(FakeApi(), config("a")).error or AssertionError


def test_the_served_kinds_of_the_fake_are_unique() -> None:
    assert len({(item.group, item.kind) for item in SERVED}) == len(SERVED)
