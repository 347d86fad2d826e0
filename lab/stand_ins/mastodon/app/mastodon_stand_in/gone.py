# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mastodon that leaves answers: 410, but for signing in and for what is no page of Rails' ApplicationController."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from mastodon_stand_in import edge, pages
from mastodon_stand_in.farewell import is_on
from mastodon_stand_in.services import Services

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

# Controllers that skip check_self_destruct!, or that are none of ApplicationController's.
_GO_ON = ("/health", "/.well-known/", "/nodeinfo/", "/auth/sign_in", "/auth/sign_out", "/auth/edit", "/settings/export")


def middleware(services: Services) -> Middleware:
    """Return what answers in place of the pages that are gone."""
    leaves = is_on(services.site, services.keys)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not leaves or request.path.startswith(_GO_ON):
            return await handler(request)
        if "json" in request.headers.get("Accept", "") or request.path.startswith("/api/"):
            return edge.error(410, "Gone")
        return pages.page("This server is closing down", status=410)

    return guard
