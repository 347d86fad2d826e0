# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.wait import Waiting
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    Clock,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

AVAILABLE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
WEB = {**thing("Deployment", "web"), "status": AVAILABLE}


def labelled(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "labels": {"app": "web"}}}


class Awaited:
    """A wait over a fake cluster, with time that passes only by sleeping."""

    def __init__(self, api: FakeApi, *, check: bool = False, seconds: float = 60) -> None:
        self.lines: list[str] = []
        self.clock = Clock()
        run = Run(check=check, diff=False, say=self.lines.append, environment={})
        self.waiting = Waiting(api, self.clock.deadline(seconds), run)

    def current(self, **target: str) -> list[str]:
        return [str(item) for item in self.waiting.current([Target(**target)])]

    def gone(self, **target: str) -> list[str]:
        return [str(item) for item in self.waiting.gone([Target(**target)])]


def test_what_is_ready_is_not_watched() -> None:
    api = FakeApi(WEB)
    assert Awaited(api).current(kind="Deployment", namespace="ns", name="web") == ["Deployment ns/web"]
    assert not [call for call in api.calls if call.startswith("watch")]


def test_labels_are_waited_for_until_something_has_them() -> None:
    api = FakeApi(WEB)
    awaited = Awaited(api)

    def appear() -> None:
        if awaited.clock.time >= 3:
            api.put(labelled(WEB))

    awaited.clock.on_sleep = appear
    assert awaited.current(kind="Deployment", labels="app=web") == ["Deployment ns/web"]


def pod(name: str, *, ready: bool) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return labelled({**thing("Pod", name), "status": {"phase": "Running", "conditions": conditions}})


def test_labels_wait_for_what_took_the_place_of_what_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi(pod("web-1", ready=False), served=(*SERVED, kind("", "Pod")))
    awaited = Awaited(api)
    watch = api.watch

    def replaced(*arguments: Any) -> Any:
        events = watch(*arguments)
        old = subject("Pod", "web-1")
        if old in api.objects and arguments[0].resource.kind == "Pod":
            api.put(pod("web-2", ready=True))
            api.put(api.objects[old], "DELETED")
        return events

    monkeypatch.setattr(api, "watch", replaced)
    assert awaited.current(kind="Pod", namespace="ns", labels="app=web") == ["Pod ns/web-2"]


def test_a_name_waits_for_what_went_away() -> None:
    api = FakeApi(pod("web-1", ready=False), served=(*SERVED, kind("", "Pod")))
    api.put(api.objects[subject("Pod", "web-1")], "DELETED")
    awaited = Awaited(api, seconds=0)
    with pytest.raises(MastodonError, match="Pod ns/web-1: not ready after 0 s: does not exist yet"):
        awaited.current(kind="Pod", namespace="ns", name="web-1")


def test_what_never_comes_is_named() -> None:
    awaited = Awaited(FakeApi())
    with pytest.raises(MastodonError) as caught:
        awaited.current(kind="Deployment", namespace="ns", labels="app=web")
    assert str(caught.value) == (
        "Deployment ns with app=web: not ready after 60 s: does not exist yet. Correct the selection, or create it."
    )
    assert awaited.lines[0] == "waiting for Deployment ns with app=web (1 s): does not exist yet"


def test_a_kind_that_comes_is_waited_for_and_one_that_does_not_is_named() -> None:
    api = FakeApi({**thing("Widget", "w")})
    awaited = Awaited(api)
    with pytest.raises(MastodonError, match="the cluster has no kind Widget"):
        awaited.current(kind="Widget", namespace="ns", name="w")
    api.served.append(kind("example.test", "Widget"))
    assert Awaited(api).current(kind="Widget", namespace="ns", name="w") == ["Widget ns/w"]


def test_what_is_gone_or_of_no_kind_is_not_waited_for() -> None:
    awaited = Awaited(FakeApi())
    assert awaited.gone(kind="Deployment", namespace="ns", name="web") == []
    assert awaited.gone(kind="Widget", api_version="example.test/v1", namespace="ns", name="w") == []
    assert awaited.lines == ["Widget ns/w: the cluster has no API group example.test, and so nothing of this kind"]


def test_what_may_be_misspelt_is_not_gone() -> None:
    for name, version in (("Deploymnt", ""), ("Deploymnt", "apps/v1"), ("Widget", "")):
        with pytest.raises(MastodonError, match=f"the cluster has no kind .*{name}"):
            Awaited(FakeApi(WEB)).gone(kind=name, api_version=version, namespace="ns", name="web")


def test_an_object_of_the_same_name_made_anew_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi(WEB)
    watch = api.watch

    def replaced(*arguments: Any) -> Any:
        events = watch(*arguments)
        api.put({**WEB, "metadata": {**WEB["metadata"], "uid": "another"}})
        return events

    monkeypatch.setattr(api, "watch", replaced)
    assert Awaited(api).gone(kind="Deployment", namespace="ns", name="web") == ["Deployment ns/web"]
    assert subject("Deployment", "web") in api.objects


def test_check_mode_waits_for_nothing() -> None:
    assert Awaited(FakeApi(), check=True).current(kind="Deployment", namespace="ns", labels="app=web") == []
    assert Awaited(FakeApi(WEB), check=True).gone(kind="Deployment", namespace="ns", name="web") == [
        "Deployment ns/web"
    ]
