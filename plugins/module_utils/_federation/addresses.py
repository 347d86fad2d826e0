# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: where the names of the hosts lead, and whether somebody is there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import owners, places
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
_LOG = "kubectl logs -A -l app.kubernetes.io/name=external-dns, and look for errors and for what it skips."
NOWHERE_OURS = Fault(
    "nowhere-though-owned",
    Verdict.CUT,
    "leads to no address, though external-dns says that it wrote one",
    _CUT,
    Cause(
        "somebody deleted the address and left the owner's TXT record, which keeps some providers from writing both anew",
        _LOG,
    ),
)
# https://github.com/kubernetes-sigs/external-dns/issues/4595
ALL_GONE = Fault(
    "all-nowhere",
    Verdict.CUT,
    "leads to no address, and neither does any other host",
    _CUT,
    Cause(
        "external-dns deleted all records, as it found no routes or another filter of domains; or the zone or its delegation is gone",
        "dig NS {subject}, and read external-dns' log before you create records by hand: it may delete them again.",
    ),
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
# https://github.com/kubernetes-sigs/external-dns/issues/6718
STALE_OURS = Fault(
    "elsewhere-though-owned",
    Verdict.CUT,
    "leads elsewhere than to the declared addresses, though external-dns says that it looks after it",
    _CUT,
    Cause("external-dns does not run, fails at this record, or does not recognise its own TXT record", _LOG),
)
# https://github.com/kubernetes-sigs/external-dns/issues/4023
ALL_STALE = Fault(
    "all-elsewhere",
    Verdict.CUT,
    "leads elsewhere than to the declared addresses, and so does every other host",
    _CUT,
    Cause(
        "external-dns writes nothing any more, as one bad route or one source that fails stops all of its changes; "
        "or the gateway has got another address",
        _LOG,
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
    probed = [scene.probed[host] for host in scene.target.hosts]
    for one in probed:
        yield from _named(scene, one, probed) or [*_reached(one)]
        yield from places.compared(scene, one)


def _named(scene: Scene, probed: Probed, hosts: Sequence[Probed]) -> list[Finding]:
    """Return what is wrong with addresses before anybody connects to them."""
    host, found = probed.host, _found(probed)
    if probed.spent:
        return [Finding(Verdict.CANNOT_TELL, host, NO_TIME, probed.unknown)]
    if probed.unknown:
        return [UNKNOWN.at(host, shown(probed.unknown))]
    if not found:
        all_are = all(not _found(one) and not one.unknown for one in hosts)
        return [_worse(scene, host, all_are and len(hosts) > 1, NOWHERE, NOWHERE_OURS, ALL_GONE).at(host)]
    return [*_declared(scene, probed, hosts), *_public(scene.target, host, found)]


def _found(probed: Probed) -> list[str]:
    return [link.address for link in probed.links]


def _worse(scene: Scene, host: str, all_are: bool, plain: Fault, ours: Fault, everywhere: Fault) -> Fault:
    """Return the fault that says the most of why: of all hosts, or of one whose record external-dns says is its own."""
    return everywhere if all_are else ours if owners.is_ours(scene, host) else plain


def _declared(scene: Scene, probed: Probed, hosts: Sequence[Probed]) -> Iterator[Finding]:
    wanted, host, found = set(scene.target.addresses), probed.host, _found(probed)
    if wanted and not wanted & set(found):
        all_are = len(hosts) > 1 and all(_found(one) and not wanted & set(_found(one)) for one in hosts)
        fault = _worse(scene, host, all_are, STALE, STALE_OURS, ALL_STALE)
        yield fault.at(host, f"{', '.join(found)} and not {', '.join(sorted(wanted))}")
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


_ALL = (
    *(NOWHERE, NOWHERE_OURS, ALL_GONE, UNKNOWN, PRIVATE, PARTLY_PRIVATE),
    *(STALE, STALE_OURS, ALL_STALE, EXTRA, DEAD, DEAD_BESIDE, PUBLIC, places.BY_PLACE),
)
CHECK = Check("addresses", __doc__, _ALL, look)
