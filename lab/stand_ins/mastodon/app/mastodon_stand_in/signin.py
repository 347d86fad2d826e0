# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages with which people sign up, confirm their e-mail address, sign in and get a new password."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from aiohttp import web
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import accounts, pages, registrations, sessions
from mastodon_stand_in.accounts import NewUser
from mastodon_stand_in.errors import HttpRefusalError, RefusalError
from mastodon_stand_in.passwords import SHORTEST
from mastodon_stand_in.services import Services

_PASSWORD = "user[password]"  # noqa: S105 a field
_SIGN_IN = {"user[email]": "E-mail address", _PASSWORD: "Password"}
_SIGN_UP = {"user[account_attributes][username]": "Username", **_SIGN_IN}


def add_routes(app: web.Application, services: Services) -> None:
    """Add the pages to the web application."""
    own = _SignIn(services)
    app.router.add_get("/auth/sign_in", own.sign_in_page)
    app.router.add_post("/auth/sign_in", own.sign_in)
    app.router.add_post("/auth/sign_out", own.sign_out)
    app.router.add_get("/auth/sign_up", own.sign_up_page)
    app.router.add_post("/auth", own.sign_up)
    app.router.add_get("/auth/confirmation", own.confirm)
    app.router.add_get("/auth/password/new", own.forgotten_page)
    app.router.add_get("/auth/password/edit", own.reset_page)
    app.router.add_post("/auth/password", own.password)


class _SignIn:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._keys = services.keys

    async def sign_in_page(self, request: web.Request) -> web.Response:
        return self._sign_in_page(request, "", request.query.get("return_to", ""))

    async def sign_in(self, request: web.Request) -> web.Response:
        fields = await pages.checked_form(request, self._keys)
        email, password = fields.get("user[email]", ""), fields.get(_PASSWORD, "")
        session = await self._services.query(lambda cursor: sessions.sign_in(cursor, self._keys, email, password))
        goal = fields.get("return_to", "")
        if session is None:
            return self._sign_in_page(request, "Invalid E-mail address or password.", goal)
        # Nowhere but to the page that sent the browser here.
        return _redirect(goal if goal.startswith("/oauth/authorize?") else "/", session)

    async def sign_out(self, request: web.Request) -> web.Response:
        await pages.checked_form(request, self._keys)
        session = pages.session_of(request)
        await self._services.query(lambda cursor: sessions.sign_out(cursor, self._keys, session))
        return _redirect("/auth/sign_in", session)

    async def sign_up_page(self, request: web.Request) -> web.Response:
        if await self._services.query(registrations.mode) == "none":
            return _redirect("/", pages.session_of(request))
        return self._page(request, "Sign up", "/auth", _SIGN_UP)

    async def sign_up(self, request: web.Request) -> web.Response:
        fields = await pages.checked_form(request, self._keys)
        username, email, password = (fields.get(name, "") for name in _SIGN_UP)
        _check_password(password)

        def add(cursor: RealDictCursor) -> NewUser | None:
            mode = registrations.mode(cursor)
            if mode == "none":
                return None
            return accounts.create(cursor, self._keys, username, email, approved=mode == "open", password=password)

        user = await self._services.query(add)
        if user is None:
            raise HttpRefusalError(403, "Nobody can sign up here")
        await self._mail("confirmation_instructions", user.id, user.confirmation_token or "")
        return pages.page("Check your inbox", f"<p>We sent a link to {escape(email)}.</p>")

    async def confirm(self, request: web.Request) -> web.Response:
        token = request.query.get("confirmation_token", "")
        if not await self._services.query(lambda cursor: sessions.confirm(cursor, token)):
            return pages.page("Confirmation token is invalid", status=422)
        return _redirect("/auth/sign_in", pages.session_of(request))

    async def forgotten_page(self, request: web.Request) -> web.Response:
        shown = {"user[email]": "E-mail address"}
        return self._page(request, "Request password reset", "/auth/password", shown)

    async def reset_page(self, request: web.Request) -> web.Response:
        token = request.query.get("reset_password_token", "")
        hidden = {"_method": "put", "user[reset_password_token]": token}
        return self._page(request, "Set new password", "/auth/password", {_PASSWORD: "Password"}, hidden)

    async def password(self, request: web.Request) -> web.Response:
        """Mail a token, or take a new password with one: the same address, as Rails tells the two by `_method`."""
        fields = await pages.checked_form(request, self._keys)
        if fields.get("_method") == "put":
            await self._reset(fields)
        else:
            await self._forget(fields.get("user[email]", ""))
        return _redirect("/auth/sign_in", pages.session_of(request))

    async def _forget(self, email: str) -> None:
        """Mail a token; say nothing of whether there is such a user."""
        found = await self._services.query(lambda cursor: sessions.forget_password(cursor, self._keys, email))
        if found:
            await self._mail("reset_password_instructions", *found)

    async def _reset(self, fields: Mapping[str, str]) -> None:
        token, password = fields.get("user[reset_password_token]", ""), fields.get(_PASSWORD, "")
        _check_password(password)
        user = await self._services.query(lambda cursor: sessions.reset_password(cursor, self._keys, token, password))
        if user is None:
            raise RefusalError("Reset password token is invalid")
        await self._mail("password_change", user)

    async def _mail(self, kind: str, user: int, *arguments: str) -> None:
        await self._services.run(lambda: self._services.jobs.enqueue_mail(kind, user, *arguments))

    def _sign_in_page(self, request: web.Request, trouble: str, goal: str) -> web.Response:
        return self._page(request, "Log in", "/auth/sign_in", _SIGN_IN, {"return_to": goal}, trouble)

    def _page(
        self,
        request: web.Request,
        title: str,
        action: str,
        shown: Mapping[str, str],
        hidden: Mapping[str, str] | None = None,
        trouble: str = "",
    ) -> web.Response:
        session = pages.session_of(request)
        token = {"authenticity_token": pages.authenticity_token(self._keys, session)}
        body = f"<p>{escape(trouble)}</p>" if trouble else ""
        body += pages.form(action, title, shown, {**token, **(hidden or {})})
        response = pages.page(title, body, status=422 if trouble else 200)
        pages.keep_session(response, session)
        return response


def _check_password(password: str) -> None:
    if len(password) < SHORTEST:
        raise RefusalError(f"Password is too short (minimum is {SHORTEST} characters)")


def _redirect(path: str, session: str) -> web.Response:
    response = web.Response(status=302, headers={"Location": path})
    pages.keep_session(response, session)
    return response
