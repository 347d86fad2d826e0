# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apps use: upload a picture, post, read, be told by web push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from psycopg2.extras import RealDictCursor

from mastodon_stand_in import discovery, edge, notifications, pictures, registrations, sessions, statuses
from mastodon_stand_in.accounts import Account, only
from mastodon_stand_in.errors import HttpRefusalError, RefusalError
from mastodon_stand_in.push import Subscription
from mastodon_stand_in.services import Services

# When /api/v1/instance was deprecated, 2022-11-14, as upstream's header says it.
_DEPRECATED = "@1668384000"


def add_routes(app: web.Application, services: Services) -> None:
    """Add the API to the web application."""
    api = _Api(services)
    app.router.add_get("/api/v2/instance", api.instance)
    app.router.add_get("/api/v1/instance", api.instance_v1)
    app.router.add_get("/api/v1/streaming{rest:.*}", api.misrouted_streaming)
    app.router.add_get("/api/v1/accounts/verify_credentials", api.verify_credentials)
    app.router.add_post("/api/v2/media", api.upload)
    app.router.add_get("/api/v1/media/{id:\\d{1,18}}", api.media)
    app.router.add_post("/api/v1/push/subscription", api.subscribe)
    app.router.add_delete("/api/v1/push/subscription", api.unsubscribe)
    app.router.add_post("/api/v1/statuses", api.post)
    app.router.add_get("/api/v1/statuses/{id:\\d{1,18}}", api.status)
    app.router.add_get("/api/v1/timelines/public", api.public_timeline)


def usage(cursor: RealDictCursor) -> tuple[int, int]:
    """Return how many users and local posts there are."""
    cursor.execute(
        "SELECT (SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL) AS users,"
        " (SELECT count(*) FROM statuses) AS posts"
    )
    row = only(cursor)
    return row["users"], row["posts"]


class _Api:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._site = services.site
        self._media_url = services.bucket.settings.public_url

    async def instance(self, request: web.Request) -> web.Response:
        await self._check_open(request)
        users, _posts = await self._services.query(usage)
        mode = await self._services.query(registrations.mode)
        document = discovery.instance(self._site, self._services.keys.vapid_public_key, users, mode)
        return web.json_response(document, headers={"Cache-Control": "max-age=180, public"})

    async def instance_v1(self, request: web.Request) -> web.Response:
        await self._check_open(request)
        document = discovery.instance_v1(self._site, *await self._services.query(usage))
        return web.json_response(document, headers={"Deprecation": _DEPRECATED})

    async def misrouted_streaming(self, request: web.Request) -> web.Response:
        """Answer what should have gone to streaming; it tells whoever set up the routes."""
        base = self._site.streaming_base_url
        if base == f"wss://{self._site.web_domain}":
            raise web.HTTPNotFound
        return web.Response(status=301, headers={"Location": base.replace("wss://", "https://", 1) + request.path_qs})

    async def verify_credentials(self, request: web.Request) -> web.Response:
        account = await self._signed_in(request)
        role = {"name": account.role or ""}
        return web.json_response({"id": str(account.id), "username": account.username, "role": role})

    async def upload(self, request: web.Request) -> web.Response:
        account = await self._signed_in(request)
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise RefusalError("Validation failed: File can't be blank")
        data, description = file.file.read(), form.get("description")
        picture = await self._services.run(lambda: pictures.inspect(data, str(description) if description else None))

        def store(cursor: RealDictCursor) -> dict[str, Any]:
            row = statuses.add_picture(cursor, account, picture)
            self._services.bucket.put(row["file_key"], data, picture.content_type)
            return row

        # In one transaction: no row without its object.
        row = await self._services.query(store)
        await self._services.run(lambda: self._services.jobs.enqueue("PostProcessMediaWorker", row["id"]))
        return web.json_response(statuses.show_picture(self._media_url, row), status=202)

    async def media(self, request: web.Request) -> web.Response:
        """Show a picture to who uploaded it; 206 means that a worker is not done with it yet."""
        account = await self._signed_in(request)
        row = await self._services.query(lambda cursor: statuses.find_picture(cursor, int(request.match_info["id"])))
        if row is None or row["account_id"] != account.id:
            return edge.error(404, "Record not found")
        shown = statuses.show_picture(self._media_url, row)
        return web.json_response(shown, status=200 if row["processed_at"] else 206)

    async def subscribe(self, request: web.Request) -> web.Response:
        """Push to this app from now on (https://docs.joinmastodon.org/methods/push/)."""
        await self._signed_in(request)
        given = await edge.parameters(request)
        subscription = _subscription(given)
        token = _token(request)
        await self._services.query(lambda cursor: notifications.subscribe(cursor, token, subscription))
        key = self._services.keys.vapid_public_key
        return web.json_response({"endpoint": subscription.endpoint, "alerts": {"mention": True}, "server_key": key})

    async def unsubscribe(self, request: web.Request) -> web.Response:
        await self._signed_in(request)
        token = _token(request)
        await self._services.query(lambda cursor: notifications.unsubscribe(cursor, token))
        return web.json_response({})

    async def post(self, request: web.Request) -> web.Response:
        account = await self._signed_in(request)
        form = await edge.parameters(request)
        text, visibility = str(form.get("status") or ""), str(form.get("visibility") or "public")
        media_ids = form.get("media_ids") or form.get("media_ids[]") or []
        if not isinstance(media_ids, list):
            raise RefusalError("Validation failed: Media ids must be a list")

        def add(cursor: RealDictCursor) -> dict[str, Any]:
            status = statuses.add(cursor, account, text, visibility, [str(number) for number in media_ids])
            return statuses.find(cursor, status) or {}

        row = await self._services.query(add)
        await self._services.run(lambda: self._services.jobs.enqueue("DistributionWorker", row["id"]))
        return web.json_response(statuses.show(self._site, self._media_url, row))

    async def status(self, request: web.Request) -> web.Response:
        await self._check_open(request)
        row = await self._services.query(lambda cursor: statuses.find(cursor, int(request.match_info["id"])))
        if row is None or row["visibility"] not in ("public", "unlisted"):
            return edge.error(404, "Record not found")
        return web.json_response(statuses.show(self._site, self._media_url, row))

    async def public_timeline(self, request: web.Request) -> web.Response:
        await self._check_open(request)
        limit = request.query.get("limit", "20")
        rows = await self._services.query(
            lambda cursor: statuses.newest_public(cursor, min(int(limit) if limit.isdecimal() else 20, 40))
        )
        return web.json_response([statuses.show(self._site, self._media_url, row) for row in rows])

    async def _check_open(self, request: web.Request) -> None:
        if self._site.api_is_closed:
            await self._signed_in(request)

    async def _signed_in(self, request: web.Request) -> Account:
        token = _token(request)
        account = await self._services.query(lambda cursor: sessions.signed_in(cursor, token))
        if account is None:
            raise HttpRefusalError(401, "The access token is invalid")
        if not account.is_active:
            reason = "missing a confirmed e-mail address" if account.is_approved else "currently pending approval"
            raise HttpRefusalError(403, f"Your login is {reason}")
        return account


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _subscription(given: Mapping[str, Any]) -> Subscription:
    """Read a subscription from JSON, where it is nested, or from a form."""
    nested = given.get("subscription")
    if isinstance(nested, dict) and isinstance(nested.get("keys"), dict):
        fields = {**nested, **nested["keys"]}
    else:
        fields = {name.strip("]").rpartition("[")[2]: value for name, value in given.items()}
    return Subscription(*(str(fields.get(name) or "") for name in ("endpoint", "p256dh", "auth")))
