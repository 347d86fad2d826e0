# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with records, each in the words that are reported, asked of servers of the loopback."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority

from .mastodon import DOMAIN, HOST
from .world import ADDRESS, World, faults, only
from .zones import Said

LOOKED_AT = ("records", "owners", "addresses", "tls")
HERITAGE = '"heritage=external-dns,external-dns/owner={},external-dns/resource={}"'
ROUTE = "httproute/mastodon/web"
OTHER = "192.0.2.9"


def sentence(world: World, **declared: Any) -> str:
    finding = only(world.look(**declared))
    return f"{finding.verdict} {finding}"


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


def test_without_caa_every_authority_may_issue(world: World) -> None:
    assert f"{HOST}: lets every authority issue certificates." in map(str, world.look().findings)


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


def test_a_record_of_ours_is_found_by_its_suffix(world: World) -> None:
    first, _dot, rest = HOST.partition(".")
    world.zones.say(f"a-{first}-own.{rest}", "TXT", Said((HERITAGE.format("prod", ROUTE),)))
    assert f"{HOST}: has a record of external-dns: prod for {ROUTE}." in map(
        str, world.look(owner="prod", txt_suffix="-own").findings
    )


def test_records_of_two_owners_are_named(world: World) -> None:
    world.zones.say(f"a-{HOST}", "TXT", Said((HERITAGE.format("one", ROUTE), HERITAGE.format("two", "service/a/b"))))
    assert sentence(world) == f"CUT {HOST}: has a record of two owners: one for {ROUTE}, two for service/a/b."


def test_a_record_that_an_old_owner_left_behind_is_noted(world: World) -> None:
    world.zones.say(f"edns-cname.{HOST}", "TXT", Said((HERITAGE.format("old-cluster", "ingress/a/b"),)))
    world.zones.say(f"edns-a.{HOST}", "TXT", Said((HERITAGE.format("prod", ROUTE),)))
    said = "has records of different owners for different types of record"
    finding = only(world.look(owner="prod", txt_prefix="edns-%{record_type}."))
    listed = f"prod for {ROUTE}, old-cluster for ingress/a/b"
    assert f"{finding.verdict} {finding}" == f"note {HOST}: {said}: {listed}."
    assert finding.cause
    assert finding.cause.next.startswith(f"dig +short TXT edns-cname.{HOST}, and ")


def test_two_owners_of_one_type_of_record_are_named_whatever_else_there_is(world: World) -> None:
    two = (HERITAGE.format("prod", ROUTE), HERITAGE.format("other", ROUTE))
    world.zones.say(f"edns-aaaa.{HOST}", "TXT", Said(two))
    world.zones.say(f"edns-a.{HOST}", "TXT", Said((HERITAGE.format("prod", ROUTE),)))
    assert sentence(world, owner="prod", txt_prefix="edns-%{record_type}.").startswith(
        f"CUT {HOST}: has a record of two owners: "
    )


def test_a_record_that_an_ingress_still_claims_is_named(world: World) -> None:
    world.zones.say(HOST, "TXT", Said(('"v=spf1 -all"', HERITAGE.format("prod", "ingress/mastodon/web"))))
    said = "has a record that was written for an Ingress: prod for ingress/mastodon/web"
    assert sentence(world) == f"note {HOST}: {said}."


def test_what_a_record_says_is_escaped(world: World) -> None:
    evil = '"heritage=external-dns,external-dns/owner=\\027[2J,external-dns/resource=\\000"'
    world.zones.say(HOST, "TXT", Said((evil, HERITAGE.format("b", ROUTE))))
    assert sentence(world).isprintable()


PREFIX = "edns-%{record_type}."


def claimed(world: World, host: str, owner: str) -> None:
    """Let external-dns say whose the record of a host is."""
    world.zones.say(f"edns-a.{host}", "TXT", Said((HERITAGE.format(owner, ROUTE),)))


def test_a_change_of_owners_that_stopped_half_way_is_told_by_the_hosts_that_have_it_behind_them(world: World) -> None:
    claimed(world, DOMAIN, "prod")
    claimed(world, HOST, "default")
    finding = only(world.look(owner="prod", txt_prefix=PREFIX))
    said = "has a record of another owner than other hosts of this instance"
    assert f"{finding.verdict} {finding}" == f"note {HOST}: {said}: default for {ROUTE}, and not prod."
    assert finding.cause
    assert finding.cause.why.startswith("a change of owners stopped half-way")


def test_a_change_of_owners_that_came_to_its_end_is_fine(world: World) -> None:
    for host in (DOMAIN, HOST):
        claimed(world, host, "prod")
    assert faults(world.look(owner="prod", txt_prefix=PREFIX)) == []


def why(world: World, start: str, **declared: Any) -> str:
    """Return the cause of the one thing of the web host that begins so."""
    findings = [
        one for one in world.look(**declared).findings if f"{one.verdict} {one}".startswith(f"CUT {HOST}: {start}")
    ]
    assert len(findings) == 1
    assert findings[0].cause
    return findings[0].cause.why


def test_a_record_that_external_dns_owns_and_does_not_write_is_told_from_one_that_it_leaves_alone(world: World) -> None:
    world.names[HOST] = [OTHER]
    plain, ours = "leads elsewhere than to the declared addresses", "though external-dns says that it looks after it"
    declared: dict[str, Any] = {"owner": "prod", "txt_prefix": PREFIX, "addresses": (ADDRESS,)}
    told = f"{OTHER} and not {ADDRESS}."
    assert why(world, f"{plain}: {told}", **declared) == "the record is old, and external-dns does not own it"
    claimed(world, HOST, "old")
    assert why(world, f"{plain}: {told}", **declared) == "the record is old, and external-dns does not own it"
    claimed(world, HOST, "prod")
    assert why(world, f"{plain}, {ours}: {told}", **declared).startswith(
        "external-dns does not run, fails at this record"
    )


def test_an_address_that_is_gone_while_its_owner_s_record_is_there_is_told(world: World) -> None:
    del world.names[HOST]
    claimed(world, HOST, "prod")
    said = "leads to no address, though external-dns says that it wrote one."
    assert why(world, said, owner="prod", txt_prefix=PREFIX).startswith("somebody deleted the address and left")
    assert why(world, "leads to no address.", owner="other", txt_prefix=PREFIX).startswith("its record was never made")


def test_records_that_all_stand_still_have_one_cause(world: World) -> None:
    for host in (DOMAIN, HOST):
        world.names[host] = [OTHER]
    said = "leads elsewhere than to the declared addresses, and so does every other host"
    told = f"{OTHER} and not {ADDRESS}."
    assert [one for one in faults(world.look(addresses=(ADDRESS,))) if "CUT" in one and "leads" in one] == [
        f"CUT {host}: {said}: {told}" for host in (DOMAIN, HOST)
    ]
    assert why(world, f"{said}: {told}", addresses=(ADDRESS,)).startswith("external-dns writes nothing any more")


def test_records_that_are_all_gone_have_one_cause(world: World) -> None:
    world.names.clear()
    said = "leads to no address, and neither does any other host."
    assert [one for one in faults(world.look()) if "leads" in one] == [f"CUT {host}: {said}" for host in (DOMAIN, HOST)]
    assert why(world, said).startswith("external-dns deleted all records, as it found no routes")


def test_one_host_of_one_instance_that_stands_still_is_not_all_of_them(world: World) -> None:
    world.names[HOST] = [OTHER]
    said = f"leads elsewhere than to the declared addresses: {OTHER} and not {ADDRESS}."
    assert why(world, said, domain=HOST, addresses=(ADDRESS,)) == "the record is old, and external-dns does not own it"
