# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a route itself changes on the way, or ends: https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import route
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import arrival, streaming
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Cause, Finding, shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]
_REQUEST = "requestHeaderModifier"
_HEADERS = {_REQUEST: "request header", "responseHeaderModifier": "response header"}
# In seconds, for which a stream may at least stay open.
_STREAM = 3600
# https://gateway-api.sigs.k8s.io/geps/gep-2257/
_DURATION = re.compile(r"([0-9]{1,5})(h|ms|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_TIMEOUTS = {"request": "requests", "backendRequest": "requests to its pods"}


def likely(cluster: Cluster, host: str, path: str, ours: Collection[str]) -> Broken | None:
    """Return what the route that a path goes by does to it, which may be why it is answered otherwise.

    That it leads on to another host of `ours` is as it must be.
    """
    for claim, rule in route.served(cluster, host, path):
        filters = _filters(rule)
        if any(at(one, "requestRedirect.hostname", "") in ours for one in filters):
            continue
        if words := [word for one in filters for word in _words(one)]:
            said = f"{name_of(claim.route)} {shown(', '.join(dict.fromkeys(words)), 300)}"
            return Broken((said,), describe(claim.route), certain=False)
    return None


def unseen(cluster: Cluster, web: str, streams: str) -> Iterator[Finding]:
    """Yield what routes do that nobody sees from outside who does not sign, or stays for a moment only. Raises MastodonError."""
    if cluster.gateway is None:
        return
    for claim, rule in route.served(cluster, web, "/inbox"):
        words = [
            word for one in _filters(rule) for word in (*_of_field(one, _REQUEST, arrival.SIGNED), *_of_address(one))
        ]
        if words:
            said = f"{name_of(claim.route)} {shown(', '.join(dict.fromkeys(words)), 300)}"
            cause = Cause(said, f"{describe(claim.route)}, and remove the filter.", proved=True)
            yield arrival.BY_ROUTE.at(f"https://{web}/inbox", said).because(cause).of(arrival.CHECK.name)
    for claim, rule in route.served(cluster, streams, "/api/v1/streaming"):
        if words := list(_ends(rule)):
            said = f"{name_of(claim.route)} {' and '.join(words)}"
            then = f"{describe(claim.route)}, and set its timeouts to 0s."
            # Whether a controller heeds it, and for WebSockets too, is its own affair.
            found = streaming.BY_ROUTE.at(f"https://{streams}/api/v1/streaming", said)
            yield found.because(Cause(said, then)).of(streaming.CHECK.name)


def _filters(rule: Item) -> list[Item]:
    behind = (one for it in maps_at(rule, "backendRefs") for one in maps_at(it, "filters"))
    return [*maps_at(rule, "filters"), *behind]


def _ends(rule: Item) -> Iterator[str]:
    for field, what in _TIMEOUTS.items():
        limit = str(at(rule, f"timeouts.{field}", ""))
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(limit))
        # Without any time, it has no end.
        if 0 < seconds < _STREAM:
            yield f"ends {what} after {shown(limit, 20)}"


def _words(one: Item) -> Iterator[str]:
    for field in _HEADERS:
        yield from _of_field(one, field)
    yield from _of_address(one)
    redirect = at(one, "requestRedirect", {})
    if redirect:
        yield f"redirects to {at(redirect, 'scheme', 'the same scheme')}://{at(redirect, 'hostname', 'the same host')}"


def _of_field(one: Item, field: str, among: Collection[str] = ()) -> Iterator[str]:
    """Yield what a filter does to headers, to all or to some."""
    changes, what = at(one, field, {}), _HEADERS[field]
    for done in ("set", "add"):
        named = (str(header.get("name")) for header in maps_at(changes, done))
        yield from (f"{done}s {what} {name}" for name in named if not among or name.lower() in among)
    removed = map(str, at(changes, "remove", []))
    yield from (f"removes {what} {name}" for name in removed if not among or name.lower() in among)


def _of_address(one: Item) -> Iterator[str]:
    rewrites = at(one, "urlRewrite", {})
    if name := at(rewrites, "hostname", ""):
        yield f"asks for host {name}"
    if "path" in rewrites:
        yield "asks for another path"
