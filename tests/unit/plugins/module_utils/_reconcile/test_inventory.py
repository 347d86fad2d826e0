# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject


@pytest.mark.parametrize("name", ["a", "mastodon-db", "social.example", "a1.b-2"])
def test_a_set_has_a_config_map(name: str) -> None:
    assert str(inventory.subject(name, "ns")) == f"ConfigMap ns/fediverse.mastodon.{name}"


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a..b", "a/b", "x" * 201, "a\n"])
def test_a_name_that_no_config_map_can_have_is_refused(name: str) -> None:
    with pytest.raises(MastodonError, match="has a name that Kubernetes does not allow"):
        inventory.subject(name, "ns")


def test_what_is_written_is_read_back() -> None:
    subjects = {subject("ConfigMap", "a"), subject("Namespace", "ns"), subject("Cluster", "db")}
    place = inventory.subject("set", "ns")
    assert inventory.listed(inventory.desired(place, subjects).body) == subjects
    assert inventory.listed(None) == frozenset()
    assert inventory.listed(inventory.desired(place, ()).body) == frozenset()


def test_a_line_that_cannot_be_read_is_reported_beside_those_that_can() -> None:
    edited = inventory.desired(inventory.subject("set", "ns"), [subject("ConfigMap", "a")]).body
    edited["data"]["objects"] += "nonsense\r\n\n  \n/namespaces/ns/ConfigMap/b\r\n"
    subjects, unreadable = inventory.readable(edited)
    assert subjects == {subject("ConfigMap", "a"), subject("ConfigMap", "b")}
    assert unreadable == ["'nonsense' is not group/namespaces/namespace/Kind/name or group/Kind/name"]
    with pytest.raises(MastodonError, match=r"ConfigMap ns/fediverse.mastodon.set: cannot be read: 'nonsense' is not"):
        inventory.listed(edited)


def test_a_config_map_that_only_has_our_label_is_no_inventory() -> None:
    ours = inventory.desired(inventory.subject("set", "ns"), ()).body
    assert inventory.is_one(ours)
    assert not inventory.is_one({**ours, "metadata": {**ours["metadata"], "name": "settings"}})
