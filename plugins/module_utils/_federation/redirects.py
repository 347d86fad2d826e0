# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether redirects lead to an answer, as far as others go after them."""

from __future__ import annotations

from urllib.parse import parse_qs

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import HOPS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, split
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import Trail

_WHO_REDIRECTS = "curl -sv '{subject}', and look at the redirect of whoever serves {host}."
# https://github.com/mastodon/mastodon/blob/main/app/lib/request.rb
_FOLLOWED = 3
TO_ITSELF = Fault(
    "redirects-to-itself",
    Verdict.CUT,
    "redirects to itself",
    "",
    Cause(
        "the application believes that it is asked without TLS, as X-Forwarded-Proto is lost on the way",
        "Let the gateway set X-Forwarded-Proto to https for {host}.",
    ),
)
# Where people are at another web site: https://github.com/mastodon/mastodon/issues/34605
AT_BARE = Cause(
    "the redirect of {host} leads back to {host}, and not to the host of Mastodon's pages",
    "Have whoever serves {host} redirect to the web domain.",
)
LOOP = Fault(
    "redirects-in-a-circle",
    Verdict.CUT,
    "redirects in a circle",
    "",
    Cause("one redirect leads back to another", _WHO_REDIRECTS),
)
TOO_MANY = Fault(
    "redirects-too-often",
    Verdict.CUT,
    "redirects more often than others follow",
    "",
    Cause("redirects follow each other", _WHO_REDIRECTS),
)
# https://github.com/LemmyNet/activitypub-federation-rust/blob/main/src/fetch/mod.rs
NOT_BY_LEMMY = Fault(
    "redirects-unlike-lemmy",
    Verdict.SOME,
    "redirects as Lemmy does not follow",
    "Lemmy, which follows one redirect to a whole address, cannot find accounts; Mastodon can.",
    Cause("redirects follow each other, or one of them leads to a path without its host", _WHO_REDIRECTS),
)
WITHOUT_QUERY = Fault(
    "redirect-drops-query",
    Verdict.CUT,
    "redirects without the query",
    "",
    Cause(
        "the redirect of {host} is written without it", "Let the redirect keep the query, such as with $request_uri."
    ),
)
WITHOUT_TLS = Fault(
    "redirects-to-http",
    Verdict.CUT,
    "redirects to an address without TLS",
    "",
    Cause("a redirect is written for http", _WHO_REDIRECTS),
)
ELSEWHERE = Fault(
    "redirects-elsewhere",
    Verdict.CUT,
    "redirects to a host that is not declared",
    "",
    Cause(
        "whoever serves {host} is not ours, or a host is missing in the declaration",
        "Add the host to followed_hosts if it is yours.",
    ),
)
FAULTS = (TO_ITSELF, LOOP, TOO_MANY, WITHOUT_QUERY, WITHOUT_TLS, ELSEWHERE)


def judged(trail: Trail) -> tuple[Fault | None, str]:
    """Return what is wrong with the way to the last answer, and how that is seen."""
    for hop in trail.hops:
        if hop.to and _drops_query(hop.url, hop.to):
            return WITHOUT_QUERY, f"{shown(str(hop.reply), 60)} to {shown(hop.to)}"
    if leads := trail.last.to:
        return _unfollowed(trail, leads), f"{shown(str(trail.reply), 60)} to {shown(leads)}"
    steps = len(trail.hops) - 1
    return (TOO_MANY, f"{steps} redirects, of which Mastodon follows {_FOLLOWED}") if steps > _FOLLOWED else (None, "")


def _drops_query(asked: str, leads: str) -> bool:
    return "resource" in parse_qs(split(asked).query) and "resource" not in parse_qs(split(leads).query)


def _unfollowed(trail: Trail, leads: str) -> Fault:
    if leads == trail.last.url:
        return TO_ITSELF
    if leads in {hop.url for hop in trail.hops}:
        return LOOP
    if split(leads).scheme != "https":
        return WITHOUT_TLS
    return TOO_MANY if len(trail.hops) > HOPS else ELSEWHERE


def unlike_lemmy(url: str, trail: Trail) -> Finding | None:
    """Return that Lemmy does not follow where Mastodon does, if so."""
    steps = [hop.reply.header("location") for hop in trail.hops if hop.to]
    if len(steps) > 1:
        return NOT_BY_LEMMY.at(url, f"{len(steps)} redirects", host=host_of(trail.hops[1].url))
    if steps and not split(steps[0]).scheme:
        return NOT_BY_LEMMY.at(url, f"to {shown(steps[0])}", host=host_of(url))
    return None
