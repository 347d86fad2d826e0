# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity: whether the server is still the one that others know, by its key, and whether its clock is right."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    actor,
    instance,
    nodeinfo,
    portrait,
    webfinger,
)
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    ACCEPT_ACTIVITY,
    NoAnswerError,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# In seconds, which clocks that somebody sets are never apart.
SKEW = 60
_COMPARE = "kubectl exec deploy/mastodon-web -- date -u, and compare it with date -u here."
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
    Cause("the clock of the gateway, or of this machine, is not set", _COMPARE),
)

CLOCK_OF_PODS = Fault(
    "clock-of-pods",
    Verdict.CUT,
    "counts with a clock that is off by more than the hour that others grant",
    "What this server signs is refused by others, and what others sign is refused here: both are tried again for some days.",
    Cause("the clock of the nodes that the pods run on is not set, while the gateway's is", _COMPARE),
)
CLOCK_NEARLY = Fault(
    "clock-of-pods-soon",
    Verdict.NOTE,
    "counts with another time than it is here",
    "When it is off by more than an hour, others refuse all that this server signs, and it all that they sign.",
    Cause("the clock of the nodes that the pods run on, or of this machine, is not set", _COMPARE),
)
# Of Mastodon as a receiver: https://github.com/mastodon/mastodon/blob/main/app/lib/signed_request.rb
_GRANTED = 3600
# After so many seconds each limit begins anew, at times that these divide:
# https://github.com/mastodon/mastodon/blob/main/app/controllers/concerns/api/rate_limit_headers.rb
_PERIOD = 300
# By which caches say that they kept an answer, whose limit may have ended long ago: Mastodon's own for nginx, and those of CDNs.
# https://github.com/mastodon/mastodon/blob/main/dist/nginx.conf
_CACHES = ("age", "x-cached", "x-cache", "cf-cache-status")


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
    yield _key(scene, url, at(portrait.first(content.get("publicKey")), "publicKeyPem", ""))
    yield _clock(scene, url)
    if nodeinfo.software(scene) == "mastodon" and not scene.target.limited:
        yield from _counted(scene)


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
    off = _off(said)
    if off is None:
        return skipped(url, "its answer has no date")
    if off <= SKEW:
        return fine(url, "is answered with the right time")
    return CLOCK.at(url, f"{shown(said, 40)}, which is {off:.0f} s off")


def _off(said: str) -> float | None:
    """Return how far a date is from now, None where it is none."""
    try:
        date = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return abs((_aware(date) - now()).total_seconds())


def _counted(scene: Scene) -> Iterator[Finding]:
    """Read the application's own clock, whoever else writes dates: a limit ends within one period of it."""
    url = instance.address(scene)
    try:
        # What nobody asked before no cache has kept.
        reply = scene.fetch(f"{url}?{secrets.token_hex(8)}").reply
        if any(_is_kept(name, reply.header(name)) for name in _CACHES):
            yield skipped(url, "a cache answers, which does not say what time it is for the application")
            return
        said = reply.header("x-ratelimit-reset")
        ends = _aware(datetime.fromisoformat(said))
    except (NoAnswerError, ValueError):
        return
    left = (ends - now()).total_seconds()
    off = max(left - _PERIOD, -left, 0)
    if off > SKEW:
        # Who else has another time than this machine may be right.
        is_proved = off > _GRANTED and (_off(reply.header("date")) or 0) <= SKEW
        fault = CLOCK_OF_PODS if is_proved else CLOCK_NEARLY
        yield fault.at(
            url, f"its limit of {_PERIOD} s ends at {shown(said, 40)}, so that it is at least {off:.0f} s off"
        )
    else:
        yield fine(url, "counts with the right time")


def _is_kept(name: str, said: str) -> bool:
    return said.strip() not in ("", "0") if name == "age" else "hit" in said.lower() or "stale" in said.lower()


def _aware(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)


CHECK = Check("identity", __doc__, (OTHER_KEY, NO_KEY, CLOCK, CLOCK_OF_PODS, CLOCK_NEARLY), look)
