# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML pages and forms, and the browser session that guards them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from html import escape

from aiohttp import web

from mastodon_stand_in.errors import HttpRefusalError
from mastodon_stand_in.keys import Keys

COOKIE = "_mastodon_session"


def page(title: str, body: str = "", status: int = 200) -> web.Response:
    """Return a page; `body` is HTML."""
    text = (
        f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1>{body}"
        "<p>A stand-in for Mastodon. It is not Mastodon.</p>"
    )
    return web.Response(text=text, content_type="text/html", status=status)


def form(action: str, button: str, shown: Mapping[str, str], hidden: Mapping[str, str]) -> str:
    """Return a form: `shown` maps names to labels, `hidden` names to values."""
    inputs = [f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()]
    for name, label in shown.items():
        kind = "password" if "password" in name else "text"
        inputs.append(f'<label>{escape(label)} <input type="{kind}" name="{escape(name)}" required></label><br>')
    return f'<form method="post" action="{escape(action)}">{"".join(inputs)}<button>{escape(button)}</button></form>'


def session_of(request: web.Request) -> str:
    """Return the browser's session, a new one if it has none yet."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def keep_session(response: web.StreamResponse, session: str) -> None:
    """Let the browser keep a session."""
    response.set_cookie(COOKIE, session, secure=True, httponly=True, samesite="Lax")


def authenticity_token(keys: Keys, session: str) -> str:
    """Return what a form must send back, so that no other site can send it (Rails' protect_from_forgery)."""
    return keys.digest(f"authenticity {session}")


async def checked_form(request: web.Request, keys: Keys) -> dict[str, str]:
    """Return a form's fields; raise HttpRefusalError unless it came from a page of this session."""
    fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    wanted = authenticity_token(keys, request.cookies.get(COOKIE, ""))
    if COOKIE not in request.cookies or not hmac.compare_digest(fields.get("authenticity_token", ""), wanted):
        raise HttpRefusalError(422, "Security verification failed. Are you blocking cookies?")
    return fields
