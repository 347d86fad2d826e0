# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections: whether all versions of TLS, all addresses, and connections that browsers share lead to the same server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import certificates
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import NoAnswerError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.tls import VERSIONS

_MOST_ADDRESSES = 4
ONE_VERSION = Fault(
    "old-tls-refused",
    Verdict.SOME,
    "does not speak TLS 1.2",
    "Servers with older libraries of TLS cannot connect; all newer ones can.",
    Cause(
        "the gateway allows TLS 1.3 only",
        "openssl s_client -tls1_2 -connect {address}:443 -servername {host} </dev/null",
    ),
)
NOT_SHARED = Fault(
    "shared-connection",
    Verdict.SOME,
    "is answered otherwise over a connection that was opened for another host",
    "Browsers, which share connections between hosts of one certificate, show errors now and then; other servers do not share them.",
    Cause(
        "one certificate is used by several listeners of the gateway",
        "Give each listener a certificate of its own, or let one listener take all hosts.",
    ),
)
ANOTHER = Fault(
    "another-machine",
    Verdict.CUT,
    "is answered otherwise at one of its addresses",
    "Servers that take that address reach somebody else: now and then deliveries and fetches fail.",
    Cause(
        "an AAAA or A record leads to another machine, such as a provider's own page",
        "dig +short A {host}; dig +short AAAA {host}",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Compare what comes by one way with what comes by another."""
    for host in scene.target.hosts:
        yield (
            _versions(scene, host)
            if host in scene.visitor.doors
            else skipped(f"https://{host}", f"{host} was not reached")
        )
    for host in dict.fromkeys((scene.target.domain, scene.target.host)):
        yield from _addresses(scene, host)
    for host, other in permutations([host for host in scene.target.hosts if host in scene.visitor.doors], 2):
        yield from _shared(scene, host, other)


def _versions(scene: Scene, host: str) -> Finding:
    spoken = {version: _speaks(scene, host, version) for version in VERSIONS}
    subject = f"https://{host}"
    if not any(spoken.values()):
        return Finding(
            Verdict.CANNOT_TELL, subject, "began TLS when all its versions were offered, and then by none alone"
        )
    if not spoken["TLS 1.2"]:
        return ONE_VERSION.at(subject, "TLS 1.3 only", host=host, address=scene.visitor.doors[host])
    return fine(subject, f"speaks {' and '.join(version for version, well in spoken.items() if well)}")


def _speaks(scene: Scene, host: str, version: str) -> bool:
    """Whether it does, asked again where it did not, as a connection may fail for itself."""
    return scene.visitor.speaks(host, version) or scene.visitor.speaks(host, version)


def _addresses(scene: Scene, host: str) -> Iterator[Finding]:
    """Ask for one document at each address."""
    url, well = f"https://{host}/.well-known/nodeinfo", [link for link in scene.probed[host].links if link.is_well]
    if len(well) < 2:
        return
    asked = {link.address: _said(scene, url, address=link.address) for link in well[:_MOST_ADDRESSES]}
    for address in (address for address, answer in asked.items() if not answer):
        yield Finding(Verdict.CANNOT_TELL, f"{url} at {address}", "was not answered, and asked for twice")
    said = {address: answer for address, answer in asked.items() if answer}
    if len(said) < 2:
        return
    first, *others = said.items()
    for address, answer in others:
        # Again, as one answer may fail for itself.
        if answer != first[1] and _said(scene, url, address=address) not in ("", first[1]):
            yield ANOTHER.at(url, f"{answer} at {address}, {first[1]} at {first[0]}", host=host)
            return
    if first[1][0] in "123":
        yield fine(url, "is answered the same at each address", ", ".join(said))
    else:
        yield skipped(url, f"it is answered nowhere: {first[1]}")


def _shared(scene: Scene, host: str, other: str) -> Iterator[Finding]:
    """Ask for a host over a connection for another one, where a browser would: same address, and a certificate for both."""
    links: list[Link] = [
        link for link in scene.probed[other].links if link.address == scene.visitor.doors[host] and link.is_well
    ]
    chain = certificates.read(links[0].chain) if links else ()
    if not chain or not chain[0].is_for(host):
        return
    url = f"https://{host}/.well-known/nodeinfo"
    straight, shared = _said(scene, url), _said(scene, url, sni=other)
    if not (straight and shared):
        yield skipped(url, "it was not answered each time")
    elif straight == shared and _is_nobody(straight):
        yield skipped(url, f"it is answered nowhere: {straight}")
    elif straight == shared:
        yield fine(url, f"is answered the same over a connection for {other}")
    else:
        yield NOT_SHARED.at(url, f"{shared} over one for {other}, {straight} over one of its own")


def _is_nobody(said: str) -> bool:
    """Whether nobody answers there, so that the same twice says nothing: a store refuses in XML what it has not."""
    return said[0] not in "123" and not said.endswith(", application/xml")


def _said(scene: Scene, url: str, *, address: str = "", sni: str = "") -> str:
    """Return what came back, empty when nothing did, twice: who is slow is no other machine."""
    try:
        reply = scene.visitor.ask_twice(url, address=address, sni=sni)
    except NoAnswerError:
        return ""
    return f"{shown(str(reply), 40)}{_whose(reply)}"


def _whose(reply: Reply) -> str:
    """Tell who answered, to tell those apart who say the same."""
    kind = shown(reply.media_type, 40)
    return f", {kind}" if kind else ""


CHECK = Check("connections", __doc__, (ONE_VERSION, NOT_SHARED, ANOTHER), look)
