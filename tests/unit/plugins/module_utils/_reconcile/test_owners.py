# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Mastodons that call a set in a shared namespace the same."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.remove import Removal, Remover
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    Ran,
    thing,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

PLACE = inventory.subject("set", "ns")
OURS = "example.org"
THEIRS = "other.example"
ONE = thing("ConfigMap", "one", data={"a": "1"})
TWO = thing("ConfigMap", "two", data={"a": "1"})
CLAIM = thing("PersistentVolumeClaim", "data", spec={"a": 1})


def applied(*objects: Object, owner: str) -> FakeApi:
    api = FakeApi(NAMESPACE)
    assert Ran(api, *objects, owner=owner, wait=False).error is None
    return api


def names(api: FakeApi) -> set[str]:
    return {item.name for item in api.objects if item.kind != "Namespace" and item != PLACE}


def test_the_owner_is_noted_once() -> None:
    api = applied(ONE, owner=OURS)
    assert inventory.owner(api.objects[PLACE]) == OURS
    assert Ran(api, ONE, owner=OURS).actions == {"one": "unchanged"}
    assert api.writes == []


@pytest.mark.parametrize("check", [False, True])
def test_a_set_of_another_owner_is_refused_before_anything_is_written(check: bool) -> None:
    api = applied(ONE, owner=THEIRS)
    ran = Ran(api, TWO, owner=OURS, check=check)
    assert str(ran.error) == (
        "Set ns/set: belongs to the Mastodon of other.example: ConfigMap ns/fediverse.mastodon.set says so. "
        "Give yours a name of its own, by mastodon_name or what the role has for it. "
        "If that Mastodon no longer exists, remove the annotation fediverse.mastodon/owner."
    )
    assert api.writes == []


def test_what_is_turned_off_here_and_on_elsewhere_stays_there() -> None:
    api = applied(ONE, owner=THEIRS)
    ran = Ran(api, owner=OURS)
    assert ran.error is None
    assert ran.lines == [
        "skipped Set ns/set: belongs to the Mastodon of other.example: ConfigMap ns/fediverse.mastodon.set says so."
    ]
    assert api.writes == []
    assert Ran(api, owner=THEIRS).actions == {"one": "deleted"}


def test_a_set_without_owner_is_adopted_by_who_declares_an_object_of_it() -> None:
    api = applied(ONE, TWO, owner="")
    assert Ran(api, ONE, owner=OURS).actions == {"one": "unchanged", "two": "deleted"}
    assert inventory.owner(api.objects[PLACE]) == OURS


def test_a_set_without_owner_that_lists_only_other_objects_is_refused() -> None:
    api = applied(NAMESPACE, ONE, owner="")
    # A namespace is in many sets.
    ran = Ran(api, NAMESPACE, TWO, owner=OURS)
    assert str(ran.error) == (
        "Set ns/set: is not known to be of the Mastodon of example.org: ConfigMap ns/fediverse.mastodon.set names no owner "
        "and lists nothing that is declared now. "
        "If it is: kubectl -n ns annotate configmap fediverse.mastodon.set fediverse.mastodon/owner=example.org."
    )
    assert api.writes == []


def test_a_set_without_owner_of_which_only_the_namespace_is_left_is_free() -> None:
    api = applied(NAMESPACE, owner="")
    assert Ran(api, NAMESPACE, ONE, owner=OURS).actions == {"ns": "unchanged", "one": "created"}
    assert inventory.owner(api.objects[PLACE]) == OURS


def test_a_set_without_owner_that_is_turned_off_is_left_until_it_is_known_whose_it_is() -> None:
    api = applied(ONE, owner="")
    ran = Ran(api, owner=OURS)
    assert (ran.error, api.writes) == (None, [])
    assert ran.lines[0].startswith("skipped Set ns/set: is not known to be of the Mastodon of example.org: ")
    api.edit(PLACE, "kubectl-annotate", ("metadata", "annotations", inventory.OWNER), OURS)
    assert Ran(api, owner=OURS).actions == {"one": "deleted"}


def test_who_names_no_owner_leaves_the_one_that_is_noted() -> None:
    api = applied(ONE, owner=OURS)
    assert Ran(api, ONE).actions == {"one": "unchanged"}
    assert api.writes == []


def test_what_is_left_of_a_set_keeps_its_owner() -> None:
    api = applied(ONE, CLAIM, owner=OURS)
    removal = Removal(PLACE, frozenset(), frozenset(), MANAGER, wait=True, check=False)
    Remover(api, Live(api, api.discover()), removal, Deadline(5), lambda line: None).run()
    assert names(api) == {"data"}
    assert inventory.owner(api.objects[PLACE]) == OURS
