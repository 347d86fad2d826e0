# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with name servers, each in the words that are reported, asked of servers of the loopback."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import budget

from .mastodon import DOMAIN, HOST
from .world import ADDRESS, World, faults, only
from .zones import Said

LOOKED_AT = ("name-servers", "records", "addresses", "tls")
OTHER, SIX = "192.0.2.9", "2001:db8::7"
ZONE = DOMAIN


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server that is silent no longer than a test should, and for one that is slow as long as it may take."""
    monkeypatch.setattr(resolver, "_SECONDS", 2.0)


def sentence(world: World, **declared: Any) -> str:
    finding = only(world.look(**declared))
    return f"{finding.verdict} {finding}"


def test_a_zone_that_all_its_servers_know_alike_is_fine(world: World) -> None:
    said = set(map(str, world.look().findings))
    assert f"zone {ZONE}: is known to all its name servers: ns1.example.org, ns2.example.org." in said
    assert f"{HOST}: leads to the same for all its name servers: {ADDRESS}." in said


def test_a_name_server_that_does_not_know_the_zone_is_lame(world: World) -> None:
    world.zones.second.own = False
    assert sentence(world) == f"SOME {ZONE}: names a name server that does not know the zone: ns2.example.org."


@pytest.mark.usefixtures("soon")
def test_a_name_server_that_is_silent_is_named(world: World) -> None:
    world.zones.second.silent = True
    assert sentence(world) == f"SOME {ZONE}: names a name server that does not answer: ns2.example.org."


def test_a_name_server_without_an_address_is_named(world: World) -> None:
    for kind in ("A", "AAAA"):
        world.zones.say("ns2.example.org", kind, Said())
    assert sentence(world) == f"SOME {ZONE}: names a name server that has no address: ns2.example.org."


@pytest.mark.usefixtures("soon")
def test_name_servers_that_a_firewall_hides_are_no_fault_of_the_zone(world: World) -> None:
    world.zones.first.silent = world.zones.second.silent = True
    report = world.look()
    assert faults(report) == []
    said = f"zone {ZONE}: has name servers that cannot be asked from here: ns1.example.org, ns2.example.org."
    assert said in [str(one) for one in report.findings if one.verdict == "cannot tell"]


def test_a_stale_secondary_is_named_with_what_it_says(world: World) -> None:
    world.zones.second.otherwise[HOST, "A"] = Said((OTHER,))
    world.zones.second.serial = 6
    assert faults(world.look()) == [
        f"CUT {HOST}: leads to different addresses, depending on the name server: "
        f"{ADDRESS} at ns1.example.org; {OTHER} at ns2.example.org.",
        f"note {ZONE}: has name servers with different serial numbers: 7 at ns1.example.org, 6 at ns2.example.org.",
    ]


def test_a_server_that_fails_for_a_host_says_nothing_of_where_it_leads(world: World) -> None:
    world.zones.second.otherwise[HOST, "A"] = Said(code="SERVFAIL")
    world.zones.second.serial = 6
    assert faults(world.look()) == []


def test_a_server_that_fails_once_is_asked_again(world: World) -> None:
    second = world.zones.second
    before, failed = second._said, iter([Said(code="SERVFAIL")])
    second._said = lambda name, kind: next(failed, before(name, kind)) if kind == "A" else before(name, kind)
    second.otherwise[HOST, "AAAA"] = Said((SIX,))
    assert [one for one in faults(world.look()) if f"{SIX} at ns2.example.org" in one]


@pytest.mark.usefixtures("soon")
def test_a_name_server_is_asked_at_the_address_that_answers(world: World) -> None:
    # As text it is before the other, and no machine has a route there.
    world.zones.say("ns1.example.org", "AAAA", Said(("100::1",)))
    report = world.look()
    assert faults(report) == []
    assert f"{HOST}: leads to the same for all its name servers: {ADDRESS}." in map(str, report.findings)


def test_servers_that_say_otherwise_of_one_version_of_the_zone_do_so_on_purpose(world: World) -> None:
    world.zones.second.otherwise[HOST, "A"] = Said((OTHER,))
    said = "leads to different addresses, depending on the name server, by one version of the zone"
    assert sentence(world) == f"note {HOST}: {said}: {ADDRESS} at ns1.example.org; {OTHER} at ns2.example.org."


def test_servers_that_all_fail_for_a_host_cannot_be_compared(world: World) -> None:
    for server in (world.zones.first, world.zones.second):
        server.otherwise[HOST, "A"] = Said(code="SERVFAIL")
    report = world.look()
    assert faults(report) == []
    said = f"zone {ZONE}: has name servers that do not say all: ns1.example.org, ns2.example.org."
    assert said in [str(one) for one in report.findings if one.verdict == "cannot tell"]


def test_a_record_that_is_written_again_and_again_is_told_by_the_serial_number(world: World) -> None:
    first = world.zones.first
    before, said = first._said, iter(range(100))

    def turns(name: str, kind: str) -> Said:
        if (name, kind) == (HOST, "A"):
            number = next(said)
            first.serial += 1
            return Said((ADDRESS if number == 0 else OTHER,))
        return before(name, kind)

    first._said = turns
    (finding,) = [one for one in faults(world.look()) if one.startswith(f"CUT {HOST}")]
    told = "leads here and there by turns, as its record is written again and again"
    assert finding.startswith(f"CUT {HOST}: {told}: {ADDRESS} with serial ")
    assert f", {OTHER} with " in finding


def test_addresses_that_turn_on_purpose_are_no_fault(world: World) -> None:
    first = world.zones.first
    before, said = first._said, iter(range(100))
    first._said = lambda name, kind: (
        Said((ADDRESS if next(said) == 0 else OTHER,)) if (name, kind) == (HOST, "A") else before(name, kind)
    )
    assert [one for one in faults(world.look()) if "by turns" in one] == []


def above(world: World, *servers: str) -> None:
    """Let the zone above be there, and name these servers."""
    world.zones.resolver.otherwise["org", "SOA"] = Said(("a.nic.org. admin.nic.org. 1 3600 600 86400 60",))
    world.zones.resolver.otherwise["org", "NS"] = Said(("a.nic.org.",))
    world.zones.resolver.otherwise["a.nic.org", "A"] = Said(("127.0.0.63",))
    world.zones.resolver.otherwise["a.nic.org", "AAAA"] = Said()
    world.zones.above.otherwise[DOMAIN, "NS"] = Said(refers_to=servers)


def test_a_zone_above_that_names_other_servers_is_named_with_both(world: World) -> None:
    above(world, "ns1.example.org.", "old.example.net.")
    said = "has other name servers for the zone above it than for itself"
    told = "ns1.example.org, old.example.net above, ns1.example.org, ns2.example.org in it"
    assert sentence(world) == f"SOME {DOMAIN}: {said}: {told}."


def test_a_zone_above_that_names_the_same_servers_is_fine(world: World) -> None:
    above(world, "NS1.example.org.", "ns2.example.org.")
    assert faults(world.look()) == []


def test_a_zone_with_more_name_servers_than_are_asked_is_compared_with_all_of_them(world: World) -> None:
    many = tuple(f"ns{number}.example.org." for number in range(1, 15))
    above(world, *many)
    world.zones.say(DOMAIN, "NS", Said(many))
    assert [one for one in faults(world.look()) if "above" in one] == []


def test_an_answer_from_a_cache_is_told_from_that_of_the_zone(world: World) -> None:
    for server in (world.zones.first, world.zones.second):
        server.otherwise[HOST, "A"] = Said((OTHER,))
    said = "leads elsewhere for this machine's name server than for the zone's own"
    assert sentence(world) == f"note {HOST}: {said}: {ADDRESS} and not {OTHER}."


def test_name_servers_that_never_answer_are_not_waited_for_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "_SECONDS", 0.3)
    for server in (world.zones.resolver, world.zones.first, world.zones.second):
        server.silent = True
    world.limits = {"patience": 1.0, "seconds": 1.0}
    started = time.monotonic()
    report = world.look()
    assert time.monotonic() - started < 10
    assert not report.passed


def test_name_servers_that_are_all_slow_are_not_waited_for_longer_than_promised(world: World) -> None:
    for server in (world.zones.resolver, world.zones.first, world.zones.second):
        server.slow = 1.5
    # What is promised is a look of the usual length, and the question that it had just begun.
    assert budget.SECONDS + resolver._SECONDS <= 20
    world.limits = {"seconds": 4.0}
    started = time.monotonic()
    report = world.look()
    assert time.monotonic() - started < 4 + resolver._SECONDS
    assert not report.passed
    assert [one for one in report.findings if one.verdict in ("LOST", "CUT")] == []
