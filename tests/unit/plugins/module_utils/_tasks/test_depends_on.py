# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier task applied is waited for; what is not there, or failed, ends the task at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import apply, dns_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import await_ready
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Clock,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

RELEASE = {"api_version": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "namespace": "ns", "name": "operator"}
READY = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}


def served(api: FakeApi, *wanted: Any, check: bool = False) -> Catalog | None:
    run = Run(check=check, diff=False, say=lambda line: None, environment={})
    return await_ready(wanted, api, Clock().deadline(60), run)


def awaited(api: FakeApi, *wanted: Any, check: bool = False) -> list[str]:
    served(api, *wanted, check=check)
    return api.calls


def failure(api: FakeApi, *wanted: Any) -> str:
    with pytest.raises(MastodonError) as caught:
        awaited(api, *wanted)
    return str(caught.value)


def test_nothing_costs_nothing() -> None:
    assert awaited(FakeApi()) == []


def test_check_mode_looks_at_nothing() -> None:
    assert awaited(FakeApi(), RELEASE, check=True) == []


def test_what_is_ready_is_read_once_and_not_watched() -> None:
    api = FakeApi(thing("HelmRelease", "operator", status=READY))
    assert awaited(api, RELEASE) == ["discover", "read HelmRelease ns/operator"]


def test_the_kinds_served_are_not_asked_for_once_more() -> None:
    assert served(FakeApi(thing("HelmRelease", "operator", status=READY)), RELEASE) is not None


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """An API server whose release becomes ready once it is watched."""
    api = FakeApi(thing("HelmRelease", "operator"))
    release = subject("HelmRelease", "operator")
    watch = api.watch

    def then_ready(*arguments: Any) -> Any:
        events = watch(*arguments)
        api.set_status(release, READY)
        return events

    monkeypatch.setattr(api, "watch", then_ready)
    return api


def test_what_is_not_ready_yet_is_waited_for(late: FakeApi) -> None:
    assert any(call.startswith("watch HelmRelease") for call in awaited(late, RELEASE))


def test_what_was_waited_for_may_have_brought_kinds(late: FakeApi) -> None:
    assert served(late, RELEASE) is None


def test_what_is_not_there_is_named_at_once() -> None:
    assert failure(FakeApi(), RELEASE) == "HelmRelease ns/operator: is needed and does not exist. Install it first."


GATEWAY = {"api_version": "apps/v1", "kind": "Deployment", "namespace": "ns", "name": "gateway"}


def test_what_the_others_make_is_looked_for_once_they_are_ready(late: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = late.set_status

    def and_made(release: Any, status: Any) -> None:
        ready(release, status)
        late.put(thing("Deployment", "gateway", spec={"replicas": 0}, status={"observedGeneration": 1}))

    monkeypatch.setattr(late, "set_status", and_made)
    calls = awaited(late, GATEWAY, RELEASE)
    assert calls.count("read Deployment ns/gateway") == 2


def test_what_the_others_do_not_make_is_named_once_they_are_ready(late: FakeApi) -> None:
    assert failure(late, GATEWAY, RELEASE) == "Deployment ns/gateway: is needed and does not exist. Install it first."


def test_a_kind_that_is_not_served_is_named_at_once() -> None:
    reported = failure(FakeApi(), {"kind": "Widget", "namespace": "ns", "name": "w"})
    assert reported.startswith("Widget ns/w: cannot be found: the cluster has no kind Widget.")


def test_what_failed_says_why() -> None:
    suspended = thing("HelmRelease", "operator", spec={"suspend": True}, status=READY)
    assert failure(FakeApi(suspended), RELEASE).startswith("HelmRelease ns/operator: failed: is suspended, so Flux")


class BringsKinds(FakeApi):
    """An API server whose release becomes ready, and brings a kind, after the kinds were asked for and before it is read."""

    def __init__(self, *brings: Resource) -> None:
        super().__init__(NAMESPACE, thing("HelmRelease", "operator"))
        self._brings = brings

    def read(self, selection: Selection) -> Listing:
        if selection.resource.kind == "HelmRelease" and self._brings:
            self.served += self._brings
            self._brings = ()
            self.set_status(subject("HelmRelease", "operator"), READY)
        return super().read(selection)


def run(module: Any, api: FakeApi, monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    """Run a task that depends on the release."""
    monkeypatch.setattr(module, "cluster", lambda *_unused: api)
    defaults = {name: spec.get("default") for name, spec in module.ARGUMENTS.options.items()}
    quietly = Run(check=False, diff=False, say=lambda line: None, environment={})
    result: dict[str, Any] = module.run_task({**defaults, "depends_on": [RELEASE], **options}, quietly)
    return result


SET = {"name": "set", "namespace": "ns", "wait": False}
WIDGET = kind("example.test", "Widget")
NEEDED = [{"api_version": "example.test/v1", "kind": "Widget", "provided_by": "operator"}]


@pytest.mark.parametrize("objects", [[thing("Widget", "w")], [thing("ConfigMap", "c")]])
def test_a_kind_is_found_that_came_before_its_release_was_read(
    monkeypatch: pytest.MonkeyPatch, objects: list[Any]
) -> None:
    api = BringsKinds(WIDGET)
    result = run(apply, api, monkeypatch, **SET, objects=objects, kinds=NEEDED)
    assert result.get("msg", "") == ""
    assert f"apply {subject(objects[0]['kind'], objects[0]['metadata']['name'])}" in api.calls


def test_what_others_have_of_a_kind_that_came_so_late_is_not_listed_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    api = BringsKinds(WIDGET)
    api.put(thing("Widget", "w"))
    api.edit(subject("Widget", "w"), "somebody", ("spec", "size"), 1)
    result = run(apply, api, monkeypatch, **SET, objects=[thing("Widget", "w", spec={"size": 2})])
    assert result["failed"]
    assert inventory.listed(api.objects[inventory.subject("set", "ns")]) == set()


def test_kinds_that_are_there_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi(NAMESPACE, thing("HelmRelease", "operator", status=READY), served=(*SERVED, WIDGET))
    run(apply, api, monkeypatch, **SET, objects=[thing("Widget", "w")], kinds=NEEDED)
    assert api.calls.count("discover") == 1


def test_records_are_looked_at_though_the_kinds_of_their_gateway_came_so_late(monkeypatch: pytest.MonkeyPatch) -> None:
    group = "gateway.networking.k8s.io"
    api = BringsKinds(kind(group, "Gateway"), kind(group, "HTTPRoute"))
    run(dns_check, api, monkeypatch, names=["social.test"], gateway_name="shared", gateway_namespace="edge")
    assert "read Gateway edge/shared" in api.calls
