# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web process, which upstream runs in Puma: discovery, actors and inboxes; `api` has what clients use."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import accounts, api, discovery, edge, gone, limits, oauth, pages, sessions, signin
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.errors import HttpRefusalError, RefusalError
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID
from mastodon_stand_in.services import Services
from mastodon_stand_in.sockets import listening

MAX_UPLOAD = 99 * 2**20
MAX_ACTIVITY = 2**20


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Serve on PORT until told to stop. `-C config/puma.rb` is what the chart passes and means nothing here."""
    services = Services.from_environment(environment)
    services.check()
    sock = listening(environment, 3000)
    logging.info("serving %s on port %s", services.site.web_domain, sock.getsockname()[1])
    web.run_app(application(services), sock=sock, print=None, access_log=None, shutdown_timeout=5)


def application(services: Services) -> web.Application:
    """Return the web application."""
    guard = edge.middleware(services.site, lambda request: limits.count(services, request))
    app = web.Application(middlewares=[guard, gone.middleware(services)], client_max_size=MAX_UPLOAD)
    app.on_response_prepare.append(edge.undated)
    own = _Pages(services)
    app.router.add_get("/health", own.health)
    app.router.add_get("/", own.home)
    app.router.add_get("/.well-known/webfinger", own.webfinger)
    app.router.add_get("/.well-known/host-meta{format:(\\.json)?}", own.host_meta)
    app.router.add_get("/.well-known/nodeinfo", own.nodeinfo_links)
    app.router.add_get("/nodeinfo/2.0", own.nodeinfo)
    app.router.add_get("/actor", own.instance_actor)
    app.router.add_get("/users/{name}", own.actor)
    app.router.add_get("/ap/users/{id:\\d{1,18}}", own.actor)
    app.router.add_get("/@{name}", own.profile)
    for path in ("/inbox", "/actor/inbox", "/users/{name}/inbox", "/ap/users/{id:\\d{1,18}}/inbox"):
        app.router.add_post(path, own.inbox)
    for part in (api, oauth, signin):
        part.add_routes(app, services)
    return app


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._site = services.site

    async def health(self, request: web.Request) -> web.Response:
        """Say OK whatever the state of database and cache, as upstream."""
        return web.Response(text="OK")

    async def home(self, request: web.Request) -> web.Response:
        """Show who is signed in."""
        keys, session = self._services.keys, request.cookies.get(pages.COOKIE, "")

        def look(cursor: RealDictCursor) -> Account | None:
            user = sessions.user_of(cursor, keys, session)
            return accounts.find_by_user(cursor, user) if user else None

        account = await self._services.query(look)
        if account is None:
            return pages.page(self._site.web_domain, '<p><a href="/auth/sign_in">Log in</a></p>')
        hidden = {"authenticity_token": pages.authenticity_token(keys, session)}
        state = "" if account.is_active else " It waits for approval, or for its e-mail address to be confirmed."
        signed_in = f"<p>Signed in as @{account.username}.{state}</p>"
        return pages.page(self._site.web_domain, signed_in + pages.form("/auth/sign_out", "Log out", {}, hidden))

    async def webfinger(self, request: web.Request) -> web.Response:
        resource = request.query.get("resource")

        def look(cursor: RealDictCursor) -> dict[str, Any] | None:
            return discovery.webfinger(
                self._site,
                resource,
                lambda name: accounts.find(cursor, name),
                lambda number: accounts.find_by_id(cursor, number),
            )

        try:
            found = await self._services.query(look)
        except HttpRefusalError:
            raise
        except RefusalError:
            return _cached(web.Response(status=400), minutes=3)
        if found is None:
            return _cached(web.Response(status=404), minutes=3)
        return _cached(web.json_response(found, content_type="application/jrd+json"), minutes=3 * 24 * 60)

    async def host_meta(self, request: web.Request) -> web.Response:
        wants_json = request.match_info["format"] or "json" in request.headers.get("Accept", "")
        if wants_json:
            return _cached(web.json_response(discovery.host_meta(self._site)), minutes=3 * 24 * 60)
        xml = web.Response(text=discovery.host_meta_xml(self._site), content_type="application/xrd+xml")
        return _cached(xml, minutes=3 * 24 * 60)

    async def nodeinfo_links(self, request: web.Request) -> web.Response:
        return _cached(web.json_response(discovery.nodeinfo_links(self._site)), minutes=3 * 24 * 60)

    async def nodeinfo(self, request: web.Request) -> web.Response:
        services = self._services

        def make() -> dict[str, Any]:
            with services.database.transaction() as cursor:
                return discovery.nodeinfo(*api.usage(cursor))

        # Upstream keeps it in the cache too, where it outlives an upgrade by up to half an hour.
        return _cached(
            web.json_response(await services.run(lambda: services.cache.cached("nodeinfo/2.0", 1800, make))), minutes=30
        )

    async def instance_actor(self, request: web.Request) -> web.Response:
        account = await self._services.query(lambda cursor: accounts.find_by_id(cursor, INSTANCE_ACTOR_ID))
        return _cached(self._activity(account), minutes=10)

    async def actor(self, request: web.Request) -> web.Response:
        account = await self._account(request)
        vary = "Accept, Accept-Language, Cookie"
        if not re.search(r"application/(activity\+json|ld\+json|json)", request.headers.get("Accept", "")):
            page = self._site.url(f"/@{account.username}")
            # config/routes.rb, redirect_with_vary
            vary = "Origin, Accept" if request.path.startswith("/users/") else vary
            return web.Response(status=301, headers={"Vary": vary, "Location": page})
        if self._site.authorized_fetch:
            vary += ", Signature"
            if not is_signed(request.headers):
                return edge.error(401, "Request not signed")
        response = self._activity(account)
        response.headers["Vary"] = vary
        return _cached(response, minutes=3)

    async def profile(self, request: web.Request) -> web.Response:
        account = await self._account(request)
        return pages.page(f"@{account.username}@{self._site.local_domain}")

    async def inbox(self, request: web.Request) -> web.Response:
        """Refuse what is not signed; the stand-in knows no other server, so that it can verify no signature."""
        if (request.content_length or 0) > MAX_ACTIVITY:
            return edge.error(413, "Payload too large")
        if is_signed(request.headers):
            return edge.error(401, "Unable to fetch key")
        activity = await _json_object(request)
        subject = activity.get("object")
        is_farewell = activity.get("type") in ("Delete", "Update") and subject and subject == activity.get("actor")
        if is_farewell and not str(subject).startswith(self._site.url("/")):
            return web.Response(status=202)
        return edge.error(401, "Request not signed")

    async def _account(self, request: web.Request) -> Account:
        match = request.match_info

        def look(cursor: RealDictCursor) -> Account | None:
            if "id" in match:
                return accounts.find_by_id(cursor, int(match["id"]))
            return accounts.find(cursor, match["name"])

        account = await self._services.query(look)
        if account is None or account.id < 0 or not account.is_active:
            raise web.HTTPNotFound
        return account

    def _activity(self, account: Account | None) -> web.Response:
        if account is None:
            raise web.HTTPNotFound
        return web.json_response(discovery.actor(self._site, account), content_type=discovery.ACTIVITY)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Return whether a request carries a signature; a malformed one is a bad request."""
    if "Signature-Input" in headers:
        return True
    signature = headers.get("Signature")
    if signature is None:
        return False
    if not all(f'{part}="' in signature for part in ("keyId", "signature")):
        raise HttpRefusalError(400, "Malformed signature")
    return True


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _cached(response: web.Response, minutes: int) -> web.Response:
    response.headers["Cache-Control"] = f"max-age={minutes * 60}, public"
    return response
