# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a result: reported, waited for, skipped with a reason, or given up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import dns_check
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.test_records import route
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

GROUP = "gateway.networking.k8s.io"
GATEWAY = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "Gateway",
    "metadata": {"name": "shared", "namespace": "edge"},
    "status": {"addresses": [{"value": "192.0.2.1"}]},
}
DRIFT = "DNS record social.test: 192.0.2.9 → 192.0.2.1"


class World:
    """A cluster, and a name server that gives one answer after the other, the last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = FakeApi(served=(*SERVED, kind(GROUP, "Gateway"), kind(GROUP, "HTTPRoute")))
        self.answers: list[str] = []
        self.said: list[str] = []
        self.texts: dict[str, str] = {}
        monkeypatch.setattr(dns_check, "cluster", lambda *_unused: self.api)
        monkeypatch.setattr(dns_check, "Resolver", lambda *_unused: self)
        monkeypatch.setattr(dns_check, "_PAUSE", 0.0)

    def has(self, *objects: Any, answers: Iterable[str]) -> None:
        for item in objects:
            self.api.put(item)
        self.answers = list(answers)

    def addresses(self, name: str) -> frozenset[str]:
        if name in ("192.0.2.1", "10.0.0.7"):
            return frozenset({name})
        return frozenset({self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]})

    def look(self, name: str, kind: str) -> Looked:
        assert kind == "TXT"
        return Looked("NOERROR", records=frozenset(filter(None, [self.texts.get(name, "")])))

    def check(self, *, check: bool = False, seconds: int = 60, **given: Any) -> dict[str, Any]:
        parameters = {name: spec.get("default") for name, spec in dns_check.ARGUMENTS.options.items()}
        parameters |= {"names": ["social.test"], "gateway_name": "shared", "gateway_namespace": "edge"}
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        return dns_check.run_task({**parameters, "wait_timeout": seconds, **given}, run)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_what_is_right_passes_in_silence(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.1"])
    assert world.check() == {"changed": False, "records": [], "skipped_names": []}
    assert world.said == []


def test_drift_is_reported_and_waited_for(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9", "192.0.2.9", "192.0.2.1"])
    assert world.check() == {"changed": True, "records": [DRIFT], "skipped_names": []}
    assert world.said == [f"configured {DRIFT}, by external-dns"]


def test_check_mode_tells_and_does_not_wait(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9"])
    assert world.check(check=True)["changed"]
    assert world.said == [f"configured {DRIFT}, by external-dns"]


def test_what_is_never_put_right_ends_with_what_to_do(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9"])
    with pytest.raises(MastodonError) as caught:
        world.check(seconds=0)
    assert str(caught.value).startswith(f"{DRIFT}: was not put right: waited 0 s. Read external-dns' log;")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([], "Gateway edge/shared is not ready"),
        ([GATEWAY], "no route on Gateway edge/shared asks for it yet"),
        ([GATEWAY, route("other.test")], "no route on Gateway edge/shared asks for it yet"),
    ],
)
def test_what_nobody_asks_for_yet_is_skipped(world: World, objects: list[Any], why: str, check: bool) -> None:
    world.has(*objects, answers=["192.0.2.9"])
    result = world.check(check=check)
    assert not result["changed"]
    assert world.said == result["skipped_names"] == [f"skipped the check of DNS record social.test: {why}"]


PRIVATE = {**GATEWAY, "status": {"addresses": [{"value": "10.0.0.7"}]}}


@pytest.mark.parametrize("check", [True, False])
def test_names_that_the_world_reaches_are_not_led_to_a_private_address(world: World, check: bool) -> None:
    world.has(PRIVATE, route("social.test"), answers=["9.9.9.9"])
    with pytest.raises(MastodonError) as caught:
        world.check(check=check)
    assert str(caught.value) == (
        "DNS record social.test: 9.9.9.9 → 10.0.0.7: would lead no other server here: Gateway edge/shared has no public address. "
        "Set gateway_dns_target to the address that others reach, or to 10.0.0.7 if none shall."
    )
    assert world.said == []


def test_a_private_address_that_is_asked_for_by_name_is_waited_for(world: World) -> None:
    world.has(PRIVATE, route("social.test"), answers=["9.9.9.9", "10.0.0.7"])
    assert world.check(target="10.0.0.7")["changed"]


def test_an_inner_instance_moves_from_one_private_address_to_another(world: World) -> None:
    world.has(PRIVATE, route("social.test"), answers=["10.0.0.8", "10.0.0.7"])
    assert world.check()["changed"]


OWNED = {"owner": "prod", "txt_prefix": "edns-%{record_type}."}
HERITAGE = '"heritage=external-dns,external-dns/owner={},external-dns/resource=httproute/mastodon/web"'


def test_a_record_of_another_owner_is_not_waited_for(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9"])
    world.texts["edns-a.social.test"] = HERITAGE.format("old-cluster")
    with pytest.raises(MastodonError) as caught:
        world.check(**OWNED)
    assert str(caught.value) == (
        f"{DRIFT}: will not be put right: its owner is old-cluster, and this external-dns is prod. Delete it and its TXT record once "
        "the other external-dns is gone, or set external_dns_owner_id to its name."
    )


@pytest.mark.parametrize(
    ("suffix", "place"), [("-own", "a-social-own.test"), ("-%{record_type}-own", "social-a-own.test")]
)
def test_whose_a_record_is_may_stand_at_a_name_with_a_suffix(world: World, suffix: str, place: str) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9"])
    world.texts[place] = HERITAGE.format("old-cluster")
    with pytest.raises(MastodonError, match="its owner is old-cluster"):
        world.check(owner="prod", txt_suffix=suffix)


@pytest.mark.parametrize("owner", ["prod", ""])
def test_a_record_of_ours_or_of_nobody_is_waited_for(world: World, owner: str) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.9", "192.0.2.1"])
    if owner:
        world.texts["edns-a.social.test"] = HERITAGE.format(owner)
    assert world.check(**OWNED)["changed"]


def test_whose_a_record_is_matters_only_where_it_leads_elsewhere(world: World) -> None:
    world.has(GATEWAY, route("social.test"), answers=["192.0.2.1"])
    world.texts["edns-a.social.test"] = HERITAGE.format("old-cluster")
    assert not world.check(**OWNED)["changed"]
