# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that external-dns wrote for a route that is gone, and which it does not delete, on a small internet of the loopback."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import DOMAIN, Response
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import ADDRESS, World
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.zones import Said

from .behind import OWNER, Behind

NOBODY = f"no HTTPRoute on a listener with TLS names {DOMAIN}"
NOT_FOUND = Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The bare domain still leads to the Gateway, whose route for it is gone."""
    made = World(tmp_path)
    made.change("/", NOT_FOUND, host=DOMAIN)
    yield made
    made.stop()


def why(world: World, policy: str, owner: str = OWNER, led_to_tls: str = "", watched: str = "") -> tuple[str, str]:
    """Return the cause of what is wrong with accounts, and what to do. A route may still lead to TLS, in a namespace that is watched or not."""
    behind = Behind()
    for item in behind.objects.values():
        if item["kind"] == "Gateway":
            item["status"]["addresses"] = [{"type": "IPAddress", "value": ADDRESS}]
        if item["kind"] == "HelmRelease":
            item["spec"]["values"] |= {"policy": policy, "extraArgs": {"namespace": watched}}
    redirect = copy.deepcopy(behind.objects["HTTPRoute edge/redirect"])
    behind.remove("HTTPRoute edge/redirect")
    if led_to_tls:
        redirect["metadata"]["namespace"], redirect["spec"]["hostnames"] = led_to_tls, [DOMAIN]
        behind.add(redirect)
    text = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=httproute/mastodon/apex"'
    world.zones.say(f"edns-a-{DOMAIN}", "TXT", Said((text,)))
    world.explain = partial(explained, behind.cluster)
    report = world.look(owner=OWNER, txt_prefix="edns-")
    found = next(one for one in report.findings if (one.check, one.fault) == ("webfinger", "absent"))
    assert found.cause
    return found.cause.why, found.cause.next


@pytest.mark.parametrize("policy", ["upsert-only", "create-only"])
def test_a_record_without_a_route_is_left_over_where_external_dns_deletes_none(world: World, policy: str) -> None:
    said = f"its record is left over from httproute/mastodon/apex, as external-dns {OWNER} has policy {policy} and deletes none"
    then = f"Delete {DOMAIN} and its TXT record edns-a-{DOMAIN} by hand, or let a route serve it again."
    assert why(world, policy) == (f"{NOBODY}; {said}", then)


@pytest.mark.parametrize(("watched", "is_left_over"), [("mastodon", True), ("edge", False), ("", False)])
def test_a_route_that_only_leads_to_tls_asks_for_a_record_where_its_namespace_is_watched(
    world: World, watched: str, is_left_over: bool
) -> None:
    said = why(world, "upsert-only", led_to_tls="edge", watched=watched)[0]
    assert ("its record is left over from httproute/mastodon/apex" in said) is is_left_over


@pytest.mark.parametrize(("policy", "owner"), [("sync", OWNER), ("upsert-only", "others")])
def test_a_record_that_is_deleted_or_of_others_is_not_left_over(world: World, policy: str, owner: str) -> None:
    assert why(world, policy, owner) == (NOBODY, "kubectl get httproute -A")
