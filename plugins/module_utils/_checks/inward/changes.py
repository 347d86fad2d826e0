# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a route itself changes on the way: https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import route
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]
_HEADERS = {"requestHeaderModifier": "request header", "responseHeaderModifier": "response header"}


def likely(cluster: Cluster, host: str, path: str, ours: Collection[str]) -> Broken | None:
    """Return what the route that a path goes by does to it, which may be why it is answered otherwise.

    That it leads on to another host of `ours` is as it must be.
    """
    for claim, rule in route.served(cluster, host, path):
        behind = (one for it in maps_at(rule, "backendRefs") for one in maps_at(it, "filters"))
        filters = [*maps_at(rule, "filters"), *behind]
        if any(at(one, "requestRedirect.hostname", "") in ours for one in filters):
            continue
        if words := [word for one in filters for word in _words(one)]:
            said = f"{name_of(claim.route)} {shown(', '.join(dict.fromkeys(words)), 300)}"
            return Broken((said,), describe(claim.route), certain=False)
    return None


def _words(one: Item) -> Iterator[str]:
    for field, what in _HEADERS.items():
        changes = at(one, field, {})
        for done in ("set", "add"):
            yield from (f"{done}s {what} {header.get('name')}" for header in maps_at(changes, done))
        yield from (f"removes {what} {name}" for name in at(changes, "remove", []))
    rewrites = at(one, "urlRewrite", {})
    if name := at(rewrites, "hostname", ""):
        yield f"asks for host {name}"
    if "path" in rewrites:
        yield "asks for another path"
    redirect = at(one, "requestRedirect", {})
    if redirect:
        yield f"redirects to {at(redirect, 'scheme', 'the same scheme')}://{at(redirect, 'hostname', 'the same host')}"
