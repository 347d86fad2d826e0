# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from mastodon_stand_in import streaming
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import RedisSettings
from mastodon_stand_in.streaming import Streaming

from .browser import Browser, add_alice, visit
from .servers import redis_server

T = TypeVar("T")


@pytest.fixture
def token(services: Services) -> str:
    add_alice(services)

    async def scenario(browser: Browser) -> str:
        return await browser.token()

    return visit(services, scenario).removeprefix("Bearer ")


def listen(services: Services, settings: RedisSettings, scenario: Callable[[Any], Awaitable[T]]) -> T:
    async def run() -> T:
        app = streaming.application(Streaming(services.keys, services.database, settings))
        async with TestClient(TestServer(app)) as client:
            return await scenario(client)

    return asyncio.run(run())


@pytest.mark.parametrize("way", ["header", "query", "protocol"])
def test_what_is_published_from_the_first_moment_arrives(
    services: Services, redis_settings: RedisSettings, token: str, way: str
) -> None:
    given: dict[str, Any] = {
        "header": {"headers": {"Authorization": f"Bearer {token}"}},
        "query": {"params": {"access_token": token, "stream": "public"}},
        "protocol": {"protocols": [token]},
    }[way]

    async def scenario(client: Any) -> Any:
        path = "/api/v1/streaming" if way == "query" else "/api/v1/streaming?stream=public"
        async with client.ws_connect(path, **given) as socket:
            services.jobs.publish("timeline:public", "update", {"id": "7"})
            return await socket.receive_json(timeout=30)

    frame = listen(services, redis_settings, scenario)
    assert (frame["stream"], frame["event"], json.loads(frame["payload"])) == (["public"], "update", {"id": "7"})


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/streaming", 401, "Missing access token"),
        ("/api/v1/streaming?access_token=wrong", 401, "Invalid access token"),
        ("/api/v1/streaming?stream=nonsense&access_token={token}", 400, "Unknown stream type"),
    ],
)
def test_who_may_not_listen_is_refused_without_a_body(
    services: Services, redis_settings: RedisSettings, token: str, path: str, status: int, said: str
) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    async def scenario(client: Any) -> None:
        with pytest.raises(WSServerHandshakeError) as refusal:
            await client.ws_connect(path.format(token=token))
        assert refusal.value.status == status
        answer = await client.get(path.format(token=token), headers=upgrade)
        assert (answer.status, await answer.text(), answer.headers["X-Error-Message"]) == (status, "", said)
        assert answer.headers["Connection"] == "close"
        assert "Access-Control-Allow-Origin" not in answer.headers

    listen(services, redis_settings, scenario)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        # What is no channel by its path is refused before anybody is asked who they are.
        ("/api/v1/streaming", 400, "Unknown channel requested"),
        ("/api/v1/streaming/nonsense", 400, "Unknown channel requested"),
        ("/api/v1/streaming/user", 401, "Missing access token"),
        ("/api/v1/streaming/public?access_token=wrong", 401, "Invalid access token"),
    ],
)
def test_plain_requests_are_refused_as_the_api_does_and_for_every_site(
    services: Services, redis_settings: RedisSettings, path: str, status: int, error: str
) -> None:
    async def scenario(client: Any) -> None:
        answer = await client.get(path)
        assert (answer.status, await answer.json()) == (status, {"error": error})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        asked = await client.options(path)
        assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")

    listen(services, redis_settings, scenario)


def test_health_says_that_a_request_reached_streaming(services: Services, redis_settings: RedisSettings) -> None:
    async def scenario(client: Any) -> tuple[int, str, str]:
        answer = await client.get("/api/v1/streaming/health")
        return answer.status, await answer.text(), answer.headers["Cache-Control"]

    assert listen(services, redis_settings, scenario) == (200, "OK", "private, no-store")


@pytest.mark.parametrize(
    ("stream", "channels"),
    [
        ("user", ("timeline:7", "timeline:7:notifications")),
        ("user:notification", ("timeline:7:notifications",)),
        ("public", ("timeline:public",)),
        ("public:local", ("timeline:public:local",)),
        ("", ()),
    ],
)
def test_a_stream_is_made_of_channels(alice: Account, stream: str, channels: tuple[str, ...]) -> None:
    assert streaming.channels_of(stream, alice) == channels


def test_without_redis_there_is_no_stream(services: Services, token: str) -> None:
    with redis_server() as port:
        gone = RedisSettings("127.0.0.1", port, None, None)

    async def scenario(client: Any) -> int:
        with pytest.raises(WSServerHandshakeError) as refusal:
            await client.ws_connect(f"/api/v1/streaming?access_token={token}")
        return int(refusal.value.status)

    assert listen(services, gone, scenario) == 503
