# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.volumes import Volumes
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    Clock,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

DATA = subject("PersistentVolumeClaim", "data")


def storage_class(name: str, mode: str) -> Object:
    found = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    return {**found, "volumeBindingMode": mode}


CLASSES = (storage_class("late", "WaitForFirstConsumer"), storage_class("now", "Immediate"))


def claim(**spec: Any) -> Object:
    return thing("PersistentVolumeClaim", "data", spec=spec, status={"phase": "Pending"})


@pytest.mark.parametrize(
    ("spec", "reported"),
    [
        ({"storageClassName": "late"}, "Current"),
        ({"storageClassName": "now"}, "StorageClass now has created no volume for it yet"),
        ({"storageClassName": "fast"}, "there is no StorageClass fast, only late, now"),
        ({}, "it names no StorageClass, and the cluster has no default one"),
        ({"storageClassName": ""}, "no volume is bound to it yet, and as it wants no StorageClass none is created"),
    ],
)
def test_the_class_tells_what_a_claim_waits_for(spec: dict[str, str], reported: str) -> None:
    volumes = Volumes(FakeApi(*CLASSES))
    assert str(volumes.status(claim(**spec))) == reported


def test_classes_are_read_once() -> None:
    api = FakeApi(*CLASSES)
    volumes = Volumes(api)
    for _unused in range(3):
        volumes.status(claim(storageClassName="now"))
    assert api.calls == ["read StorageClass"]


def test_who_may_not_read_classes_does_not_wait_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi()

    def forbidden(selection: Selection) -> Any:
        raise api.forbidden(selection)

    monkeypatch.setattr(api, "read", forbidden)
    assert Volumes(api).status(claim(storageClassName="fast")).verdict == "Current"


def waited(item: Object, seconds: float) -> list[str]:
    """Wait for a claim, with time that passes by looking, and return the calls it took."""
    api, clock = FakeApi(item, *CLASSES), Clock()
    live = Live(api, api.discover())
    live.read({DATA: kind("", "PersistentVolumeClaim")})
    api.calls.clear()

    def tick() -> float:
        clock.time += seconds
        return clock.time

    tracker = StatusTracker(tick)
    tracker.found(DATA, item)
    Waiter(api, live, tracker, clock.deadline(60), lambda _unused: None).wait([DATA])
    return api.calls


def test_a_claim_that_waits_for_its_pod_is_not_waited_for() -> None:
    assert waited(claim(storageClassName="late"), 0) == ["read StorageClass"]


def test_a_class_that_does_not_exist_ends_the_wait() -> None:
    with pytest.raises(MastodonError) as caught:
        waited(claim(storageClassName="fast"), 10)
    assert str(caught.value) == (
        "PersistentVolumeClaim ns/data: failed: there is no StorageClass fast, only late, now. "
        "Correct storageClassName, or create the StorageClass."
    )
