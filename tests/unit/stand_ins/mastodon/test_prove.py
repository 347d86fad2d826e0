# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `lab/prove` asks of Mastodon, asked of the stand-in: web, worker and streaming as in a cluster."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from mastodon_lab.proof.post import post_a_picture
from mastodon_lab.proof.session import sign_in
from mastodon_lab.proof.site import Answer, Site
from mastodon_stand_in import streaming, tootctl, web
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.queues import WeightedQueue
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import RedisSettings
from mastodon_stand_in.sidekiq import _work
from mastodon_stand_in.streaming import Streaming

from .servers import MemoryBucket


class Loopback(Site):
    """A site whose processes are on loopback, and whose command line is in this process."""

    web: int
    streaming: int
    bucket: MemoryBucket
    pod: dict[str, str]
    printed: Any

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": "social.lab.test", "X-Forwarded-Proto": "https", **named})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, response.headers.get_content_type(), response.read(), found)

    def connect(self) -> Any:
        return socket.create_connection(("127.0.0.1", self.streaming), 30)

    def fetch(self, url: str) -> Answer:
        return Answer(200, "image/png", self.bucket.objects[url.removeprefix(f"{self.bucket.settings.public_url}/")])

    def in_namespace(self, *arguments: str) -> str:
        tootctl.main([*arguments[arguments.index("tootctl") + 1 :]], self.pod)
        return str(self.printed().out)


@pytest.fixture
def running(services: Services, worker: Worker, redis_settings: RedisSettings) -> Iterator[tuple[int, int]]:
    """Run the three processes; give the ports of web and streaming."""
    loop = asyncio.new_event_loop()
    served = [
        TestServer(web.application(services)),
        TestServer(streaming.application(Streaming(services.keys, services.database, redis_settings))),
    ]
    for server in served:
        loop.run_until_complete(server.start_server())
    stop = threading.Event()
    threads = [
        threading.Thread(target=loop.run_forever),
        threading.Thread(target=_work, args=(worker, [WeightedQueue("default")], 1, stop)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield served[0].port or 0, served[1].port or 0
    finally:
        stop.set()
        for server in served:
            asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        for thread in threads:
            thread.join()
        loop.close()


def test_the_stand_in_satisfies_the_proof(
    running: tuple[int, int],
    environment: dict[str, str],
    services: Services,
    redis_settings: RedisSettings,
    bucket: MemoryBucket,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database = services.database.settings
    servers = {"DB_HOST": database.host, "DB_NAME": database.name, "DB_USER": database.user}
    cache = {"REDIS_HOST": redis_settings.host, "REDIS_PORT": str(redis_settings.port), "REDIS_PASSWORD": ""}
    site = Loopback("127.0.0.1", (), "", "", "")
    for name, value in {
        "web": running[0],
        "streaming": running[1],
        "bucket": bucket,
        "pod": {**environment, **servers, **cache},
        "printed": capsys.readouterr,
    }.items():
        object.__setattr__(site, name, value)
    number, lines = post_a_picture(sign_in(site))
    assert number.isdecimal()
    assert [line for line in lines if "delivered" in line or "anyone reads it" in line] == lines[1:]
