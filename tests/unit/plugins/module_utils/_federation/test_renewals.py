# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a certificate is old or not there, as far as what other hosts and addresses show tells it; beside each what is well."""

from __future__ import annotations

import pytest

from .mastodon import DOMAIN, HOST, Response, page
from .world import ADDRESS, World, faults, only
from .zones import Said

LOOKED_AT = ("records", "addresses", "tls", "plain-http")
OTHER, SIX = "192.0.2.9", "2001:db8::1"
CHALLENGE = "/.well-known/acme-challenge/federation-check"


def sentence(world: World) -> str:
    finding = only(world.look())
    return f"{finding.verdict} {finding}"


def late(world: World, address: str, *hosts: str) -> None:
    """Show a certificate that should have been renewed some days ago."""
    world.certificates[address].show(*world.authority.issue(*hosts, days=9.99, begun=80), *hosts)


def beside(world: World, address: str) -> None:
    """Let the web host have a second address that shows a good certificate."""
    world.names[HOST] = [ADDRESS, address]
    world.serve(address).show(*world.authority.issue(HOST))


def test_a_listener_that_is_dead_is_told_by_other_hosts_of_its_address(world: World) -> None:
    world.certificates[ADDRESS].refused = {HOST}
    finding = only(world.look())
    said = "does not begin TLS, where other hosts at this address do"
    assert str(finding).startswith(f"https://{HOST} at {ADDRESS}: {said}: ")
    assert finding.verdict == "CUT"
    assert finding.cause
    assert finding.cause.why.startswith(f"the gateway's listener for {HOST} is dead: ")


def test_an_address_that_begins_tls_for_nobody_has_no_dead_listener(world: World) -> None:
    world.certificates[ADDRESS].refused = {HOST, DOMAIN}
    start = "does not begin TLS: "
    starts = [one[: one.index(start) + len(start)] for one in faults(world.look())]
    assert starts == [f"CUT https://{host} at {ADDRESS}: {start}" for host in (DOMAIN, HOST)]


def test_a_gateway_that_did_not_load_the_new_certificate_is_told_by_another_that_did(world: World) -> None:
    beside(world, OTHER)
    world.certificates[ADDRESS].show(*world.authority.issue(HOST, days=-1, begun=9), HOST)
    finding = only(world.look())
    said = "shows a certificate that has expired, where another address shows one that has not"
    assert str(finding).startswith(f"https://{HOST} at {ADDRESS}: {said}: on 2")
    assert finding.verdict == "CUT"
    assert finding.cause
    assert finding.cause.why.startswith(f"the gateway at {ADDRESS} did not load the new certificate")


def test_a_gateway_that_still_shows_the_old_certificate_is_told_before_it_ends(world: World) -> None:
    beside(world, OTHER)
    late(world, ADDRESS, HOST)
    said = "still shows a certificate that should have been renewed, where another address shows the new one"
    assert sentence(world) == f"note https://{HOST} at {ADDRESS}: {said}: 10.0 of 89 days are left."


def test_two_good_certificates_of_one_host_are_fine(world: World) -> None:
    beside(world, OTHER)
    world.certificates[ADDRESS].show(*world.authority.issue(HOST, days=80, begun=9), HOST)
    assert faults(world.look()) == []


def test_renewals_that_are_all_late_have_one_cause(world: World) -> None:
    for host in (DOMAIN, HOST):
        late(world, ADDRESS, host)
    said = "shows a certificate that should have been renewed, and so do all hosts with certificates of their own"
    findings = [one for one in world.look().findings if one.fault]
    assert [f"{one.verdict} {one}" for one in findings] == [
        f"note https://{host} at {ADDRESS}: {said}: 10.0 of 89 days are left." for host in (DOMAIN, HOST)
    ]
    assert findings[0].cause
    assert findings[0].cause.why.startswith("one challenge that is stuck holds up all others")


def test_one_certificate_of_two_hosts_that_is_late_is_one_renewal(world: World) -> None:
    late(world, ADDRESS, DOMAIN, HOST)
    said = "shows a certificate that should have been renewed: 10.0 of 89 days are left"
    assert faults(world.look()) == [f"note https://{host} at {ADDRESS}: {said}." for host in (DOMAIN, HOST)]


