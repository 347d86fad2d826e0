# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTP: whether who types a name without https gets to the right place."""

from __future__ import annotations

from collections.abc import Iterator

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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, split
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import Hop, NoAnswerError

_LOSES = "Links and bookmarks without https lead nowhere; other servers ask by https."
NO_REDIRECT = Fault(
    "no-redirect",
    Verdict.NOTE,
    "does not lead to https",
    _LOSES,
    Cause("the gateway's listener for port 80 has no redirect", "curl -sI '{subject}'"),
)
NOBODY = Fault(
    "nobody-there",
    Verdict.NOTE,
    "is not answered",
    _LOSES,
    Cause("no listener takes port 80, or a firewall drops it", "nc -vz {host} 80"),
)

# https://letsencrypt.org/docs/ipv6-support/
CHALLENGES = Fault(
    "challenges-elsewhere",
    Verdict.NOTE,
    "is answered otherwise at its IPv6 address, which authorities ask first",
    "Nothing yet: but no certificate is renewed by HTTP-01 any more, and when it ends, servers can neither deliver nor fetch.",
    Cause(
        "an AAAA record leads to another machine, such as a provider's own page, or nothing takes port 80 for IPv6 as for IPv4",
        "dig +short AAAA {host}, and remove the record or let {address} lead to the gateway.",
    ),
)
_CHALLENGE = "/.well-known/acme-challenge/federation-check"


def look(scene: Scene) -> Iterator[Finding]:
    """Ask each host of pages without TLS."""
    for host in dict.fromkeys((scene.target.domain, scene.target.host)):
        yield (
            _host(scene, host) if host in scene.visitor.doors else skipped(f"http://{host}/", f"{host} was not reached")
        )
    for host in scene.target.hosts:
        yield from _challenges(scene, host) if host in scene.visitor.doors else ()


def _host(scene: Scene, host: str) -> Finding:
    url = f"http://{host}/"
    try:
        reply = scene.visitor.ask(url)
    except NoAnswerError as error:
        return NOBODY.at(url, shown(str(error)), host=host)
    leads = Hop(url, reply).to
    if split(leads).scheme != "https":
        return NO_REDIRECT.at(url, f"{shown(str(reply), 60)}{f' to {shown(leads)}' if leads else ''}")
    return fine(url, f"leads to {shown(leads)}")


def _challenges(scene: Scene, host: str) -> Iterator[Finding]:
    """Ask where authorities do: by IPv6 where it is connected to, and by IPv4 only where it is not."""
    url, links = (
        f"http://{host}{_CHALLENGE}",
        [one for one in scene.probed[host].links if not (one.no_route or one.spent)],
    )
    six, four = ([one.address for one in links if (":" in one.address) is is_six][:1] for is_six in (True, False))
    if not (six and four):
        return
    said = {address: _said(scene, url, address) for address in (*six, *four)}
    if not all(said.values()):
        return
    if len(set(said.values())) == 1:
        yield fine(f"http://{host}", "is answered the same by IPv6 and by IPv4")
        return
    # Again, as one answer may fail for itself.
    if said == {address: _said(scene, url, address) for address in said}:
        fact = ", ".join(f"{words} at {address}" for address, words in said.items())
        yield CHALLENGES.at(f"http://{host}", fact, host=host, address=six[0])


def _said(scene: Scene, url: str, address: str) -> str:
    """Return what came back and where it leads, empty when nothing did."""
    try:
        reply = scene.visitor.ask(url, address=address)
    except NoAnswerError:
        return ""
    leads = host_of(Hop(url, reply).to)
    parts = (shown(str(reply), 40), shown(reply.media_type, 40), f"to {shown(leads, 80)}" if leads else "")
    return ", ".join(filter(None, parts))


CHECK = Check("plain-http", __doc__, (NO_REDIRECT, NOBODY, CHALLENGES), look)
