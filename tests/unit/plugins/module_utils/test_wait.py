# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._wait import Waiting
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    Clock,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

AVAILABLE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
WEB = {**thing("Deployment", "web"), "status": AVAILABLE}


def labelled(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "labels": {"app": "web"}}}


class Awaited:
    """A wait over a fake cluster, with time that passes only by sleeping."""

    def __init__(self, api: FakeApi, *, check: bool = False) -> None:
        self.lines: list[str] = []
        self.clock = Clock()
        run = Run(check=check, diff=False, say=self.lines.append, environment={})
        self.waiting = Waiting(api, self.clock.deadline(60), run)

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


def test_what_never_comes_is_named() -> None:
    awaited = Awaited(FakeApi())
    with pytest.raises(MastodonError) as caught:
        awaited.current(kind="Deployment", namespace="ns", labels="app=web")
    assert str(caught.value) == (
        "Deployment ns with app=web: not ready after 60 s: does not exist yet. Correct the selection, or make it."
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
    assert awaited.gone(kind="Widget", namespace="ns", name="w") == []


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
