# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis: Sidekiq's queues, its Lua, Mastodon's cache, and what streaming listens to."""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.releases import parsed
from mastodon_stand_in.settings import RedisSettings

# As sidekiq-unique-jobs does, it touches a key that is derived and so not declared in KEYS. Dragonfly refuses that by
# default: https://github.com/zoolutions/sidekiq-unique-jobs/issues/855
_LOCK_SCRIPT = """
local locked = KEYS[1] .. ':LOCKED'
redis.call('HSET', locked, ARGV[1], ARGV[2])
redis.call('PEXPIRE', locked, 60000)
return redis.call('HGET', locked, ARGV[1])
"""
_MAX_RETRIES = 25


@dataclass(frozen=True)
class WeightedQueue:
    """One `-q name,weight` of Sidekiq's command line."""

    name: str
    weight: int = 1

    @classmethod
    def parse(cls, argument: str) -> WeightedQueue:
        """Read `name` or `name,weight`."""
        name, _, weight = argument.partition(",")
        if not name or not (weight or "1").isdecimal():
            raise RefusalError(
                f"sidekiq -q {argument}: it is not a queue. Give a name, or a name and a weight as default,8."
            )
        return cls(name, int(weight or 1))


@dataclass(frozen=True)
class Sizes:
    """How many jobs are in queues, and how many failed ones wait for their next time."""

    enqueued: int
    retries: int


def shuffled(queues: Sequence[WeightedQueue], chance: random.Random) -> list[str]:
    """Return each queue once, those with more weight more often in front."""
    tickets = [queue.name for queue in queues for _ in range(queue.weight)]
    chance.shuffle(tickets)
    return list(dict.fromkeys(tickets))


class Redis:
    """One server in Mastodon's use of it."""

    def __init__(self, settings: RedisSettings) -> None:
        self.settings = settings
        self._client = redis.Redis(
            **settings.client,
            socket_connect_timeout=5,
            socket_timeout=10,
            health_check_interval=30,
        )

    def __str__(self) -> str:
        return f"Redis at {self.settings.host}:{self.settings.port}"

    def check(self) -> None:
        """Raise UnavailableError unless the server answers and takes the password."""
        with self._reachable():
            self._client.ping()

    def check_version(self, oldest: tuple[int, int]) -> None:
        """Raise RefusalError when the server is older than Sidekiq takes."""
        with self._reachable():
            version = str(self._client.info("server")["redis_version"])
        if parsed(version)[:2] < oldest:
            needed = ".".join(map(str, oldest))
            raise RefusalError(f"{self}: it is of version {version}, Sidekiq needs {needed}. Upgrade the server.")

    def check_scripts(self) -> None:
        """Raise RefusalError unless the server answers and runs scripts as sidekiq-unique-jobs needs them."""
        proof = secrets.token_hex(8)
        self.check()
        try:
            stored = self._client.eval(_LOCK_SCRIPT, 1, "uniquejobs:stand-in", "proof", proof)
        except redis.ResponseError as error:
            raise RefusalError(
                f"{self}: it refused a script that touches an undeclared key, as Sidekiq's scripts do: {_reason(error)}. "
                "On Dragonfly, start it with --default_lua_flags=allow-undeclared-keys."
            ) from error
        if stored != proof:
            raise RefusalError(
                f"{self}: a script read {stored!r} where it had just written something else. Replace it."
            )

    def sizes(self) -> Sizes:
        """Return how many jobs wait (Sidekiq::Stats)."""
        with self._reachable():
            enqueued = sum(self._client.llen(f"queue:{name}") for name in self._client.smembers("queues"))
            return Sizes(enqueued, self._client.zcard("retry"))

    def memory_used(self) -> float:
        """Return which part is used of what it may take, or of its machine's if that is less."""
        with self._reachable():
            info = self._client.info("memory")
        most = [float(info[name]) for name in ("maxmemory", "total_system_memory") if info.get(name)]
        return float(info["used_memory"]) / min(most) if most else 0

    def is_due(self, name: str, seconds: int) -> bool:
        """Return whether it is this process's turn to queue what is queued once in so many seconds (sidekiq-scheduler)."""
        with self._reachable():
            return bool(self._client.set(f"sidekiq-scheduler:{name}", "1", nx=True, ex=seconds))

    def enqueue(self, job_class: str, *arguments: object, queue: str = "default", retries: int | None = None) -> None:
        """Push a job in Sidekiq's format. One with `retries` of its own is forgotten when it has failed so often."""
        job = {
            "class": job_class,
            "args": arguments,
            "queue": queue,
            "jid": secrets.token_hex(12),
            "retry": True if retries is None else retries,
            "created_at": time.time(),
        }
        with self._reachable():
            self._client.sadd("queues", queue)
            self._client.lpush(f"queue:{queue}", json.dumps(job))

    def enqueue_mail(self, kind: str, user_id: int, *arguments: str) -> None:
        """Push the job that mails a user."""
        self.enqueue("ActionMailer::MailDeliveryJob", "UserMailer", kind, user_id, *arguments, queue="mailers")

    def take(self, queues: Sequence[str], seconds: float) -> dict[str, Any] | None:
        """Wait for a job in the first of these queues that has one."""
        with self._reachable():
            found = self._client.brpop([f"queue:{queue}" for queue in queues], timeout=seconds)
        return json.loads(found[1]) if found else None

    def retry_later(self, job: dict[str, Any]) -> bool:
        """Put a failed job aside, longer each time; False when it has failed too often and is dead."""
        count = job.get("retry_count", -1) + 1
        own = None if job["retry"] is True else int(job["retry"])
        alive = bool(count < (_MAX_RETRIES if own is None else own))
        if own is not None and not alive:
            return False
        with self._reachable():
            due = time.time() + count**4 + 5
            self._client.zadd("retry" if alive else "dead", {json.dumps({**job, "retry_count": count}): due})
        return alive

    def requeue_due(self) -> None:
        """Push those failed jobs whose time has come."""
        with self._reachable():
            for job in self._client.zrangebyscore("retry", "-inf", time.time(), start=0, num=100):
                # Another worker may have taken it meanwhile.
                if self._client.zrem("retry", job):
                    self._client.lpush(f"queue:{json.loads(job)['queue']}", job)

    def publish(self, channel: str, event: str, payload: object) -> None:
        """Tell streaming."""
        with self._reachable():
            self._client.publish(channel, json.dumps({"event": event, "payload": payload}))

    def count(self, key: str, seconds: int) -> int:
        """Count one more under a key that is forgotten after a while."""
        with self._reachable():
            number, _expires = self._client.pipeline().incr(key).expire(key, seconds).execute()
        return int(number)

    def fill(self, key: str, ids: Sequence[int]) -> None:
        """Let a list of posts have just these."""
        with self._reachable():
            self._client.delete(key)
            if ids:
                self._client.zadd(key, {str(one): one for one in ids})

    def cached(self, key: str, seconds: int, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what is cached under a key; make it first if need be. Mastodon's cache survives its upgrades."""
        key = f"cache:{key}"
        with self._reachable():
            found = self._client.get(key)
        if found:
            known: dict[str, Any] = json.loads(found)
            return known
        made = make()
        with self._reachable():
            self._client.set(key, json.dumps(made), ex=seconds)
        return made

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise UnavailableError(f"{self}: {_reason(error)}. Check REDIS_* and the server's own state.") from error


def _reason(error: Exception) -> str:
    return str(error).rstrip(".")
