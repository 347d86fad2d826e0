# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host-meta: where Mastodon and GoToSocial look for WebFinger when it is not where it should be."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import nodeinfo
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import Stake, answered
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

STAKE = Stake(
    "host-meta",
    Verdict.SOME,
    "Servers that go by host-meta alone do not find accounts; those of today ask WebFinger first.",
)
_TYPES = ("application/xrd+xml", "application/xml", "text/xml")
NO_TEMPLATE = Fault(
    "no-template",
    Verdict.SOME,
    "does not say where WebFinger is",
    STAKE.loses,
    Cause("something else than the instance writes this document", "curl -s '{subject}'"),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Find the template that leads to WebFinger."""
    url = f"https://{scene.target.domain}/.well-known/host-meta"
    if nodeinfo.software(scene) != "mastodon":
        yield skipped(url, "it is not known to be Mastodon, and not all software has it")
        return
    reply = answered(scene, STAKE, url).reply
    if (
        reply.media_type not in _TYPES
        or b"lrdd" not in reply.body
        or b"/.well-known/webfinger?resource={uri}" not in reply.body
    ):
        yield NO_TEMPLATE.at(url, f"{shown(reply.media_type, 60)}, {shown(reply.body.strip(), 80)!r}")
    else:
        yield fine(url, "leads to WebFinger")


CHECK = Check("host-meta", __doc__, (NO_TEMPLATE, *STAKE.faults), look)
