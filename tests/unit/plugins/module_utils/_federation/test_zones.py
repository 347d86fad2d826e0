# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with name servers and records, each in the words that are reported, asked of servers of the loopback."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import resolver
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority

from .mastodon import DOMAIN, HOST
from .world import ADDRESS, World, faults, only
from .zones import Said

LOOKED_AT = ("name-servers", "records", "addresses", "tls")
OTHER = "192.0.2.9"
ZONE = DOMAIN
HERITAGE = '"heritage=external-dns,external-dns/owner={},external-dns/resource={}"'
ROUTE = "httproute/mastodon/web"


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
    assert f"{HOST}: lets every authority issue certificates." in said


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


def test_signatures_that_cannot_be_right_are_told_by_who_does_not_check_them(world: World) -> None:
    for kind in ("A", "AAAA"):
        said = Said(
            code="SERVFAIL", error=(7, "expired 2026-11-01"), unchecked=(ADDRESS,) if kind == "A" else ("2001:db8::1",)
        )
        world.zones.resolver.otherwise[HOST, kind] = said
    told = "SERVFAIL, signature expired (expired 2026-11-01), and an answer to those who do not check"
    assert f"CUT {HOST}: is signed in a way that cannot be right: {told}." in faults(world.look())


def test_a_server_that_fails_for_everybody_is_not_taken_for_bogus_signatures(world: World) -> None:
    world.zones.resolver.otherwise[HOST, "A"] = Said(code="SERVFAIL")
    assert [one for one in faults(world.look()) if "signed" in one] == []


def test_an_alias_of_what_is_gone_is_named(world: World) -> None:
    for kind in ("A", "AAAA"):
        world.zones.say(HOST, kind, Said(alias="lb.example.net", code="NXDOMAIN"))
    assert f"CUT {HOST}: is an alias of a name that leads to no address: lb.example.net." in faults(world.look())


def test_an_alias_that_leads_on_is_fine(world: World) -> None:
    world.zones.say(HOST, "A", Said((ADDRESS,), alias="lb.example.net"))
    report = world.look()
    assert faults(report) == []
    assert f"{HOST}: is an alias: lb.example.net." in map(str, report.findings)


@pytest.mark.parametrize("code", ["SERVFAIL", "NOTIMP", "REFUSED"])
def test_name_servers_that_fail_for_caa_only_are_named(world: World, code: str) -> None:
    world.zones.say(HOST, "CAA", Said(code=code))
    said = "has name servers that fail when they are asked who may issue certificates"
    assert sentence(world) == f"note {HOST}: {said}: {code} for CAA of {HOST}."


def test_name_servers_that_fail_for_everything_are_not_blamed_for_caa(world: World) -> None:
    for kind in ("A", "AAAA", "CAA"):
        world.zones.say(HOST, kind, Said(code="SERVFAIL"))
    assert [one for one in faults(world.look()) if "certificates" in one] == []


def encrypted(world: World) -> None:
    """Let the certificates be of an authority that CAA has a name for."""
    world.authority = Authority("Let's Encrypt R11")
    world.certificates[ADDRESS].show(*world.authority.issue(DOMAIN, HOST))


def test_caa_that_names_another_authority_is_named(world: World) -> None:
    encrypted(world)
    world.zones.say(DOMAIN, "CAA", Said(('0 issue "digicert.com"', '0 issue "pki.goog; validationmethods=dns-01"')))
    reported = faults(world.look())
    said = f"lets other authorities issue certificates than the one that did: digicert.com, pki.goog by CAA of {DOMAIN}, and not letsencrypt.org"
    assert reported == [f"note {host}: {said}." for host in (DOMAIN, HOST)]


@pytest.mark.parametrize(
    ("records", "listed"),
    [
        (('0 issue "letsencrypt.org"',), "letsencrypt.org"),
        (('0 issue "letsencrypt.org; accounturi=https://acme/1"', '0 issue "a.example"'), "a.example, letsencrypt.org"),
        (('0 iodef "mailto:a@example.org"',), "everybody"),
    ],
)
def test_caa_that_names_the_authority_is_fine(world: World, records: tuple[str, ...], listed: str) -> None:
    encrypted(world)
    world.zones.say(DOMAIN, "CAA", Said(records))
    report = world.look()
    assert faults(report) == []
    assert f"{HOST}: lets these issue certificates, by CAA of {DOMAIN}: {listed}." in map(str, report.findings)


def test_the_nearest_caa_decides(world: World) -> None:
    encrypted(world)
    world.zones.say(DOMAIN, "CAA", Said(('0 issue "letsencrypt.org"',)))
    world.zones.say(HOST, "CAA", Said(('0 issue ";"',)))
    said = "lets other authorities issue certificates than the one that did"
    assert sentence(world) == f"note {HOST}: {said}: nobody by CAA of {HOST}, and not letsencrypt.org."


def test_a_record_of_another_external_dns_is_named_with_its_owner(world: World) -> None:
    world.zones.say(f"edns-a.{HOST}", "TXT", Said((HERITAGE.format("old-cluster", ROUTE),)))
    declared = {"owner": "prod", "txt_prefix": "edns-%{record_type}."}
    said = f"has a record of another external-dns: old-cluster for {ROUTE}, and not prod"
    assert sentence(world, **declared) == f"note {HOST}: {said}."


def test_a_record_of_ours_is_fine(world: World) -> None:
    world.zones.say(f"txt-aaaa-{HOST}", "TXT", Said((HERITAGE.format("prod", ROUTE),)))
    report = world.look(owner="prod", txt_prefix="txt-")
    assert faults(report) == []
    assert f"{HOST}: has a record of external-dns: prod for {ROUTE}." in map(str, report.findings)


def test_records_of_two_owners_are_named(world: World) -> None:
    world.zones.say(f"a-{HOST}", "TXT", Said((HERITAGE.format("one", ROUTE), HERITAGE.format("two", "service/a/b"))))
    assert sentence(world) == f"CUT {HOST}: has records of two owners: one for {ROUTE}, two for service/a/b."


def test_a_record_that_an_ingress_still_claims_is_named(world: World) -> None:
    world.zones.say(HOST, "TXT", Said(('"v=spf1 -all"', HERITAGE.format("prod", "ingress/mastodon/web"))))
    said = "has a record that was written for an Ingress: prod for ingress/mastodon/web"
    assert sentence(world) == f"note {HOST}: {said}."


def test_what_a_record_says_is_escaped(world: World) -> None:
    evil = '"heritage=external-dns,external-dns/owner=\\027[2J,external-dns/resource=\\000"'
    world.zones.say(HOST, "TXT", Said((evil, HERITAGE.format("b", ROUTE))))
    assert sentence(world).isprintable()


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
