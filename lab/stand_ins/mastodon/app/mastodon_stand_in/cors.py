# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts of other sites may read, as config/initializers/cors.rb says it and the gem rack-cors answers.

Not among it are `/ap/users/ID` and `/actor`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

_NAME = "[^/?#&]+"
_LIMITS = "X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining"


@dataclass(frozen=True)
class Resource:
    """Paths, the methods that are allowed for them, and headers that scripts may read."""

    path: str
    methods: str
    exposed: str = ""


_RESOURCES = (
    Resource(r"/\.well-known/.*", "GET"),
    Resource(r"/nodeinfo/.*", "GET"),
    Resource(f"/@{_NAME}", "GET"),
    Resource(f"/users/{_NAME}", "GET"),
    Resource("/api/.*", "POST, PUT, DELETE, GET, PATCH, OPTIONS", f"Link, {_LIMITS}, X-Request-Id"),
    Resource("/oauth/token", "POST"),
    Resource("/oauth/revoke", "POST"),
    Resource("/oauth/userinfo", "GET, POST"),
)


def preflight(request: web.Request) -> web.Response | None:
    """Answer a browser that asks before it lets a script send a request; None for all other requests."""
    method = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or not method or "Origin" not in request.headers:
        return None
    found = _resource(request.path)
    if found is None or method not in found.methods.split(", "):
        return web.Response()
    wanted = request.headers.get("Access-Control-Request-Headers")
    return web.Response(headers={**_allowed(found), **({"Access-Control-Allow-Headers": wanted} if wanted else {})})


def add(request: web.Request, response: web.StreamResponse) -> None:
    """Let scripts read an answer, if they may; caches are informed wherever that depends on who asks."""
    found = _resource(request.path)
    if found is None:
        return
    if "Origin" in request.headers and request.method != "OPTIONS":
        response.headers.update(_allowed(found))
    vary = [part.strip() for part in response.headers.get("Vary", "").split(",") if part.strip()]
    response.headers["Vary"] = ", ".join(dict.fromkeys([*vary, "Origin"]))


def _resource(path: str) -> Resource | None:
    return next((one for one in _RESOURCES if re.fullmatch(one.path, path)), None)


def _allowed(resource: Resource) -> Mapping[str, str]:
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": resource.methods,
        "Access-Control-Expose-Headers": resource.exposed,
        "Access-Control-Max-Age": "7200",
    }
