# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: where the names of the hosts lead, and whether somebody is there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target

_CUT = "No server can reach this host: deliveries fail, and are tried again for some days."
_DIG = "dig +short A {subject}; dig +short AAAA {subject}"
NOWHERE = Fault(
    "nowhere",
    Verdict.CUT,
    "leads to no address",
    _CUT,
    Cause("its record was never made, or is gone", "dig {subject}, and look for its zone and its record there."),
)
UNKNOWN = Fault(
    "unresolved",
    Verdict.CUT,
    "cannot be resolved",
    _CUT,
    Cause("its name servers fail, or cannot be reached", "dig +trace {subject}"),
)
PRIVATE = Fault(
    "private",
    Verdict.CUT,
    "leads to no address that other servers connect to",
    _CUT,
    Cause(
        "external-dns writes the address of an inner load balancer, or its annotation for the target is not read",
        "kubectl get gateway -A -o wide, and dig +short {subject}",
    ),
)
PARTLY_PRIVATE = Fault(
    "partly-private",
    Verdict.SOME,
    "leads to an address that is not public, beside others",
    "Lemmy refuses hosts with any such address; Mastodon takes the others.",
    Cause("two sources write the record, or one left an old value in it", _DIG),
)
STALE = Fault(
    "elsewhere",
    Verdict.CUT,
    "leads elsewhere than to the declared addresses",
    _CUT,
    Cause(
        "the record is old, and external-dns does not own it", "dig +short TXT {subject}, and read external-dns' log."
    ),
)
EXTRA = Fault(
    "extra-address",
    Verdict.CUT,
    "leads to more than the declared addresses",
    "Servers that take the other address reach somebody else, or nobody.",
    Cause("an old value was kept beside the new one", _DIG),
)
DEAD = Fault(
    "dead",
    Verdict.CUT,
    "does not take connections",
    _CUT,
    Cause("the load balancer is down, or a firewall drops connections to port 443", "nc -vz {address} 443"),
)
DEAD_BESIDE = Fault(
    "dead-beside-others",
    Verdict.SOME,
    "has an address that takes no connections, beside one that does",
    "Servers that try one address after the other come late; Mastodon tries all at once.",
    Cause(
        "the load balancer does not serve that family of addresses, or one of its machines is down",
        "nc -vz {address} 443, and remove the record if nobody is there.",
    ),
)
PUBLIC = Fault(
    "internal-is-public",
    Verdict.SOME,
    "leads to a public address, and is declared internal",
    "The world can reach what is thought to be hidden.",
    Cause("the declaration is wrong, or the record is in a public zone", _DIG),
)
NO_TIME = "was not asked, as there was no time left"
NO_FAMILY = "cannot be connected to from here, as there are no routes to such addresses"


def look(scene: Scene) -> Iterator[Finding]:
    """Judge each host by its addresses."""
    for probed in (scene.probed[host] for host in scene.target.hosts):
        yield from _named(scene.target, probed) or [*_reached(probed)]


def _named(target: Target, probed: Probed) -> list[Finding]:
    """Return what is wrong with addresses before anybody connects to them."""
    host, found = probed.host, [link.address for link in probed.links]
    if probed.spent:
        return [Finding(Verdict.CANNOT_TELL, host, NO_TIME, probed.unknown)]
    if probed.unknown:
        return [UNKNOWN.at(host, shown(probed.unknown))]
    if not found:
        return [NOWHERE.at(host)]
    return [*_declared(target, host, found), *_public(target, host, found)]


def _declared(target: Target, host: str, found: Sequence[str]) -> Iterator[Finding]:
    wanted = set(target.addresses)
    if wanted and not wanted & set(found):
        yield STALE.at(host, f"{', '.join(found)} and not {', '.join(sorted(wanted))}")
    elif wanted and (extra := sorted(set(found) - wanted)):
        yield EXTRA.at(host, f"{', '.join(extra)} beside {', '.join(sorted(wanted & set(found)))}")


def _public(target: Target, host: str, found: Sequence[str]) -> Iterator[Finding]:
    hidden = [address for address in found if not target.is_public(address)]
    if target.internal:
        if len(hidden) < len(found):
            yield PUBLIC.at(host, ", ".join(address for address in found if address not in hidden))
    elif len(hidden) == len(found):
        yield PRIVATE.at(host, ", ".join(hidden))
    elif hidden:
        yield PARTLY_PRIVATE.at(host, f"{', '.join(hidden)} beside {', '.join(a for a in found if a not in hidden)}")


def _reached(probed: Probed) -> Iterator[Finding]:
    well = [link for link in probed.links if not link.tcp]
    for link in probed.links:
        family = f"IPv{ipaddress.ip_address(link.address).version}"
        if link.spent:
            yield Finding(Verdict.CANNOT_TELL, f"{probed.host} at {link.address}", NO_TIME, shown(link.tcp, 80))
        elif link.no_route:
            yield Finding(Verdict.CANNOT_TELL, f"{probed.host} at {link.address}", NO_FAMILY, family)
        elif link.tcp:
            yield _dead(link, beside=bool(well))
        else:
            yield fine(f"{probed.host} at {link.address}", "takes connections")


def _dead(link: Link, *, beside: bool) -> Finding:
    fault = DEAD_BESIDE if beside else DEAD
    return fault.at(link.host, f"{link.address}, {shown(link.tcp, 80)}", address=link.address)


_ALL = (NOWHERE, UNKNOWN, PRIVATE, PARTLY_PRIVATE, STALE, EXTRA, DEAD, DEAD_BESIDE, PUBLIC)
CHECK = Check("addresses", __doc__, _ALL, look)
