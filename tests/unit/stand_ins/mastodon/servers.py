# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that the stand-in talks to, for tests without a cluster: a real PostgreSQL, Redis and S3 in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg2
from fakeredis import TcpFakeServer
from mastodon_stand_in.bucket import Bucket
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings

from ...postgresql import initialise, running


@contextmanager
def postgresql(folder: Path) -> Iterator[DatabaseSettings]:
    """Run PostgreSQL on a socket in `folder`."""
    data = folder / "data"
    initialise(data, "-U", "mastodon", "--auth=trust")
    with running(data, folder / "log", "-k", folder, "-c", "listen_addresses="):
        yield DatabaseSettings(str(folder), 5432, "postgres", "mastodon", "unused")


def connect(settings: DatabaseSettings) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(
        host=settings.host, port=settings.port, dbname=settings.name, user=settings.user, password=settings.password
    )
    connection.autocommit = True
    return connection


def execute(settings: DatabaseSettings, sql: str) -> None:
    """Run a statement that no transaction may hold, or that a test's own hand does."""
    with closing(connect(settings)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def redis_server() -> Iterator[int]:
    """Run a Redis in memory on a loopback port."""
    server = TcpFakeServer(("127.0.0.1", 0), server_version=(7, 2))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class MemoryBucket(Bucket):
    """A bucket whose objects are in a dict."""

    def __init__(self, settings: BucketSettings) -> None:
        self.settings = settings
        self.objects: dict[str, bytes] = {}

    def _call(self, operation: str, **arguments: Any) -> Any:
        if operation == "put_object":
            self.objects[arguments["Key"]] = arguments["Body"]
            return None
        if operation == "delete_object":
            return self.objects.pop(arguments["Key"], None)
        if operation == "head_bucket":
            return None
        return {"Body": BytesIO(self.objects[arguments["Key"]])}
