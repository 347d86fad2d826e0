# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records, name servers and certificates, each made wrong: what others lose, and why."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority, self_signed

from ...conftest import Lab
from ..support import external_dns_standing_still
from ..zone import DOMAIN, HAND_MADE, Zone
from .breaking import (
    AUTHORITY,
    TLS,
    TOLD,
    Break,
    Fault,
    another_secret,
    is_traced,
    looked,
)
from .fronts import FRONT, answered, beside, second_address
from .name_servers import LAGGING, LAME, address_of, anchor, knot, signing, unbound, written
from .second_gateway import FORMER, former

pytestmark = pytest.mark.usefixtures("settled")
WEBFINGER = f"https://{DOMAIN}/.well-known/webfinger"
LEAF = "Secret gateway-system/by-hand has that certificate; no Certificate writes that Secret"


def another_machine(stack: ExitStack, lab: Lab) -> None:
    """Let an AAAA record lead to somebody who shows a certificate of nobody's."""
    address = stack.enter_context(second_address(lab))
    stack.enter_context(answered(lab, address, self_signed(DOMAIN).decode()))
    beside(stack, lab, "AAAA", address)


def dead_second(stack: ExitStack, lab: Lab) -> None:
    """Let an AAAA record lead to where nobody listens."""
    beside(stack, lab, "AAAA", stack.enter_context(second_address(lab)))


def old_certificate(stack: ExitStack, lab: Lab) -> None:
    """Let a second address of the Gateway show what was before."""
    address = lab.facts["machine_address"]
    stack.enter_context(answered(lab, address, "".join(AUTHORITY.issue(DOMAIN, days=-1, begun=3))))
    beside(stack, lab, "A", address)


def wrong_gateway(stack: ExitStack, lab: Lab) -> None:
    """Let the record lead to a Gateway of before, which still shows what it had."""
    address = stack.enter_context(former(lab, *AUTHORITY.issue(DOMAIN, days=-1, begun=3)))
    stack.enter_context(external_dns_standing_still(lab))
    stack.enter_context(Zone(lab).instead(DOMAIN, "A", address))


def server(name: str, configuration: str) -> Break:
    """Return what adds a name server to the zone."""

    def broken(stack: ExitStack, lab: Lab) -> None:
        own = lab.facts["nameserver_address"]
        before = written(1, {"ns.lab.test": own, DOMAIN: HAND_MADE})
        address = stack.enter_context(knot(lab, name, configuration, before))
        stack.enter_context(Zone(lab).added("ns2.lab.test", "A", address))
        stack.enter_context(Zone(lab).added("lab.test", "NS", "ns2.lab.test."))

    return broken


def bogus(stack: ExitStack, lab: Lab) -> None:
    """Look through a resolver that wants a zone signed which is not, as if the zone above said so."""
    key = f"lab.test. DS 4711 13 2 {'0' * 64}"
    stack.enter_context(unbound(lab, lab.facts["nameserver_address"], key))


BROKEN: Mapping[str, Fault] = {
    "an old address beside the new one": Fault(
        lambda stack, lab: beside(stack, lab, "A", HAND_MADE),
        DOMAIN,
        "SOME",
        "has an address that takes no connections, beside one that does",
        f", {HAND_MADE}; {TOLD} has ",
    ),
    "an AAAA record to where nobody is": Fault(
        dead_second, DOMAIN, "SOME", "has an address that takes no connections, beside one that does", f"; {TOLD} has "
    ),
    "an AAAA record to another machine": Fault(
        another_machine,
        f"{TLS}fd6c:6162::",
        "CUT",
        "shows a certificate that nobody but itself vouches for",
        FRONT,
    ),
    "addresses that are private": Fault(
        lambda stack, lab: None,
        DOMAIN,
        "CUT",
        "leads to no address that other servers connect to",
        "external-dns writes the address of an inner load balancer",
        lambda lab: {"internal": False},
    ),
    "a name server that does not know the zone": Fault(
        server("lame", LAME),
        "lab.test",
        "SOME",
        "names a name server that does not know the zone",
        "the zone was moved, and the registrar still names the old server",
    ),
    "a name server that is behind": Fault(
        server("lagging", LAGGING),
        DOMAIN,
        "CUT",
        "leads to different addresses, depending on the name server",
        "a secondary name server is stale",
    ),
    "signatures that cannot be right": Fault(
        bogus,
        DOMAIN,
        "CUT",
        "is signed in a way that cannot be right",
        "the registrar has a DS record of a key that is gone",
        lambda lab: {"nameserver": address_of(lab, "unbound")},
    ),
    "a certificate that has expired": Fault(
        lambda stack, lab: another_secret(stack, lab, *AUTHORITY.issue(DOMAIN, days=-1, begun=3)),
        TLS,
        "CUT",
        "shows a certificate that has expired",
        LEAF,
    ),
    "a certificate of other names": Fault(
        lambda stack, lab: another_secret(stack, lab, *AUTHORITY.issue("other.lab.test")),
        TLS,
        "CUT",
        # Traefik shows what is for the host, or its own.
        "shows a certificate that nobody but itself vouches for",
        "and Secret gateway-system/by-hand of listener social.lab.test has ",
    ),
    "a certificate without the one that issued it": Fault(
        lambda stack, lab: another_secret(stack, lab, *Authority("Inner", AUTHORITY).issue(DOMAIN)),
        TLS,
        "CUT",
        "shows its own certificate without the one that issued it",
        LEAF,
    ),
    "a second address with the old certificate": Fault(
        old_certificate,
        TLS,
        "CUT",
        "shows a certificate that has expired, where another address shows one that has not",
        FRONT,
    ),
    "a record that leads to a Gateway of before": Fault(
        wrong_gateway,
        TLS,
        "CUT",
        "shows a certificate that has expired",
        f" is no address of {TOLD}: {FORMER} answers there",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_others_lose_is_named_with_its_cause(installed: Lab, name: str) -> None:
    is_traced(installed, BROKEN[name])


def test_a_second_address_of_the_same_server_is_fine(installed: Lab) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(second_address(installed))
        stack.enter_context(answered(installed, address, "".join(AUTHORITY.issue(DOMAIN))))
        beside(stack, installed, "AAAA", address)
        assert looked(installed) == []


def test_a_zone_that_is_signed_is_fine_for_who_checks_it(installed: Lab) -> None:
    with ExitStack() as stack:
        signer = stack.enter_context(knot(installed, "signing", signing(installed)))
        resolver = stack.enter_context(unbound(installed, signer, anchor(signer)))
        assert looked(installed, nameserver=resolver) == []


def test_addresses_that_are_taken_as_public_are_fine(installed: Lab) -> None:
    assert looked(installed, internal=False, taken_as_public=["10.0.0.0/8"]) == []
