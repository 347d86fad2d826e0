# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streaming: whether apps and the web interface get what is new without asking again and again."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import arrival, instance, nodeinfo
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.causes import who_answers
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import described
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    NoAnswerError,
    NotReachedError,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

_LOSES = "Apps and the web interface show what is new only when they are opened anew."
_STOPS = "Timelines stop: apps and the web interface connect anew again and again, and miss what comes in between."
# In seconds, for which it says something that a connection stays open.
_LEAST = 10
# Any 16 bytes: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
_KEY = "ZmVkZXJhdGlvbi1jaGVjaw=="
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": _KEY, "Sec-WebSocket-Version": "13"}
UNWELL = Fault(
    "unwell",
    Verdict.SOME,
    "does not say that streaming is well",
    _LOSES,
    Cause(
        "the streaming pods do not run, or the gateway leads elsewhere",
        "kubectl get pods -A -l app.kubernetes.io/component=streaming",
    ),
)
NO_UPGRADE = Fault(
    "no-upgrade",
    Verdict.SOME,
    "does not take the upgrade to a WebSocket",
    _LOSES,
    Cause(
        "a proxy on the way drops the headers Upgrade and Connection",
        "Let the proxy of {host} pass Upgrade and Connection on at /api/v1/streaming.",
    ),
)
SLASH_ONLY = Fault(
    "slash-only",
    Verdict.SOME,
    "leads to streaming with a slash at its end only",
    "Apps, which ask without the slash, get nothing new.",
    Cause("the route's prefix ends in a slash", "Route the prefix /api/v1/streaming, without a slash at its end."),
)
WRONG_ADDRESS = Fault(
    "wrong-address",
    Verdict.SOME,
    "sends apps to another address than streaming is declared at",
    _LOSES,
    Cause("STREAMING_API_BASE_URL is wrong", "Set STREAMING_API_BASE_URL to wss://{host}, or declare the host."),
)
# Mastodon says something each half minute: https://github.com/mastodon/mastodon/blob/main/streaming/index.js
CUT_SHORT = Fault(
    "cut-short",
    Verdict.SOME,
    "closes connections that nothing is said on",
    _STOPS,
    Cause(
        "the gateway, a load balancer or a content delivery network ends what is silent for less than the half minute after which Mastodon speaks",
        "Let connections of {host} that nothing is said on stay open for a minute or more, and requests for an hour.",
    ),
)
BY_ROUTE = Fault(
    "ended-by-its-route",
    Verdict.SOME,
    "goes by a route that ends it after a while",
    _STOPS,
    Cause("the route has a timeout, which is for answers that end", "Set timeouts.request of the route's rule to 0s."),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Ask whether it is well, whether it takes WebSockets, and whether apps are sent there."""
    host = scene.target.streaming or scene.target.host
    if nodeinfo.software(scene) != "mastodon":
        yield skipped(
            f"https://{host}/api/v1/streaming", "it is not known to be Mastodon, and only Mastodon has it there"
        )
        return
    if host not in scene.visitor.doors:
        raise NotReachedError(host)
    yield _well(scene, host)
    yield _upgrade(scene, host)
    yield _named(scene, host)
    if scene.target.hold:
        yield _held(scene)


def _well(scene: Scene, host: str) -> Finding:
    url = f"https://{host}/api/v1/streaming/health"
    reply = scene.fetch(url).reply
    if reply.status == 200 and reply.body.strip() == b"OK":
        return fine(url, "says that streaming is well")
    return UNWELL.at(url, described(reply)).because(who_answers(reply, host))


def _upgrade(scene: Scene, host: str) -> Finding:
    url = f"https://{host}/api/v1/streaming"
    try:
        reply = _websocket(scene, url)
    except NoAnswerError as error:
        return NO_UPGRADE.at(url, shown(str(error)), host=host)
    # Without a token it is refused by whoever speaks the protocol; some let everybody in at first.
    if reply.status in (101, 401):
        return fine(url, "takes the upgrade to a WebSocket", shown(str(reply), 60))
    if _websocket(scene, f"{url}/").status in (101, 401):
        return SLASH_ONLY.at(url, described(reply))
    return NO_UPGRADE.at(url, described(reply), host=host).because(who_answers(reply, host))


def _websocket(scene: Scene, url: str) -> Reply:
    return scene.visitor.ask(url, **{name.replace("-", "_"): value for name, value in _UPGRADE.items()})


def _held(scene: Scene) -> Finding:
    """Hold a connection to the pod that says what arrives, as streaming lets nobody in who has no token."""
    url = f"https://{scene.target.host}{arrival.HELD}"
    try:
        reply, seconds, is_ended = scene.visitor.hold(url, **_UPGRADE)
    except NoAnswerError as error:
        return arrival.NO_ECHO.at(url, shown(str(error)))
    if reply.status != 101:
        return arrival.NO_ECHO.at(url, described(reply))
    if is_ended:
        return CUT_SHORT.at(url, f"it was closed after {seconds:.0f} s", host=scene.target.host)
    if seconds < _LEAST:
        return skipped(url, f"the time that one look may take left {seconds:.0f} s for it")
    return fine(url, f"is left open for the {seconds:.0f} s that nothing was said on it")


def _named(scene: Scene, host: str) -> Finding:
    url, named = instance.address(scene), instance.said(scene, "configuration.urls.streaming")
    if not named:
        return skipped(url, "it names no address of streaming to those who are not signed in")
    scheme = urlsplit(named).scheme if host_of(named) else ""
    if scheme == "wss" and host_of(named) == host:
        return fine(url, f"sends apps to wss://{host}")
    return WRONG_ADDRESS.at(url, f"{shown(named)} and not wss://{host}", host=host)


CHECK = Check(
    "streaming", __doc__, (UNWELL, NO_UPGRADE, SLASH_ONLY, WRONG_ADDRESS, CUT_SHORT, BY_ROUTE, arrival.NO_ECHO), look
)
