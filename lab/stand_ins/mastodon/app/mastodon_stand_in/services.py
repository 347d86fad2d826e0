# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the web process uses: database, cache, bucket and keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from psycopg2.extras import RealDictCursor

from mastodon_stand_in.bucket import Bucket
from mastodon_stand_in.database import Database, check
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings, RedisSettings, Site

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """What requests use. `query` and `run` keep blocking calls off the event loop."""

    site: Site
    keys: Keys
    database: Database
    bucket: Bucket
    jobs: Redis
    cache: Redis
    threads: ThreadPoolExecutor

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Services:
        """Read all settings; raise RefusalError at the first that is wrong."""
        database = DatabaseSettings.from_environment(environment)
        return cls(
            site=Site.from_environment(environment),
            keys=Keys.from_environment(environment),
            database=Database(database),
            bucket=Bucket(BucketSettings.from_environment(environment)),
            jobs=Redis(RedisSettings.from_environment(environment, "SIDEKIQ_")),
            cache=Redis(RedisSettings.from_environment(environment, "CACHE_")),
            threads=ThreadPoolExecutor(max_workers=database.threads),
        )

    def check(self) -> None:
        """Raise RefusalError unless everything is there and takes what it is given."""
        check(self.database, self.keys)
        self.bucket.check()
        self.jobs.check()
        self.cache.check()

    async def query(self, ask: Callable[[RealDictCursor], T]) -> T:
        """Run `ask` in a transaction."""

        def transaction() -> T:
            with self.database.transaction() as cursor:
                return ask(cursor)

        return await self.run(transaction)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a blocking call in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, call)
