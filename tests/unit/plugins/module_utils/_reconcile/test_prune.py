# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Ran,
    subject,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

KEPT = thing("ConfigMap", "kept", data={"a": "1"})
OLD = thing("ConfigMap", "old", data={"a": "1"})


def laid_down(*objects: Object) -> FakeApi:
    api = FakeApi(NAMESPACE)
    assert Ran(api, KEPT, *objects, wait=False).error is None
    return api


def listed(api: FakeApi) -> str:
    text: str = api.objects[subject("ConfigMap", "fediverse.mastodon.set")]["data"]["objects"]
    return text


def test_nothing_is_deleted_unless_asked_and_nothing_forgotten() -> None:
    api = laid_down(OLD)
    assert Ran(api, KEPT).actions == {"kept": "unchanged"}
    assert "ConfigMap/old" in listed(api)


def test_what_is_no_longer_wanted_is_deleted_and_then_forgotten() -> None:
    api = laid_down(OLD)
    ran = Ran(api, KEPT, prune=True)
    assert ran.actions == {"kept": "unchanged", "old": "deleted"}
    assert ran.lines == ["deleted ConfigMap ns/old"]
    assert "ConfigMap/old" not in listed(api)
    again = Ran(api, KEPT, prune=True)
    assert again.actions == {"kept": "unchanged"}
    assert api.writes == []


def test_check_mode_only_says_so() -> None:
    api = laid_down(OLD)
    assert Ran(api, KEPT, prune=True, check=True).actions == {"kept": "unchanged", "old": "deleted"}
    assert api.writes == []


@pytest.mark.parametrize(
    "kind", ["Cluster", "PersistentVolumeClaim", "Secret", "Namespace", "CustomResourceDefinition"]
)
def test_data_is_kept_unless_named(kind: str) -> None:
    named = thing(kind, "data", spec={"a": 1})
    api = laid_down()
    api.on_apply = lambda applied: api.set_status(applied, {"conditions": [{"type": "Established", "status": "True"}]})
    assert Ran(api, KEPT, named, wait=False).error is None
    called = str(subject(kind, "data"))
    kept = Ran(api, KEPT, prune=True)
    assert kept.lines == [f'skipped {called}: not deleted unless named in prune_allow: ["{called}"]']
    assert Ran(api, KEPT, prune=True, prune_allow=frozenset({called})).actions["data"] == "deleted"


def test_what_others_have_taken_over_is_left_to_them() -> None:
    api = laid_down(OLD)
    api.edit(subject("ConfigMap", "old"), "helm", ("data", "a"), "2")
    assert Ran(api, KEPT, prune=True).actions["old"] == "skipped"


def test_an_object_deleted_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    api = laid_down(OLD)

    def gone(*_unused: Any, **__: Any) -> None:
        raise ApiError("ConfigMap ns/old", "was not found", "", "", status=404)

    monkeypatch.setattr(api, "delete", gone)
    assert Ran(api, KEPT, prune=True).error is None


def test_an_unreadable_inventory_is_refused() -> None:
    api = laid_down(OLD)
    api.edit(subject("ConfigMap", "fediverse.mastodon.set"), "kubectl-edit", ("data", "objects"), "nonsense\n")
    ran = Ran(api, KEPT)
    assert "ConfigMap ns/fediverse.mastodon.set: cannot be read: 'nonsense' is not" in str(ran.error)
    assert api.writes == []
