# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The streaming process, which upstream runs in Node: new statuses, as they come, over WebSockets."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

import redis.asyncio
from aiohttp import WSMsgType, web

from mastodon_stand_in import edge, sessions
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.database import Database
from mastodon_stand_in.errors import HttpRefusalError, UnavailableError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import DatabaseSettings, RedisSettings
from mastodon_stand_in.sockets import listening

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_PING_SECONDS = 30
# What plain requests may ask for, by their paths (channelNameFromPath).
_CHANNELS = frozenset(
    [
        "user",
        "user/notification",
        "public",
        "public/local",
        "public/remote",
        "hashtag",
        "hashtag/local",
        "direct",
        "list",
    ]
)
_SUBSCRIBE_SECONDS = 5


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Serve on PORT until told to stop."""
    keys = Keys.from_environment(environment)
    database = Database(DatabaseSettings.for_streaming(environment))
    settings = RedisSettings.from_environment(environment)
    with database.transaction() as cursor:
        cursor.execute("SELECT 1")
    Redis(settings).check()
    sock = listening(environment, 4000)
    logging.info("streaming on port %s", sock.getsockname()[1])
    app = application(Streaming(keys, database, settings))
    web.run_app(app, sock=sock, print=None, access_log=None, shutdown_timeout=5)


def application(streaming: Streaming) -> web.Application:
    """Return the web application. Any host may ask: there is no host authorisation in upstream's either."""
    app = web.Application(middlewares=[_for_every_site])
    app.router.add_get("/api/v1/streaming/health", streaming.health)
    app.router.add_get("/metrics", streaming.metrics)
    app.router.add_get("/api/v1/streaming{channel:.*}", streaming.stream)
    return app


@web.middleware
async def _for_every_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let scripts of every site read the answers; an Upgrade is past what upstream's `cors()` sees."""
    if request.method == "OPTIONS":
        response: web.StreamResponse = web.Response(
            status=204, headers={"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE"}
        )
    else:
        response = await handler(request)
    if not _is_upgrade(request):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


class Streaming:
    """One WebSocket a client, one subscription to Redis a WebSocket."""

    def __init__(self, keys: Keys, database: Database, settings: RedisSettings) -> None:
        self._keys = keys
        self._database = database
        self._settings = settings
        self._listening = 0

    async def health(self, request: web.Request) -> web.Response:
        """Say OK; it tells that a request reached streaming and not the web process."""
        return web.Response(text="OK", headers={"Cache-Control": "private, no-store"})

    async def metrics(self, request: web.Request) -> web.Response:
        """Count those who listen (streaming/metrics.js)."""
        return web.Response(text=f"# TYPE connected_clients gauge\nconnected_clients {self._listening}\n")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send a signed-in client what is published in the stream it asks for, as long as it listens."""
        if not _is_upgrade(request) and request.match_info["channel"].strip("/") not in _CHANNELS:
            return edge.error(400, "Unknown channel requested")
        try:
            account = await self._signed_in(request)
        except HttpRefusalError as refusal:
            return _refused(request, refusal.status, str(refusal))
        except UnavailableError as refusal:
            logging.error("%s", refusal)
            return _refused(request, 503, "The database cannot be reached")
        stream = request.query.get("stream", "user")
        channels = channels_of(stream, account)
        if not channels:
            return _refused(request, 400, "Unknown stream type")
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS)
        if not socket.can_prepare(request):
            return edge.error(426, "Use a WebSocket")
        settings = self._settings
        try:
            async with _client(settings) as client, client.pubsub(ignore_subscribe_messages=True) as subscription:
                await _subscribe(subscription, channels)
                await socket.prepare(request)
                logging.info("%s listens to %s", account.username, stream)
                await self._counted(_serve(socket, stream, subscription))
        except redis.RedisError as error:
            logging.error("Redis at %s:%s: %s", settings.host, settings.port, error)
            return socket if socket.prepared else edge.error(503, "Redis cannot be reached")
        return socket

    async def _counted(self, listening: Awaitable[None]) -> None:
        self._listening += 1
        try:
            await listening
        finally:
            self._listening -= 1

    async def _signed_in(self, request: web.Request) -> Account:
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = header or request.query.get("access_token") or request.headers.get("Sec-WebSocket-Protocol")
        if not token:
            raise HttpRefusalError(401, "Missing access token")

        def look() -> Account | None:
            with self._database.transaction() as cursor:
                return sessions.signed_in(cursor, token)

        account = await asyncio.to_thread(look)
        if account is None or not account.is_active:
            raise HttpRefusalError(401, "Invalid access token")
        return account


def _is_upgrade(request: web.Request) -> bool:
    return "upgrade" in request.headers.get("Connection", "").lower()


def _refused(request: web.Request, status: int, sentence: str) -> web.Response:
    """Refuse as Express does, or an Upgrade as streaming/index.js writes it to the socket: without a body, and closed."""
    if not _is_upgrade(request):
        return edge.error(status, sentence)
    response = web.Response(status=status, headers={"X-Error-Message": sentence}, content_type="text/plain")
    response.force_close()
    return response


async def _serve(socket: web.WebSocketResponse, stream: str, subscription: redis.asyncio.client.PubSub) -> None:
    sending = asyncio.create_task(_send(socket, stream, subscription))
    try:
        # Until the client closes; what it says is not needed.
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def _client(settings: RedisSettings) -> redis.asyncio.Redis:
    return redis.asyncio.Redis(**settings.client)


async def _subscribe(subscription: redis.asyncio.client.PubSub, channels: tuple[str, ...]) -> None:
    """Subscribe and wait until Redis says so: a client that has its WebSocket misses nothing."""
    await subscription.subscribe(*channels)
    for _channel in channels:
        await subscription.get_message(timeout=_SUBSCRIBE_SECONDS)


async def _send(socket: web.WebSocketResponse, stream: str, subscription: redis.asyncio.client.PubSub) -> None:
    """Pass on what is published; end the WebSocket when Redis is gone."""
    try:
        async for message in subscription.listen():
            await socket.send_str(frame(stream, message["data"]))
    except redis.RedisError as error:
        logging.error("Redis has gone: %s", error)
        await socket.close()


def channels_of(stream: str, account: Account) -> tuple[str, ...]:
    """Return the Redis channels of a stream; none when there is no such stream."""
    channels = {
        "user": (f"timeline:{account.id}", f"timeline:{account.id}:notifications"),
        "user:notification": (f"timeline:{account.id}:notifications",),
        "public": ("timeline:public",),
        "public:local": ("timeline:public:local",),
    }
    return channels.get(stream, ())


def frame(stream: str, published: str) -> str:
    """Return what a client receives of a published event: its payload is JSON inside JSON, as upstream."""
    event: dict[str, Any] = json.loads(published)
    return json.dumps({"stream": [stream], "event": event["event"], "payload": json.dumps(event["payload"])})
