# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a document comes as it was asked for: what may be wrong with any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import redirects
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.causes import who_answers
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    UNKNOWN,
    Cause,
    Fault,
    Finding,
    Verdict,
    quoted,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    NoAnswerError,
    NotReachedError,
    Trail,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, parsed

_UNKNOWN = Cause(UNKNOWN, "curl -sv '{subject}'")

GONE = Fault(
    "gone",
    Verdict.LOST,
    "says that it is gone for ever",
    "Mastodon deletes its copies of an account that WebFinger says is gone; Misskey stops sending to a whole host whose shared inbox says so.",
    Cause(
        "a suspended account, tootctl self-destruct, or a maintenance or parking page answers",
        "Stop whatever answers 410 first, then curl -sv '{subject}'",
    ),
)
ABSENT = Fault("absent", Verdict.CUT, "is not there", "", _UNKNOWN)
REFUSED = Fault("refused", Verdict.CUT, "is refused", "", _UNKNOWN)
BUSY = Fault(
    "busy",
    Verdict.CUT,
    "is refused for too many requests",
    "",
    Cause("the application sees one address, its proxy's, for all who ask", "Check mastodon_trusted_proxies."),
)
UNWELL = Fault("unwell", Verdict.CUT, "ends in an error of the server", "", _UNKNOWN)
PAGE = Fault("page", Verdict.CUT, "is a web page where {what} was asked for", "", _UNKNOWN)
NOT_JSON = Fault("not-json", Verdict.CUT, "is not JSON", "", _UNKNOWN)
UNREADABLE = Fault(
    "unreadable",
    Verdict.CUT,
    "is packed as nobody asked for",
    "",
    Cause(
        "a proxy compresses without looking at Accept-Encoding",
        "Turn br and zstd off for {host}, or let them heed Accept-Encoding.",
    ),
)
TOO_LONG = Fault("too-long", Verdict.CUT, "is longer than the 1 MiB that others read", "", _UNKNOWN)
SILENT = Fault("silent", Verdict.CUT, "does not answer in HTTP", "", _UNKNOWN)
FAULTS = (
    *(GONE, ABSENT, REFUSED, BUSY, UNWELL, PAGE, NOT_JSON, UNREADABLE, TOO_LONG, SILENT),
    *redirects.FAULTS,
)


@dataclass(frozen=True)
class Stake:
    """A kind of document: what is lost without it, and how sentences call it."""

    what: str
    verdict: Verdict
    loses: str

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All that may be wrong with one."""
        return tuple(self.on(fault) for fault in FAULTS)

    def on(self, fault: Fault) -> Fault:
        """Return a fault with what it means here."""
        return fault if fault is GONE else replace(fault, verdict=self.verdict, loses=self.loses)

    def found(self, fault: Fault, url: str, fact: str = "") -> Finding:
        """Return that it was found at an address."""
        return self.on(fault).at(url, fact, host=host_of(url), what=self.what)


def document(scene: Scene, stake: Stake, url: str, /, **headers: str) -> tuple[Trail, Mapping[str, Any]]:
    """Return the answers on the way to a document of JSON, and what is in it. Raises FoundError with what is wrong."""
    trail = answered(scene, stake, url, **headers)
    try:
        content = parsed(trail.reply.body)
    except WrongShapeError:
        content = None
    if not isinstance(content, Mapping):
        raise FoundError(_no_document(stake, url, trail))
    return trail, content


def answered(scene: Scene, stake: Stake, url: str, /, **headers: str) -> Trail:
    """Return the answers on the way to one of status 200. Raises FoundError."""
    try:
        trail = scene.fetch(url, **headers)
    except NoAnswerError as error:
        raise FoundError(stake.found(SILENT, url, shown(str(error)))) from error
    if (finding := _way(scene, stake, url, trail)) or (finding := _status(stake, url, trail)):
        raise FoundError(finding)
    return trail


def described(reply: Reply) -> str:
    """Return status, media type and first bytes of an answer, as they can be shown."""
    parts = (
        shown(str(reply), 60),
        shown(reply.media_type, 60),
        quoted(reply.body.strip(), 60) if reply.body.strip() else "empty",
    )
    return ", ".join(part for part in parts if part)


def _way(scene: Scene, stake: Stake, url: str, trail: Trail) -> Finding | None:
    fault, fact = redirects.judged(trail)
    if fault is redirects.ELSEWHERE and scene.target.may_be_followed(host_of(trail.last.to)):
        raise NotReachedError(host_of(trail.last.to))
    if fault is redirects.TO_ITSELF and scene.target.is_split and host_of(trail.last.url) == scene.target.domain:
        return stake.found(fault, url, fact).because(redirects.AT_BARE.of(scene.target.domain))
    return stake.found(fault, url, fact) if fault else None


def _status(stake: Stake, url: str, trail: Trail) -> Finding | None:
    reply = trail.reply
    if reply.status == 200:
        packed = reply.header("content-encoding").strip().lower()
        if packed not in ("", "identity", "gzip", "x-gzip"):
            return stake.found(UNREADABLE, url, f"Content-Encoding: {shown(packed, 40)}")
        return stake.found(TOO_LONG, url) if reply.cut else None
    by_status = {404: ABSENT, 410: GONE, 429: BUSY}
    return _answer(stake, by_status.get(reply.status, UNWELL if reply.status >= 500 else REFUSED), url, trail)


def _no_document(stake: Stake, url: str, trail: Trail) -> Finding:
    is_page = trail.reply.body.lstrip()[:1] == b"<" or trail.reply.media_type == "text/html"
    return _answer(stake, PAGE if is_page else NOT_JSON, url, trail)


def _answer(stake: Stake, fault: Fault, url: str, trail: Trail) -> Finding:
    """Return what is wrong with an answer, and whose it is."""
    host = host_of(trail.last.url)
    whose = "" if host == host_of(url) else f", from {shown(host)}"
    finding = stake.found(fault, url, f"{described(trail.reply)}{whose}")
    return finding.because(who_answers(trail.reply, host))
