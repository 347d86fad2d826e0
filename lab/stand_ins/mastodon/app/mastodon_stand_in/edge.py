# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a request before any page sees it: host authorisation, the way to HTTPS, and headers for all."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from mastodon_stand_in import cors, limits
from mastodon_stand_in.errors import HttpRefusalError, RefusalError, UnavailableError
from mastodon_stand_in.limits import Count
from mastodon_stand_in.settings import Site

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

# Rails' own, of two years (ActionDispatch::SSL).
_HSTS = "max-age=63072000; includeSubDomains"
# What says the same to everybody.
_SAME_FOR_ALL = ("/api/v1/instance", "/api/v2/instance")

Counting = Callable[[web.Request], Awaitable[Count | None]]


async def _uncounted(_request: web.Request) -> Count | None:
    return None


def host_of(authority: str) -> str:
    """Return the host of `host` or `host:port`, lower-case; IPv6 addresses keep their brackets."""
    host, colon, port = authority.strip().lower().rpartition(":")
    return host if colon and port.isdecimal() else authority.strip().lower()


def may_answer(path: str, hosts: Collection[str], authorities: Collection[str]) -> bool:
    """Return whether a request that names these authorities is for us (config/initializers/1_hosts.rb)."""
    return path == "/health" or all(host_of(authority) in hosts for authority in authorities)


def must_redirect(path: str, host: str, protocol: str) -> bool:
    """Return whether a request has to come back over HTTPS (config/environments/production.rb)."""
    is_exempt = path.startswith("/health") or host.endswith((".onion", ".i2p"))
    return not is_exempt and protocol != "https"


def middleware(site: Site, counting: Counting = _uncounted) -> Middleware:
    """Return the middleware that guards every page; `counting` says how many requests somebody has sent."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        response = cors.preflight(request) or await _answer(site, counting, request, handler)
        response.headers.setdefault("Server", "Mastodon")
        cors.add(request, response)
        # Without the query: it may hold a token.
        milliseconds = round((time.monotonic() - started) * 1000)
        level = logging.DEBUG if request.path == "/health" else logging.INFO
        logging.log(level, "%s %s %s in %s ms", request.method, request.path, response.status, milliseconds)
        return response

    return guard


async def undated(_request: web.Request, response: web.StreamResponse) -> None:
    """Say no date, as Puma does not: that of an answer is its proxy's (https://github.com/puma/puma/blob/main/lib/puma/request.rb)."""
    response.headers.popall("Date", None)


async def _answer(site: Site, counting: Counting, request: web.Request, handler: Handler) -> web.StreamResponse:
    forwarded = request.headers.get("X-Forwarded-Host", "").rpartition(",")[2]
    authorities = [authority for authority in (request.host, forwarded) if authority]
    if not may_answer(request.path, site.hosts, authorities):
        return web.Response(status=403, text="")
    host = host_of(authorities[-1])
    protocol = request.headers.get("X-Forwarded-Proto", "http").partition(",")[0].strip()
    if must_redirect(request.path, host, protocol):
        status = 301 if request.method in ("GET", "HEAD") else 308
        return web.Response(status=status, headers={"Location": f"https://{host}{request.path_qs}"})
    forwarded, remote = request.headers.get("X-Forwarded-For", ""), request.remote or "127.0.0.1"
    if limits.is_forged(forwarded, remote, site.trusted_proxies):
        logging.error("IP spoofing attack?! client %s is not a trusted proxy", remote)
        return error(500, "Something went wrong on our end")
    response = await _limited(counting, request, handler)
    if protocol == "https":
        response.headers["Strict-Transport-Security"] = _HSTS
    return response


async def _limited(counting: Counting, request: web.Request, handler: Handler) -> web.StreamResponse:
    count = await counting(request)
    if count and count.is_too_many:
        response: web.StreamResponse = error(429, "Too many requests")
    else:
        response = await _handled(request, handler)
    # What no page is behind is not the API's to answer.
    if count and request.match_info.http_exception is None:
        response.headers.update(count.headers)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "private, no-store")
        if request.path not in _SAME_FOR_ALL:
            response.headers.setdefault("Vary", "Authorization")
    return response


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        return error(answer.status, answer.reason)
    except HttpRefusalError as refusal:
        return error(refusal.status, str(refusal))
    except UnavailableError as refusal:
        logging.error("%s", refusal)
        return error(503, "There was a temporary problem serving your request, please try again")
    except RefusalError as refusal:
        return error(422, str(refusal))
    except Exception:
        logging.exception("%s %s failed", request.method, request.path)
        return error(500, "Something went wrong on our end")


def error(status: int, sentence: str) -> web.Response:
    """Return an error as the API gives it."""
    return web.json_response({"error": sentence}, status=status)


async def parameters(request: web.Request) -> Mapping[str, Any]:
    """Return a JSON object's or a form's fields; those that end in `[]` are lists."""
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RefusalError("Validation failed: the body is not a JSON object")
        return body
    form = await request.post()
    return {name: form.getall(name) if name.endswith("[]") else value for name, value in form.items()}
