# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong before anything can be asked: names, addresses and certificates."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial, has_route
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority

from .mastodon import DOMAIN, HOST
from .world import ADDRESS, World, assert_passes, faults, only
from .zones import Said

LOOKED_AT = ("addresses", "tls", "actor", "inbox")
OTHER, SIX = "192.0.2.9", "2001:db8::1"


def sentence(world: World, **changed: object) -> str:
    finding = only(world.look(**changed))
    return f"{finding.verdict} {finding}"


def test_a_bare_domain_without_a_record_is_found_while_its_host_works(world: World) -> None:
    del world.names[DOMAIN]
    assert sentence(world) == f"CUT {DOMAIN}: leads to no address."


def test_a_name_whose_servers_fail_is_not_taken_for_one_without_addresses(world: World) -> None:
    for kind in ("A", "AAAA"):
        world.zones.say(HOST, kind, Said(code="SERVFAIL"))
    start = f"CUT {HOST}: cannot be resolved: does not say where {HOST} leads: "
    assert [one for one in faults(world.look()) if one.startswith(start)]


@pytest.mark.parametrize(
    "address",
    [
        "10.96.0.7",
        "127.0.0.1",
        "100.64.3.2",
        "169.254.1.1",
        "fd00::1",
        "fe80::1",
        "198.51.100.7",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_an_address_that_servers_do_not_connect_to_is_named(world: World, address: str) -> None:
    world.names[HOST] = world.names[DOMAIN] = [address]
    world.ports[address, 443] = world.ports[ADDRESS, 443]
    world.certificates[address] = world.certificates[ADDRESS]
    assert f"CUT {HOST}: leads to no address that other servers connect to: {address}." in faults(world.look())


def test_a_private_address_beside_a_public_one_cuts_lemmy_off(world: World) -> None:
    world.names[HOST] = [ADDRESS, "10.0.0.1"]
    assert (
        sentence(world)
        == f"SOME {HOST}: leads to an address that is not public, beside others: 10.0.0.1 beside {ADDRESS}."
    )


def test_an_address_other_than_the_declared_is_named(world: World) -> None:
    world.names[DOMAIN] = [OTHER]
    assert f"CUT {DOMAIN}: leads elsewhere than to the declared addresses: {OTHER} and not {ADDRESS}." in faults(
        world.look(addresses=(ADDRESS,))
    )


def test_an_old_address_beside_the_declared_one_is_named(world: World) -> None:
    world.names[HOST] = [ADDRESS, OTHER]
    assert sentence(world, addresses=(ADDRESS,)) == (
        f"CUT {HOST}: leads to more than the declared addresses: {OTHER} beside {ADDRESS}."
    )


def test_a_dead_address_beside_one_that_answers_delays_some(world: World) -> None:
    world.names[HOST] = [ADDRESS, SIX]
    assert sentence(world) == (
        f"SOME {HOST}: has an address that takes no connections, beside one that does: {SIX}, Connection refused."
    )


def test_a_host_that_nobody_answers_for_is_dead(world: World) -> None:
    world.names[HOST] = [OTHER]
    report = world.look()
    assert f"CUT {HOST}: does not take connections: {OTHER}, Connection refused." in faults(report)
    assert not report.passed


def test_a_vantage_without_ipv6_cannot_tell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.names[HOST] = [ADDRESS, SIX]
    way = world._way

    def without(address: str, port: int, seconds: float) -> object:
        if ":" in address:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        return way(address, port, seconds)

    monkeypatch.setattr(world, "_way", without)
    report = world.look()
    assert_passes(report)
    said = f"{HOST} at {SIX}: cannot be connected to from here, as there are no routes to such addresses: IPv6."
    assert said in [str(one) for one in report.findings if one.verdict == "cannot tell"]


def test_a_router_on_the_way_that_knows_no_way_further_is_not_taken_for_a_vantage_without_ipv6(world: World) -> None:
    world.names[HOST] = [ADDRESS, SIX]
    way = world._way

    def without(address: str, port: int, seconds: float) -> Dial:
        if ":" in address:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        return way(address, port, seconds)

    world.vantage = Vantage("the test", without, has_route=lambda address: ":" in address)
    said = "has an address that takes no connections, beside one that does"
    assert f"SOME {HOST}: {said}: {SIX}, Network is unreachable." in faults(world.look())


def test_a_route_of_this_machine_is_known_without_a_word_to_anybody() -> None:
    assert has_route("127.0.0.1")
    assert has_route("::1")
    assert not has_route("224.0.0.1%nowhere")


def test_an_internal_instance_may_have_private_addresses(world: World) -> None:
    for host in (HOST, DOMAIN):
        world.names[host] = ["10.0.0.1"]
    for port in (80, 443):
        world.ports["10.0.0.1", port] = world.ports[ADDRESS, port]
    world.certificates["10.0.0.1"] = world.certificates[ADDRESS]
    assert faults(world.look(internal=True)) == []


def test_an_internal_instance_that_is_public_is_declared_falsely(world: World) -> None:
    assert f"SOME {HOST}: leads to a public address, and is declared internal: {ADDRESS}." in faults(
        world.look(internal=True)
    )


def shown(world: World, *chain: str) -> str:
    """Show a chain for the web host, and return what is said of it."""
    world.certificates[ADDRESS].show("".join(chain[:-1]), chain[-1], HOST)
    said = faults(world.look())
    assert len(said) == 1
    return said[0].removeprefix(f"CUT https://{HOST} at {ADDRESS}: ")


def test_a_certificate_that_has_expired_is_named_with_its_end(world: World) -> None:
    said = shown(world, *world.authority.issue(HOST, days=-1, begun=9))
    assert said.startswith("shows a certificate that has expired: on 2")
    assert said.endswith(" UTC.")


def test_a_certificate_of_other_names_is_named_with_them(world: World) -> None:
    said = shown(world, *world.authority.issue(DOMAIN, "*.example.net"))
    assert said == f"shows a certificate of other names: {DOMAIN}, *.example.net."


def test_a_star_stands_for_one_label(world: World) -> None:
    assert shown(world, *world.authority.issue("*.org")) == "shows a certificate of other names: *.org."


def test_a_star_for_its_own_label_is_fine(world: World) -> None:
    world.certificates[ADDRESS].show(*world.authority.issue("*.example.org", subject=""), HOST)
    assert faults(world.look()) == []


def test_the_default_certificate_of_a_gateway_is_recognised(world: World) -> None:
    traefik = Authority("TRAEFIK DEFAULT CERT")
    said = shown(world, *traefik.issue("abc.traefik.default", subject="TRAEFIK DEFAULT CERT"))
    told = "shows a certificate that nobody but itself vouches for: CN=TRAEFIK DEFAULT CERT, for abc.traefik.default."
    assert said == told


def test_a_self_signed_certificate_is_recognised(world: World) -> None:
    itself = Authority(HOST)
    said = shown(world, *itself.issue(HOST))
    assert said == f"shows a certificate that nobody but itself vouches for: CN={HOST}, for {HOST}."


def test_a_chain_without_its_intermediate_is_told_from_an_unknown_authority(world: World) -> None:
    between = Authority("Between", above=world.authority)
    certificate, key = between.issue(HOST)
    assert (
        shown(world, certificate, key)
        == "shows its own certificate without the one that issued it: issued by CN=Between."
    )


def test_a_whole_chain_is_fine(world: World) -> None:
    between = Authority("Between", above=world.authority)
    certificate, key = between.issue(HOST)
    world.certificates[ADDRESS].show(certificate + between.chain, key, HOST)
    assert faults(world.look()) == []


def test_an_expired_part_of_a_chain_is_named(world: World) -> None:
    between = Authority("Between", above=world.authority, ends=-1)
    certificate, key = between.issue(HOST)
    said = shown(world, certificate, between.chain, key)
    assert said.startswith("shows a chain of which a part has expired: CN=Between, on 2")


def test_an_expired_root_that_is_not_needed_harms_old_software_only(world: World) -> None:
    old = Authority(world.authority.name, above=Authority("Older"), ends=-1, key=world.authority.key)
    certificate, key = world.authority.issue(HOST)
    world.certificates[ADDRESS].show(certificate + old.chain, key, HOST)
    said = faults(world.look())
    start = (
        f"SOME https://{HOST} at {ADDRESS}: shows a chain of which a part has expired, and is trusted by another way: "
    )
    assert [one.startswith(f"{start}CN=Some CA, on 2") for one in said] == [True]


def test_an_authority_that_nobody_knows_is_named(world: World) -> None:
    root = Authority("Private root")
    between = Authority("Private", above=root)
    certificate, key = between.issue(HOST)
    said = shown(world, certificate, between.chain, key)
    why = "its certificate is not valid: unable to get local issuer certificate"
    assert said == f"shows a certificate of an authority that others do not know: issued by CN=Private root; {why}."


def test_a_certificate_of_six_days_with_five_left_is_fine(world: World) -> None:
    world.certificates[ADDRESS].show(*world.authority.issue(HOST, days=5, begun=1), HOST)
    assert_passes(world.look())


def test_a_certificate_that_should_have_been_renewed_is_noted(world: World) -> None:
    world.certificates[ADDRESS].show(*world.authority.issue(HOST, days=9.99, begun=80), HOST)
    assert sentence(world) == (
        f"note https://{HOST} at {ADDRESS}: shows a certificate that should have been renewed: 10.0 of 89 days are left."
    )


def test_what_speaks_no_tls_is_named(world: World) -> None:
    world.limits = {"patience": 2.0}
    world.ports[OTHER, 443] = world.ports[ADDRESS, 80]
    world.names[HOST] = [OTHER]
    said = faults(world.look())
    assert said[0].startswith(f"CUT https://{HOST} at {OTHER}: does not begin TLS: ")
