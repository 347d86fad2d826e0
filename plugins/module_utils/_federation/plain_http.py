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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import split
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


def look(scene: Scene) -> Iterator[Finding]:
    """Ask each host of pages without TLS."""
    for host in dict.fromkeys((scene.target.domain, scene.target.host)):
        yield (
            _host(scene, host) if host in scene.visitor.doors else skipped(f"http://{host}/", f"{host} was not reached")
        )


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


CHECK = Check("plain-http", __doc__, (NO_REDIRECT, NOBODY), look)
