# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking down: in which order, what is left alone, and what holds it up."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef, desired_set
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.remove import Removal, Remover, stages
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

PLACE = inventory.subject("set", "ns")


class Removed:
    """One run, and the error that ended it, if any."""

    def __init__(self, api: FakeApi, *named: ObjectRef, seconds: float = 5, **options: Any) -> None:
        self.lines: list[str] = []
        self.error = ""
        settings = {
            "place": None if named else PLACE,
            "allowed": frozenset(),
            "manager": MANAGER,
            "wait": True,
            "check": False,
            **options,
        }
        api.calls.clear()
        removal = Removal(named=frozenset(named), **settings)
        remover = Remover(api, Live(api, api.discover()), removal, Deadline(seconds), self.lines.append)
        try:
            remover.run()
        except MastodonError as error:
            self.error = str(error)


def installed(*objects: dict[str, Any]) -> FakeApi:
    api = FakeApi(NAMESPACE)
    assert Ran(api, *objects, wait=False).error is None
    return api


def test_a_set_is_taken_down_with_its_inventory() -> None:
    api = installed(thing("ConfigMap", "a"), thing("HelmRelease", "r", spec={"interval": "1h"}))
    api.put(thing("ConfigMap", "theirs"))
    removed = Removed(api, allowed=frozenset({"HelmRelease ns/r"}))
    assert removed.lines == ["deleted HelmRelease ns/r", "deleted ConfigMap ns/a"]
    assert {item.name for item in api.objects} == {"ns", "theirs"}
    assert Removed(api).lines == []


def test_a_schedule_of_backups_that_is_deleted_by_name_leaves_its_backups() -> None:
    schedule = kind("postgresql.cnpg.io", "ScheduledBackup")
    api = FakeApi(NAMESPACE, served=(*SERVED, schedule))
    owner = api.put({**thing("ScheduledBackup", "db"), "apiVersion": "postgresql.cnpg.io/v1"})
    made = thing("ConfigMap", "made")
    api.put({**made, "metadata": {**made["metadata"], "ownerReferences": [{"uid": owner["metadata"]["uid"]}]}})
    assert Removed(api, ObjectRef.of(owner)).lines == ["deleted ScheduledBackup ns/db"]
    assert {item.name for item in api.objects} == {"ns", "made"}


def test_data_stays_and_stays_listed_unless_named() -> None:
    api = installed(thing("ConfigMap", "a", data={"x": "1"}), thing("PersistentVolumeClaim", "data", spec={"a": 1}))
    called = "PersistentVolumeClaim ns/data"
    assert Removed(api).lines == [
        "deleted ConfigMap ns/a",
        f"skipped {called}: kept, as with it goes the data on its volume. If it is to go: "
        f'prune_allow ["{called}"], or kubectl -n ns delete persistentvolumeclaims data',
    ]
    assert api.objects[PLACE]["data"]["objects"] == "/namespaces/ns/PersistentVolumeClaim/data\n"
    assert Removed(api, allowed=frozenset({called})).lines == [f"deleted {called}"]
    assert PLACE not in api.objects


def test_what_others_took_over_stays() -> None:
    api = installed(thing("ConfigMap", "a", data={"x": "1"}))
    api.edit(subject("ConfigMap", "a"), "helm", ("data", "x"), "2")
    assert Removed(api).lines == ["skipped ConfigMap ns/a: not deleted, as it has been taken over by others"]


def test_what_another_set_applies_to_as_well_is_left_to_it() -> None:
    api = installed(thing("ConfigMap", "a", data={"x": "1"}))
    resource = api.discover().preferred("", "ConfigMap")
    assert resource is not None
    other = thing("ConfigMap", "a", data={"y": "1"})
    api.apply(resource, other, manager="fediverse.mastodon.other", force=False, dry_run=False)
    assert Removed(api).lines == ["configured ConfigMap ns/a: left to fediverse.mastodon.other"]
    assert api.objects[subject("ConfigMap", "a")]["data"] == {"y": "1"}
    assert PLACE not in api.objects


def test_a_set_with_a_field_manager_of_its_own_keeps_its_inventory_right() -> None:
    api = FakeApi(NAMESPACE)
    kept = thing("PersistentVolumeClaim", "data", spec={"a": 1})
    wanted = desired_set([thing("ConfigMap", "a", data={"x": "1"}), kept], "fediverse.mastodon/one")
    assert Ran(api, wait=False, desired=wanted, manager="fediverse.mastodon/one").error is None
    removed = Removed(api, manager="fediverse.mastodon/one")
    assert removed.error == ""
    assert api.objects[PLACE]["data"]["objects"] == "/namespaces/ns/PersistentVolumeClaim/data\n"


def test_what_is_named_goes_whoever_made_it() -> None:
    api = FakeApi(NAMESPACE, thing("PersistentVolumeClaim", "data"))
    assert Removed(api, subject("PersistentVolumeClaim", "data")).error == ""
    assert subject("PersistentVolumeClaim", "data") not in api.objects


def test_what_is_not_there_is_no_error() -> None:
    assert Removed(FakeApi(NAMESPACE), subject("ConfigMap", "a"), subject("Widget", "w")).lines == []


def test_check_mode_deletes_nothing() -> None:
    api = installed(thing("ConfigMap", "a", data={"x": "1"}))
    assert Removed(api, check=True).lines == ["deleted ConfigMap ns/a"]
    assert api.writes == []


def test_what_holds_an_object_is_named_and_what_comes_after_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    release = thing("HelmRelease", "r", spec={"interval": "1h"})
    api = installed(thing("ConfigMap", "a", data={"x": "1"}), release)

    def mark(resource: Any, live: dict[str, Any], *, dry_run: bool, orphan: bool) -> None:
        dying = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["finalizers.fluxcd.io"]}
        api.put({**live, "metadata": {**live["metadata"], **dying}})

    monkeypatch.setattr(api, "delete", mark)
    removed = Removed(api, seconds=0.05, allowed=frozenset({"HelmRelease ns/r"}))
    assert removed.lines == ["deleted HelmRelease ns/r"]
    assert removed.error.startswith(
        "HelmRelease ns/r: not gone after 0 s: is being deleted, held by finalizers.fluxcd.io."
    )
    assert subject("ConfigMap", "a") in api.objects


def test_the_order_keeps_what_others_need_to_clean_up() -> None:
    kinds = [
        "Namespace",
        "CustomResourceDefinition",
        "ConfigMap",
        "Deployment",
        "HelmRelease",
        "Cluster",
        "ValidatingWebhookConfiguration",
    ]
    order = [[item.kind for item in stage] for stage in stages(subject(kind, "a") for kind in kinds)]
    assert order == [
        ["ValidatingWebhookConfiguration"],
        ["Cluster"],
        ["HelmRelease"],
        ["ConfigMap", "Deployment"],
        ["CustomResourceDefinition"],
        ["Namespace"],
    ]
