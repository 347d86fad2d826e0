# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers: whether all that the world asks for a zone know it, and say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import places
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene

# Of one zone, and of one of its servers.
_MOST_SERVERS, _MOST_ADDRESSES = 8, 2
_THREADS = 16
_SOME = "Some of the world, by chance, does not find this host or is late."
NO_ADDRESS = Fault(
    "server-without-address",
    Verdict.SOME,
    "names a name server that has no address",
    _SOME,
    Cause(
        "the name server's own record, or its glue at the registrar, is missing",
        "dig {server}, and compare the glue at the registrar.",
    ),
)
LAME = Fault(
    "lame-server",
    Verdict.SOME,
    "names a name server that does not know the zone",
    _SOME,
    Cause("the zone was moved, and the registrar still names the old server", "dig @{server} SOA {subject}"),
)
SILENT = Fault(
    "silent-server",
    Verdict.SOME,
    "names a name server that does not answer",
    _SOME,
    Cause("the server is down, or a firewall drops port 53", "dig @{server} SOA {subject}"),
)
STALE = Fault(
    "serials-differ",
    Verdict.NOTE,
    "has name servers with different serial numbers",
    "What changed is not known everywhere until all have the newest.",
    Cause("a transfer is on its way, or does not work", "dig +nssearch {subject}"),
)
DISAGREE = Fault(
    "servers-disagree",
    Verdict.CUT,
    "leads to different addresses, depending on the name server",
    "Servers that ask the wrong one reach an old address, or nobody.",
    Cause("a secondary name server is stale, as transfers to it do not work", "dig +nssearch {zone}"),
)
BY_PLACE = Fault(
    "servers-differ",
    Verdict.NOTE,
    "leads to different addresses, depending on the name server, by one version of the zone",
    "Nothing, where all of them are meant: each server takes one of them.",
    Cause("the provider answers by where it is asked from, or follows an alias by itself", "dig +nssearch {zone}"),
)
FLAPS = Fault(
    "flaps",
    Verdict.CUT,
    "leads here and there by turns, as its record is written again and again",
    "By chance others reach an old address, or nobody.",
    Cause(
        "two controllers write it, or two routes with different annotations",
        "dig +short TXT {subject}, and read external-dns' log.",
    ),
)
DELEGATION = Fault(
    "delegation-differs",
    Verdict.SOME,
    "has other name servers for the zone above it than for itself",
    _SOME,
    Cause("name servers were changed in the zone, or at the registrar, but not in both", "dig +trace NS {subject}"),
)
OLD_ANSWER = Fault(
    "resolver-differs",
    Verdict.NOTE,
    "leads elsewhere for this machine's name server than for the zone's own",
    "What is found from here may not be what others find.",
    Cause(
        "the name server answers from its cache, or has another view of the zone",
        "dig {subject}, and dig @{server} {subject}",
    ),
)


def knows(resolver: Resolver, server: str, zone: str) -> tuple[bool | None, str]:
    """Whether a name server is one of a zone, None when it does not answer, and the address that said so.

    Of several addresses one that answers is enough, as this machine may lack IPv6.
    """
    addresses = sorted(resolver.addresses(server))[:_MOST_ADDRESSES]
    answers = {address: resolver.knows(address, zone) for address in addresses}
    said = ((known, address) for known in (False, True) for address, answer in answers.items() if answer is known)
    return next(said, (None, addresses[0] if addresses else ""))


def look(scene: Scene) -> Iterator[Finding]:
    """Ask each name server of each zone for itself."""
    zones: dict[str, list[str]] = {}
    for host in scene.target.hosts:
        try:
            zones.setdefault(scene.resolver.zone_of(host), []).append(host)
        except MastodonError as error:
            yield skipped(host, error.brief())
    for zone, hosts in zones.items():
        yield from _zone(scene, zone, hosts)
    yield from places.named(scene)


def _zone(scene: Scene, zone: str, hosts: list[str]) -> Iterator[Finding]:
    resolver = scene.resolver
    try:
        named = sorted(server.lower() for server in resolver.name_servers(zone))
        servers = named[:_MOST_SERVERS]
        with ThreadPoolExecutor(_THREADS) as pool:
            known = dict(zip(servers, pool.map(lambda server: knows(resolver, server, zone), servers), strict=True))
    except MastodonError as error:
        yield skipped(f"zone {zone}", error.brief())
        return
    if all(answer is None for answer, _unused in known.values()):
        # This machine's name server has its answers from them.
        yield Finding(
            Verdict.CANNOT_TELL, f"zone {zone}", "has name servers that cannot be asked from here", ", ".join(servers)
        )
        return
    wrong = list(_wrong(zone, known))
    yield from wrong or [fine(f"zone {zone}", "is known to all its name servers", ", ".join(servers))]
    yield from _delegation(resolver, zone, named)
    well = {name: address for name, (knows_it, address) in known.items() if knows_it}
    yield from _compared(resolver, zone, hosts, well)
    yield from places.asked(scene, zone, well)