def test_one_late_renewal_of_two_is_its_own(world: World) -> None:
    late(world, ADDRESS, HOST)
    said = "shows a certificate that should have been renewed: 10.0 of 89 days are left"
    assert sentence(world) == f"note https://{HOST} at {ADDRESS}: {said}."


def test_an_ipv6_address_of_another_machine_stops_renewals_by_http(world: World) -> None:
    beside(world, SIX)
    site = world.answer
    world.answer = lambda request: page(200) if (request.address, request.port) == (SIX, 80) else site(request)
    finding = only(world.look())
    told = f"200 OK, text/html at {SIX}, 301 Moved Permanently, to {HOST} at {ADDRESS}"
    said = "is answered otherwise at its IPv6 address, which authorities ask first"
    assert f"{finding.verdict} {finding}" == f"note http://{HOST}: {said}: {told}."
    assert finding.cause
    assert finding.cause.next.startswith(f"dig +short AAAA {HOST}, and ")
    assert CHALLENGE in {request.path for request in world.asked if request.address == SIX}


def test_an_ipv6_address_of_the_same_machine_is_fine(world: World) -> None:
    beside(world, SIX)
    assert faults(world.look()) == []


def test_an_ipv6_address_that_answers_otherwise_once_is_fine(world: World) -> None:
    beside(world, SIX)
    site, first = world.answer, iter([Response(503)])
    world.answer = lambda request: (
        next(first, site(request))
        if (request.address, request.port, request.path) == (SIX, 80, CHALLENGE)
        else site(request)
    )
    assert faults(world.look()) == []


def test_an_ipv6_address_that_nobody_answers_at_port_80_is_asked_by_ipv4_as_authorities_do(world: World) -> None:
    beside(world, SIX)
    del world.ports[SIX, 80]
    assert faults(world.look()) == []


ELSEWHERE = "social.acme-dns.example.net"


def test_challenges_in_a_zone_whose_servers_fail_are_told(world: World) -> None:
    world.zones.say(f"_acme-challenge.{HOST}", "TXT", Said(code="SERVFAIL", alias=ELSEWHERE))
    finding = only(world.look())
    said = "has the name of its challenges in a zone that nobody answers for"
    told = f"SERVFAIL for TXT of _acme-challenge.{HOST}, an alias of {ELSEWHERE}"
    assert f"{finding.verdict} {finding}" == f"note {HOST}: {said}: {told}."
    assert finding.cause
    assert finding.cause.why.startswith(f"_acme-challenge.{HOST} is an alias, or delegated, to a zone that is gone")


def test_challenges_in_a_zone_that_is_not_there_are_told(world: World) -> None:
    world.zones.say(f"_acme-challenge.{HOST}", "TXT", Said(code="NXDOMAIN", alias=ELSEWHERE))
    world.zones.say("net", "SOA", Said(("a.nic.net. admin.nic.net. 1 3600 600 86400 60",)))
    said = "has the name of its challenges in a zone that nobody answers for"
    told = f"no zone for _acme-challenge.{HOST}, an alias of {ELSEWHERE}"
    assert sentence(world) == f"note {HOST}: {said}: {told}."


@pytest.mark.parametrize(
    "said", [Said(code="NXDOMAIN", alias=ELSEWHERE), Said(('"a proof"',), alias=ELSEWHERE), Said(('"a proof"',))]
)
def test_challenges_in_a_zone_of_their_own_are_fine_whether_there_is_one_or_not(world: World, said: Said) -> None:
    world.zones.say(f"_acme-challenge.{HOST}", "TXT", said)
    world.zones.say("acme-dns.example.net", "SOA", Said(("ns.example.net. admin.example.net. 1 3600 600 86400 60",)))
    assert faults(world.look()) == []


def test_name_servers_that_fail_for_everything_are_not_blamed_for_challenges(world: World) -> None:
    for name, kind in ((HOST, "A"), (HOST, "AAAA"), (f"_acme-challenge.{HOST}", "TXT")):
        world.zones.say(name, kind, Said(code="SERVFAIL"))
    assert [one for one in faults(world.look()) if "challenges" in one] == []
