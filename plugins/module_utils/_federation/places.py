# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reached from one place and not from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked, look_up_through
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import NO_ROUTES, Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage

BY_PLACE = Fault(
    "by-place",
    Verdict.SOME,
    "is reached from one place and not from another",
    "Servers that are where it is not reached, or come the same way, can neither deliver nor fetch; others notice nothing.",
    Cause(
        "a firewall or provider refuses some countries or networks, one of several sites is down, or a way loses packets of full size",
        "nc -vz {address} 443, and the same at the other place.",
    ),
)

# https://cert-manager.io/docs/configuration/acme/dns01/#setting-nameservers-for-dns01-self-check
PORT_53 = Fault(
    "not-asked-from-there",
    Verdict.NOTE,
    "has name servers that take no connections from another place",
    "Nothing, unless the cluster is there: then cert-manager, which asks them before each proof by DNS-01, waits for ever, and no certificate is renewed.",
    Cause(
        "a firewall or NetworkPolicy of that place drops what goes to port 53",
        "nc -vz {server} 53, and the same at that place; or let cert-manager ask other name servers by --dns01-recursive-nameservers-only.",
    ),
)
OTHER_NAMES = Fault(
    "named-otherwise-there",
    Verdict.NOTE,
    "leads elsewhere for the name servers of another place",
    "Nothing of what others send. What is reached from there by this name was not looked at, and may be another machine or version.",
    Cause(
        "that place has another view of the zone, on purpose or by a name server that answers from its cache",
        "dig {subject}, and the same at that place; in a cluster, compare what CoreDNS forwards or rewrites.",
    ),
)
_MOST_SERVERS = 4


def compared(scene: Scene, probed: Probed) -> Iterator[Finding]:
    """Compare each address with how the other place reached it, where there is another."""
    if not scene.beside:
        return
    here, (there, elsewhere) = scene.visitor.vantage.name, scene.beside
    known = {link.address: link for link in elsewhere[probed.host].links}
    for link in probed.links:
        pair = {here: link, there: known[link.address]}
        subject, well = f"{probed.host} at {link.address}", [name for name, one in pair.items() if one.is_well]
        if any(one.spent or one.no_route for one in pair.values()):
            yield skipped(subject, f"it cannot be compared with how {there} reaches it")
            continue
        if len(well) == 1:
            fact = ", ".join(f"{'well' if name in well else _words(one)} from {name}" for name, one in pair.items())
            yield BY_PLACE.at(subject, fact, address=link.address)
        elif well:
            yield fine(subject, f"is reached from {here} and from {there}")


def _words(link: Link) -> str:
    return shown(link.tcp or link.tls, 80)


def named(scene: Scene) -> Iterator[Finding]:
    """Compare where hosts lead with what the name servers of the place say that is looked from, where it is not this one."""
    there = scene.visitor.vantage
    if not there.beside:
        return
    if not there.nameservers:
        yield skipped(f"Names from {there.name}", f"they are looked up from {there.beside.name} only")
        return
    hosts = [host for host in scene.target.hosts if not scene.probed[host].unknown]
    with ThreadPoolExecutor(_MOST_SERVERS) as pool:
        yield from pool.map(partial(_named, scene, there, scene.visitor.budget.until()), hosts)


def _named(scene: Scene, there: Vantage, until: float, host: str) -> Finding:
    here = {link.address for link in scene.probed[host].links}
    answers = [_look_up(there, host, kind, until) for kind in ("A", "AAAA")]
    if odd := next((one for one in answers if not one.is_answer), None):
        said = shown(" ".join(filter(None, (odd.code, odd.why))), 80)
        return Finding(Verdict.CANNOT_TELL, host, f"is not known to the name servers of {there.name}", said)
    found = set().union(*(one.records for one in answers))
    if found == here:
        return fine(host, f"leads to the same for the name servers of {there.name}")
    return OTHER_NAMES.at(host, f"{_listed(found)} and not {_listed(here)} for {there.name}")


def _look_up(there: Vantage, host: str, kind: str, until: float) -> Looked:
    found = Looked("", "there is no name server to ask")
    for address in there.nameservers:
        found = look_up_through(partial(there.connect, address, 53, until), host, kind, until)
        if found.code:
            break
    return found


def _listed(addresses: Set[str]) -> str:
    return shown(", ".join(sorted(addresses)) or "no address", 120)


def asked(scene: Scene, zone: str, servers: Mapping[str, str]) -> Iterator[Finding]:
    """Compare whether name servers, each with its address, can be connected to, where there is another place."""
    there = scene.visitor.vantage
    if not there.beside:
        return
    some, until = dict(list(servers.items())[:_MOST_SERVERS]), scene.visitor.budget.until()
    with ThreadPoolExecutor(2 * _MOST_SERVERS) as pool:
        here = pool.map(partial(_is_open, there.beside, until), some.values())
        opened = dict(
            zip(some, zip(here, pool.map(partial(_is_open, there, until), some.values()), strict=True), strict=True)
        )
    closed = [server for server, pair in opened.items() if pair == (True, False)]
    if closed:
        yield PORT_53.at(zone, f"{', '.join(map(shown, closed))} from {there.name}", server=closed[0])
    elif (True, True) in opened.values():
        yield fine(f"zone {zone}", f"has name servers that take connections from {there.name}")


def _is_open(vantage: Vantage, until: float, address: str) -> bool | None:
    """Whether a server of names takes a connection, as all must (https://www.rfc-editor.org/rfc/rfc7766); None where there is no way."""
    try:
        vantage.connect(address, 53, until).close()
    except OSError as error:
        return None if error.errno in NO_ROUTES else False
    return True
