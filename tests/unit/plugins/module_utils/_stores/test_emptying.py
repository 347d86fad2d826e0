# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Mastodon queued and cached is deleted, on a server in memory, and what others keep there is not."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import redis
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import Server
from ansible_collections.fediverse.mastodon.tests.unit.stand_ins.mastodon.servers import redis_server as in_memory


@pytest.fixture
def port() -> Iterator[int]:
    with in_memory() as found:
        yield found


def test_only_what_mastodon_queued_and_cached_is_deleted(port: int) -> None:
    client = redis.Redis(port=port)
    client.sadd("queues", "default", "push")
    client.lpush("queue:default", *(str(number) for number in range(3)))
    client.lpush("queue:push", "job")
    for name in ("schedule", "retry", "dead"):
        client.zadd(name, {"job": 1})
    theirs = ("uniquejobs:digests", "cache:a", "feed:home:1", "feed:home:1:reblogs")
    others = ("mine", "cached", "queue", "stat:processed", "their:cache:a")
    for name in (*theirs, *others):
        client.set(name, "1")
    for number in range(2500):
        client.set(f"cache:many:{number}", "1")
    server = Server("Redis", "cache", port, "Secret r", lambda: socket.create_connection(("127.0.0.1", port)))
    found = redis_server.empty(server, "")
    assert (found.jobs, found.keys) == (7, 2 + 1 + 3 + len(theirs) + 2500)
    assert {key.decode() for key in client.scan_iter()} == set(others)
    assert redis_server.empty(server, "") == redis_server.Emptied(0, 0)
