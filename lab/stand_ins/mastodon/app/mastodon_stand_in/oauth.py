# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How apps get a user's leave to act: OAuth's authorisation code, the one way that upstream has had since 4.4."""

from __future__ import annotations

import time
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import pages, sessions
from mastodon_stand_in.edge import parameters
from mastodon_stand_in.errors import HttpRefusalError, RefusalError
from mastodon_stand_in.services import Services

# The address of apps that no browser can be sent back to; they have the user copy the code.
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def add_routes(app: web.Application, services: Services) -> None:
    """Add OAuth to the web application."""
    own = _OAuth(services)
    app.router.add_post("/api/v1/apps", own.register)
    app.router.add_get("/oauth/authorize", own.ask)
    app.router.add_post("/oauth/authorize", own.authorize)
    app.router.add_get("/oauth/authorize/native", own.show_code)
    app.router.add_post("/oauth/token", own.token)


class _OAuth:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._keys = services.keys

    async def register(self, request: web.Request) -> web.Response:
        given = await parameters(request)
        name, uris = str(given.get("client_name") or ""), given.get("redirect_uris") or ""
        uri = str(uris[0] if isinstance(uris, list) and uris else uris)
        if not name or not uri:
            raise RefusalError("Validation failed: Application name and redirect URI can't be blank")
        scopes = str(given.get("scopes") or "read")
        row = await self._services.query(lambda cursor: sessions.add_application(cursor, name, uri, scopes))
        shown = {key: row[key] for key in ("name", "redirect_uri")}
        return web.json_response(
            {
                **shown,
                "id": str(row["id"]),
                "client_id": row["uid"],
                "client_secret": row["secret"],
                "vapid_key": self._keys.vapid_public_key,
            }
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Ask whoever is signed in; send everybody else to sign in first."""
        user, application = await self._asked(request, request.query)
        if user is None:
            return web.Response(status=302, headers={"Location": f"/auth/sign_in?return_to={quote(request.path_qs)}"})
        token = {"authenticity_token": pages.authenticity_token(self._keys, pages.session_of(request))}
        asked = {name: request.query.get(name, "") for name in ("client_id", "redirect_uri", "scope", "state")}
        form = pages.form("/oauth/authorize", "Authorize", {}, {**token, **asked, "response_type": "code"})
        return pages.page(f"Authorize {application['name']}", form)

    async def authorize(self, request: web.Request) -> web.Response:
        fields = await pages.checked_form(request, self._keys)
        user, application = await self._asked(request, fields)
        if user is None:
            raise HttpRefusalError(401, "Sign in first")
        code = await self._services.query(lambda cursor: sessions.grant(cursor, application, user))
        goal = application["redirect_uri"]
        if goal == OUT_OF_BAND:
            goal = "/oauth/authorize/native"
        state = {"state": fields["state"]} if fields.get("state") else {}
        joined = "&" if "?" in goal else "?"
        return web.Response(status=302, headers={"Location": f"{goal}{joined}{urlencode({'code': code, **state})}"})

    async def show_code(self, request: web.Request) -> web.Response:
        return pages.page("Authorization code", f"<p><code>{escape(request.query.get('code', ''))}</code></p>")

    async def token(self, request: web.Request) -> web.Response:
        given = await parameters(request)
        if given.get("grant_type") != "authorization_code":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        names = ("code", "client_id", "client_secret", "redirect_uri")
        code, client, secret, uri = (str(given.get(name) or "") for name in names)
        token = await self._services.query(lambda cursor: sessions.token_for(cursor, code, client, secret, uri))
        if token is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "scope": "read write push", "created_at": int(time.time())},
            headers={"Cache-Control": "no-store"},
        )

    async def _asked(self, request: web.Request, given: Mapping[str, str]) -> tuple[int | None, dict[str, Any]]:
        """Return who is signed in, and the application that asks; raise HttpRefusalError when there is no such."""
        session = request.cookies.get(pages.COOKIE, "")

        def look(cursor: RealDictCursor) -> tuple[int | None, dict[str, Any] | None]:
            application = sessions.find_application(cursor, given.get("client_id", ""), given.get("redirect_uri", ""))
            return sessions.user_of(cursor, self._keys, session), application

        user, application = await self._services.query(look)
        if application is None:
            raise HttpRefusalError(400, "Client authentication failed due to unknown client or redirect URI")
        return user, application
