# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance as it is seen from two places, of which one is reached by a real OpenSSH."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection
from pathlib import Path

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage, Way
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.ssh import logged_in
from ansible_collections.fediverse.mastodon.tests.unit.sshd import serving

from .mastodon import DOMAIN, HOST
from .world import ADDRESS, World, faults
from .zones import SERVERS, NameServer, Said, over_tcp

LOOKED_AT = ("addresses", "tls", "actor", "inbox", "webfinger")
OTHER = "192.0.2.9"
SAID = "is reached from one place and not from another"


def without(way: Way, addresses: Collection[str], code: int = errno.ECONNREFUSED) -> Way:
    """Return a way from where some addresses are not reached."""

    def there(address: str, port: int, seconds: float) -> Dial:
        if address in addresses:
            raise OSError(code, os.strerror(code))
        return way(address, port, seconds)

    return there


def test_an_address_that_one_place_does_not_reach_is_told_from_both_sides(world: World) -> None:
    world.names[HOST] = [ADDRESS, OTHER]
    world.serve(OTHER).show(*world.authority.issue(HOST))
    way = world._way
    world.vantage = Vantage("Berlin", way, Vantage("Tokyo", without(way, {OTHER})))
    told = "well from Berlin, Connection refused from Tokyo"
    assert faults(world.look()) == [f"SOME {HOST} at {OTHER}: {SAID}: {told}."]
    world.vantage = Vantage("Tokyo", without(way, {OTHER}), Vantage("Berlin", way))
    told = "Connection refused from Tokyo, well from Berlin"
    assert f"SOME {HOST} at {OTHER}: {SAID}: {told}." in faults(world.look())


def test_a_certificate_that_one_place_alone_is_shown_is_told(world: World) -> None:
    world.serve(OTHER).show(*world.authority.issue("other.example.net"))
    world.vantage = Vantage("Berlin", world._way, Vantage("Tokyo", lambda _address, *rest: world._way(OTHER, *rest)))
    reported = faults(world.look())
    assert len(reported) == 2
    for host, said in zip((DOMAIN, HOST), reported, strict=True):
        assert said.startswith(f"SOME {host} at {ADDRESS}: {SAID}: well from Berlin, its certificate is not valid: ")
        assert said.endswith(" from Tokyo.")


def test_an_instance_that_both_places_reach_is_fine(world: World) -> None:
    world.vantage = Vantage("Berlin", world._way, Vantage("Tokyo", world._way))
    report = world.look()
    assert faults(report) == []
    assert f"{HOST} at {ADDRESS}: is reached from Berlin and from Tokyo." in map(str, report.findings)


def test_a_place_without_ipv6_cannot_be_compared_by_it(world: World) -> None:
    six = "2001:db8::1"
    world.names[HOST] = [ADDRESS, six]
    world.serve(six).show(*world.authority.issue(HOST))
    world.vantage = Vantage("Berlin", world._way, Vantage("Tokyo", without(world._way, {six}, errno.ENETUNREACH)))
    assert faults(world.look()) == []


def test_all_is_seen_through_another_machine_as_it_is_from_here(world: World, tmp_path: Path) -> None:
    with serving(tmp_path) as server, logged_in(server.host, server.options) as machine:

        def through(address: str, port: int, seconds: float) -> Dial:
            return machine.way("127.0.0.1", world.ports.get((address, port), 1), seconds)

        world.vantage = Vantage("there", through, Vantage("the test", world._way))
        report = world.look()
        assert faults(report) == []
        assert report.passed
        world.names[HOST] = [ADDRESS, OTHER]
        dead = "has an address that takes no connections, beside one that does"
        assert faults(world.look()) == [f"SOME {HOST}: {dead}: {OTHER}, Connection refused."]


def test_a_machine_that_goes_away_in_the_middle_is_no_fault_of_the_instance(world: World, tmp_path: Path) -> None:
    with serving(tmp_path) as server, logged_in(server.host, server.options) as machine:
        asked = iter(range(1000))

        def through(address: str, port: int, seconds: float) -> Dial:
            # Both hosts were reached by then.
            if next(asked) == 2:
                machine.logout()
                server.process.terminate()
                server.process.wait()
            return machine.way("127.0.0.1", world.ports.get((address, port), 1), seconds)

        world.vantage = Vantage("there", through)
        report = world.look()
    assert {one.fault for one in report.findings if one.fault} <= {"not-proved"}
    assert not report.passed
    assert "was not finished" in {one.message for one in report.findings}


