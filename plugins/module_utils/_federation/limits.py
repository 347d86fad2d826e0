# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits: whether the application knows who asks, or takes all for one, as it sees the address of its proxy only."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import instance, nodeinfo
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import REQUESTS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

# Of networks of the documentation, where nobody asks from.
_FORGED = ("198.51.100.23", "203.0.113.42")
SHARED = Fault(
    "shared-bucket",
    Verdict.NOTE,
    "counts requests of others as ours",
    "Nothing, where others use it from the same address as this machine. Otherwise all who ask share one limit, so that apps are refused "
    "when many ask; and one server that is down closes this one to all newcomers for five minutes.",
    Cause(
        "others ask from here, or the application sees the address of its proxy for everybody's",
        "Name the gateway's pods in mastodon_trusted_proxies, and keep the client's address on the way to the gateway.",
    ),
)
FORGEABLE = Fault(
    "forgeable-address",
    Verdict.SOME,
    "believes whatever address a client names",
    "Limits and blocks of addresses hold nobody off, and logs name the wrong ones.",
    Cause(
        "the gateway passes X-Forwarded-For of clients on as it came",
        "Let the gateway set X-Forwarded-For anew, or add to it.",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Read what is left to us, and whether it is more under another's address."""
    url = instance.address(scene)
    if scene.target.limited or nodeinfo.software(scene) != "mastodon":
        yield skipped(
            url, "it is not known to be Mastodon, or federates with some only, and counts no requests of ours"
        )
        return
    plain = scene.fetch(url).reply
    limit, left = _number(plain, "limit"), _number(plain, "remaining")
    if limit is None or left is None:
        yield skipped(url, "its answer says nothing of limits")
        return
    forged = [_number(scene.visitor.ask(url, x_forwarded_for=address), "remaining") for address in _FORGED]
    if left < limit - 1 - REQUESTS:
        yield SHARED.at(url, f"{left} of {limit} are left before we asked for anything else")
    elif forged == [limit - 1] * len(_FORGED) and _number(scene.visitor.ask(url), "remaining") != limit - 1:
        yield FORGEABLE.at(url, f"{left}, and to each of two invented addresses {limit - 1}, of {limit} are left")
    else:
        yield fine(url, "counts requests by who sent them", f"{left} of {limit} are left")


def _number(reply: Reply, name: str) -> int | None:
    said = reply.header(f"x-ratelimit-{name}")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None


CHECK = Check("limits", __doc__, (SHARED, FORGEABLE), look)
