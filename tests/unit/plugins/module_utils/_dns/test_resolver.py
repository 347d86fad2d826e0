# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a real name server, in this process."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import resolver as asking
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import SpentError

ZONE = {
    ("two.test.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("two.test.", "AAAA"): ["2001:db8::1"],
    ("one.test.", "A"): ["192.0.2.1"],
    ("test.", "SOA"): ["ns.test. admin.test. 1 3600 600 86400 60"],
    ("test.", "NS"): ["ns.test.", "ns2.test."],
}


class Answer(socketserver.BaseRequestHandler):
    """Answers from ZONE; names below `broken.` make the server fail."""

    def handle(self) -> None:
        packet, socket = self.request
        query = dns.message.from_wire(packet)
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if name.endswith("broken."):
            response.set_rcode(dns.rcode.SERVFAIL)
        elif values := ZONE.get((name, kind)):
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *values))
        elif name not in {known for known, _unused in ZONE}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(response.to_wire(), self.client_address)


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("two.test", {"192.0.2.1", "192.0.2.2", "2001:db8::1"}),
        ("one.test", {"192.0.2.1"}),
        ("none.test", set()),
        # Nobody is asked about an address.
        ("192.0.2.7", {"192.0.2.7"}),
        ("2001:db8::7", {"2001:db8::7"}),
    ],
)
def test_a_name_leads_to_its_addresses(port: int, name: str, addresses: set[str]) -> None:
    assert Resolver("127.0.0.1", port).addresses(name) == addresses


def test_a_name_is_in_the_nearest_zone_above_it(port: int) -> None:
    resolver = Resolver("127.0.0.1", port)
    assert resolver.zone_of("two.test") == "test"
    assert resolver.name_servers("test") == {"ns.test", "ns2.test"}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for whoever is not there no longer than a test should."""
    monkeypatch.setattr(asking, "_SECONDS", 0.5)


@pytest.mark.usefixtures("soon")
def test_a_name_server_knows_its_zones_alone_and_says_nothing_when_it_is_not_there(port: int) -> None:
    resolver = Resolver("127.0.0.1", servers_port=port)
    assert resolver.knows("127.0.0.1", "test") is True
    assert resolver.knows("127.0.0.1", "other") is False
    assert Resolver("127.0.0.1", servers_port=1).knows("127.0.0.1", "test") is None


@pytest.mark.usefixtures("soon")
def test_name_servers_of_zones_are_asked_at_the_port_of_the_world_whatever_the_own_one_has(port: int) -> None:
    # Nobody serves there at 53.
    assert Resolver("127.0.0.1", port).knows("127.0.0.99", "test") is None


def test_a_question_is_asked_only_while_there_is_time(port: int) -> None:
    def over() -> float:
        raise SpentError("over")

    resolver = Resolver("127.0.0.1", port)
    for ask in (Resolver.addresses, Resolver.zone_of, Resolver.name_servers):
        with pytest.raises(SpentError):
            ask(resolver.within(over), "test")
    assert resolver.addresses("one.test") == {"192.0.2.1"}


def test_a_silence_that_our_own_end_makes_is_not_the_server_s() -> None:
    ends = iter([time.monotonic() + 0.2])

    def until() -> float:
        for end in ends:
            return end
        raise SpentError("over")

    with socketserver.UDPServer(("127.0.0.1", 0), Answer) as silent, pytest.raises(SpentError):
        Resolver("127.0.0.1", silent.server_address[1]).within(until).addresses("one.test")


def test_a_server_that_fails_does_not_say_which_zone_a_name_is_in(port: int) -> None:
    with pytest.raises(MastodonError, match=r"does not say which zone social\.broken is in: "):
        Resolver("127.0.0.1", port).zone_of("social.broken")


def test_a_server_that_knows_no_root_is_said_to_look_nothing_up(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    def no_root(*_asked: object, **_how: object) -> None:
        raise dns.resolver.NoRootSOA

    monkeypatch.setattr(dns.resolver, "zone_for_name", no_root)
    with pytest.raises(
        MastodonError, match=r"which zone one\.test is in: its name server does not answer for the root\. Name"
    ):
        Resolver("127.0.0.1", port).zone_of("one.test")


def test_a_server_that_fails_is_not_taken_for_an_absent_record(port: int) -> None:
    with pytest.raises(MastodonError) as caught:
        Resolver("127.0.0.1", port).addresses("social.broken")
    assert str(caught.value).startswith(f"Name server 127.0.0.1:{port}: does not say where social.broken leads: ")