def named(world: World) -> list[str]:
    """Let the name servers of the zone take connections, and return their addresses."""
    world.checks = ("name-servers",)
    for address in SERVERS.values():
        world.ports[address, 53] = world.ports[ADDRESS, 80]
    return list(SERVERS.values())


def test_a_place_that_may_not_ask_name_servers_is_told(world: World) -> None:
    way, servers = world._way, named(world)
    world.vantage = Vantage("the cluster", without(way, servers), Vantage("Berlin", way))
    said = "has name servers that take no connections from another place"
    told = "ns1.example.org, ns2.example.org from the cluster"
    assert faults(world.look()) == [f"note {DOMAIN}: {said}: {told}."]


def test_a_place_that_may_ask_name_servers_is_fine(world: World) -> None:
    named(world)
    world.vantage = Vantage("the cluster", world._way, Vantage("Berlin", world._way))
    report = world.look()
    assert faults(report) == []
    said = f"zone {DOMAIN}: has name servers that take connections from the cluster."
    assert said in map(str, report.findings)


def test_name_servers_that_take_connections_from_nowhere_are_no_fault_of_a_place(world: World) -> None:
    way, servers = world._way, named(world)
    world.vantage = Vantage("the cluster", without(way, servers), Vantage("Berlin", without(way, servers)))
    assert faults(world.look()) == []


def test_name_servers_that_there_is_no_way_to_are_no_fault_of_a_place(world: World) -> None:
    way, servers = world._way, named(world)
    world.vantage = Vantage("the cluster", without(way, servers, errno.ENETUNREACH), Vantage("Berlin", way))
    assert faults(world.look()) == []


INSIDE = "192.0.2.53"


def inside(world: World, said: Said | None = None) -> NameServer:
    """Look from a cluster whose name server says something of its own of a host."""
    world.checks = ("name-servers",)
    server = NameServer(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), world.names, own=False)
    if said:
        server.otherwise[HOST, "A"] = said
    world.ports[INSIDE, 53] = over_tcp(server)
    # The first of two is away.
    world.vantage = Vantage("the cluster", world._way, Vantage("Berlin", world._way), ("192.0.2.54", INSIDE))
    return server


def of_names(report: Report) -> list[str]:
    """Return what is said of names as they are known there."""
    return [f"{one.verdict} {one}" for one in report.findings if "name servers of the cluster" in str(one)]


def test_names_that_lead_to_the_same_there_are_fine(world: World) -> None:
    inside(world)
    report = world.look()
    assert faults(report) == []
    said = "leads to the same for the name servers of the cluster."
    assert of_names(report) == [f"fine {host}: {said}" for host in (DOMAIN, HOST)]


def test_a_name_that_leads_elsewhere_there_is_told(world: World) -> None:
    inside(world, Said(("10.0.0.7",)))
    told = "leads elsewhere for the name servers of another place: 10.0.0.7 and not 192.0.2.1 for the cluster"
    assert faults(world.look()) == [f"note {HOST}: {told}."]


def test_a_name_that_is_not_known_there_is_told(world: World) -> None:
    inside(world, Said((), "NXDOMAIN"))
    told = "leads elsewhere for the name servers of another place: no address and not 192.0.2.1 for the cluster"
    assert faults(world.look()) == [f"note {HOST}: {told}."]


def test_name_servers_there_that_fail_or_are_silent_say_nothing_of_a_name(world: World) -> None:
    inside(world, Said((), "SERVFAIL"))
    report = world.look()
    assert faults(report) == []
    said = f"cannot tell {HOST}: is not known to the name servers of the cluster: SERVFAIL."
    assert said in of_names(report)
    world.ports[INSIDE, 53] = 1
    said = f"cannot tell {HOST}: is not known to the name servers of the cluster: Connection refused."
    assert said in of_names(world.look())


def test_where_names_are_looked_up_here_alone_that_is_said(world: World) -> None:
    world.checks = ("name-servers",)
    world.vantage = Vantage("Berlin", world._way, Vantage("the test", world._way))
    said = "Names from Berlin: was not looked at: they are looked up from the test only."
    assert said in map(str, world.look().findings)
    world.vantage = None
    assert not [one for one in world.look().findings if "Names from" in one.subject]
