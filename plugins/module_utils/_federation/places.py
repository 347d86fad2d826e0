# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reached from one place and not from another."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene

BY_PLACE = Fault(
    "by-place",
    Verdict.SOME,
    "is reached from one place and not from another",
    "Servers that are where it is not reached, or come the same way, can neither deliver nor fetch; others notice nothing.",
    Cause(
        "a firewall or provider refuses some countries or networks, one of several sites is down, or a way loses packets of full size",
        "nc -vz {address} 443, at both places.",
    ),
)


def compared(scene: Scene, probed: Probed) -> Iterator[Finding]:
    """Compare each address with how the other place reached it, where there is another."""
    if not scene.beside:
        return
    here, (there, elsewhere) = scene.visitor.vantage.name, scene.beside
    known = {link.address: link for link in elsewhere[probed.host].links}
    for link in probed.links:
        pair = {here: link, there: known[link.address]}
        if any(one.spent or one.no_route for one in pair.values()):
            continue
        subject, well = f"{probed.host} at {link.address}", [name for name, one in pair.items() if one.is_well]
        if len(well) == 1:
            fact = ", ".join(f"{'well' if name in well else _words(one)} from {name}" for name, one in pair.items())
            yield BY_PLACE.at(subject, fact, address=link.address)
        elif well:
            yield fine(subject, f"is reached from {here} and from {there}")


def _words(link: Link) -> str:
    return shown(link.tcp or link.tls, 80)
