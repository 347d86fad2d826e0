# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity: whether the server is still the one that others know, by its key, and whether its clock is right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import actor, nodeinfo, webfinger
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import ACCEPT_ACTIVITY
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

_SKEW = 60
OTHER_KEY = Fault(
    "other-key",
    Verdict.CUT,
    "shows another key than it had",
    "Servers that know the old key refuse what is signed with the new one, until they fetch it again.",
    Cause(
        "the database was made anew, and the keys with it",
        "Restore the database, or declare the new key_fingerprint if there is no way back.",
    ),
)
NO_KEY = Fault(
    "no-key",
    Verdict.CUT,
    "shows no key",
    "Nothing that is signed by it can be checked: others refuse it.",
    Cause(
        "something else than the instance writes this document",
        "curl -s -H 'Accept: application/activity+json' '{subject}'",
    ),
)
CLOCK = Fault(
    "clock",
    Verdict.NOTE,
    "is answered with another time than it is here",
    "If the pods that sign are off as well, and by more than an hour, others refuse all that they send.",
    Cause(
        "the clock of the gateway, or of this machine, is not set",
        "kubectl exec deploy/mastodon-web -- date -u, and compare it with date -u here.",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Compare the key with the declared one, and the time with ours."""
    url = _actor(scene)
    if not url:
        yield skipped("The server's key", "no actor is known that has it")
        return
    try:
        content = actor.fetched(scene, url)[1]
    except FoundError:
        yield skipped(url, "it cannot be fetched")
        return
    yield _key(scene, url, at(content, "publicKey.publicKeyPem", ""))
    yield _clock(scene, url)


def fingerprint(pem: str) -> str:
    """Return what a key is compared by: of its text, without the line breaks that differ."""
    return f"sha256:{hashlib.sha256(''.join(pem.split()).encode()).hexdigest()}"


def _actor(scene: Scene) -> str:
    if nodeinfo.software(scene) == "mastodon":
        return f"https://{scene.target.host}/actor"
    try:
        return webfinger.actor_of(scene, scene.target.account) if scene.target.account else ""
    except FoundError:
        return ""


def _key(scene: Scene, url: str, pem: str) -> Finding:
    if not pem.strip().startswith("-----BEGIN "):
        return NO_KEY.at(url, shown(pem, 40))
    found = fingerprint(pem)
    if not scene.target.key:
        return fine(url, "shows a key, which can be declared to be compared", found)
    return (
        fine(url, "shows the declared key", found)
        if found == scene.target.key
        else OTHER_KEY.at(url, f"{found} and not {shown(scene.target.key)}")
    )


def _clock(scene: Scene, url: str) -> Finding:
    said = scene.fetch(url, accept=ACCEPT_ACTIVITY).reply.header("date")
    try:
        date = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return skipped(url, "its answer has no date")
    off = abs((_aware(date) - now()).total_seconds())
    if off <= _SKEW:
        return fine(url, "is answered with the right time")
    return CLOCK.at(url, f"{shown(said, 40)}, which is {off:.0f} s off")


def _aware(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)


CHECK = Check("identity", __doc__, (OTHER_KEY, NO_KEY, CLOCK), look)