def _wrong(zone: str, known: Mapping[str, tuple[bool | None, str]]) -> Iterator[Finding]:
    for server, (answer, address) in known.items():
        if not answer:
            fault = NO_ADDRESS if not address else SILENT if answer is None else LAME
            yield fault.at(zone, shown(server), server=server)


def _compared(resolver: Resolver, zone: str, hosts: list[str], servers: Mapping[str, str]) -> Iterator[Finding]:
    """Compare what the servers say of the zone and of hosts in it, of those that say all."""
    asked = {server: _sample(resolver, address, zone, hosts) for server, address in servers.items()}
    before = {server: sample for server, sample in asked.items() if sample}
    if not before:
        yield Finding(Verdict.CANNOT_TELL, f"zone {zone}", "has name servers that do not say all", ", ".join(servers))
        return
    serials = {server: sample.serial for server, sample in before.items()}
    if len(set(serials.values())) > 1:
        yield STALE.at(zone, ", ".join(f"{serial} at {shown(server)}" for server, serial in serials.items()))
    server, *_others = before
    # Once more, to see what changes.
    after = _sample(resolver, servers[server], zone, hosts) or before[server]
    for host in hosts:
        was, found = before[server].leads[host], after.leads[host]
        # One that answers by turns on purpose does so by one version of the zone.
        if was != found and serials[server] != after.serial:
            yield FLAPS.at(host, f"{_listed(was)} with serial {serials[server]}, {_listed(found)} with {after.serial}")
        else:
            yield _agreed(resolver, zone, host, before)


def _delegation(resolver: Resolver, zone: str, named: list[str]) -> Iterator[Finding]:
    """Compare the zone's name servers with those that the zone above names, as far as it can be asked."""
    said = (resolver.ask_at(address, zone, "NS") for address in _above(resolver, zone)[:_MOST_ADDRESSES])
    found = next((sorted(name.rstrip(".").lower() for name in one.records) for one in said if one.records), None)
    if found and found != named:
        yield DELEGATION.at(zone, f"{shown(', '.join(found))} above, {shown(', '.join(named))} in it")


def _above(resolver: Resolver, zone: str) -> Sequence[str]:
    """Return addresses of name servers of the zone above."""
    try:
        above = resolver.zone_of(zone.partition(".")[2])
        servers = sorted(resolver.name_servers(above))[:_MOST_ADDRESSES]
        return [address for server in servers for address in sorted(resolver.addresses(server))]
    except MastodonError:
        return ()


def _agreed(resolver: Resolver, zone: str, host: str, samples: Mapping[str, _Sample]) -> Finding:
    by_server = {name: sample.leads[host] for name, sample in samples.items()}
    if len(set(by_server.values())) > 1:
        fault = DISAGREE if len({sample.serial for sample in samples.values()}) > 1 else BY_PLACE
        fact = "; ".join(f"{_listed(found)} at {shown(server)}" for server, found in by_server.items())
        return fault.at(host, fact, zone=zone)
    server, found = next(iter(by_server.items()))
    here = resolver.addresses(host)
    # An alias into another zone is followed by resolvers only.
    if found and here != found:
        return OLD_ANSWER.at(host, f"{_listed(here)} and not {_listed(found)}", server=server)
    return fine(host, "leads to the same for all its name servers", _listed(found or here))


def _listed(addresses: frozenset[str]) -> str:
    return ", ".join(sorted(addresses)) or "no address"


@dataclass(frozen=True)
class _Sample:
    """What one server says at one moment: the serial number of its zone, and where hosts lead."""

    serial: str
    leads: Mapping[str, frozenset[str]]


def _sample(resolver: Resolver, address: str, zone: str, hosts: Sequence[str]) -> _Sample | None:
    """Ask for the serial number (https://www.rfc-editor.org/rfc/rfc1035#section-3.3.13) and all addresses at once.

    None where one of them is not answered, also when it is asked for again: that is no word on where a host leads.
    """
    asked = [(zone, "SOA"), *((host, kind) for host in hosts for kind in ("A", "AAAA"))]
    with ThreadPoolExecutor(_THREADS) as pool:
        answers = dict(zip(asked, pool.map(lambda one: _answer(resolver, address, *one), asked), strict=True))
    if not all(answer.is_answer for answer in answers.values()):
        return None
    said = {one: answer.records for one, answer in answers.items()}
    parts = next(iter(said[zone, "SOA"]), "").split()
    return _Sample(
        parts[2] if len(parts) > 2 else "none", {host: said[host, "A"] | said[host, "AAAA"] for host in hosts}
    )


def _answer(resolver: Resolver, address: str, name: str, kind: str) -> Looked:
    first = resolver.ask_at(address, name, kind)
    return first if first.is_answer else resolver.ask_at(address, name, kind)


_ALL = (
    NO_ADDRESS,
    LAME,
    SILENT,
    STALE,
    DISAGREE,
    BY_PLACE,
    FLAPS,
    DELEGATION,
    OLD_ANSWER,
    places.PORT_53,
    places.OTHER_NAMES,
)
CHECK = Check("name-servers", __doc__, _ALL, look)
