# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import time
from collections import Counter

import pytest
import redis
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.queues import Redis, WeightedQueue, shuffled
from mastodon_stand_in.settings import RedisSettings

from .servers import redis_server


@pytest.mark.parametrize(
    ("argument", "queue"), [("default,8", WeightedQueue("default", 8)), ("pull", WeightedQueue("pull", 1))]
)
def test_queues_are_read_from_the_command_line(argument: str, queue: WeightedQueue) -> None:
    assert WeightedQueue.parse(argument) == queue


@pytest.mark.parametrize("argument", ["", ",8", "default,high", "default,-1"])
def test_what_is_no_queue_is_refused(argument: str) -> None:
    with pytest.raises(RefusalError, match="it is not a queue"):
        WeightedQueue.parse(argument)


def test_every_queue_gets_its_turn_and_heavy_ones_more_often() -> None:
    queues = [WeightedQueue("default", 8), WeightedQueue("pull")]
    chance = random.Random(1)
    orders = [shuffled(queues, chance) for _unused in range(1000)]
    assert all(sorted(order) == ["default", "pull"] for order in orders)
    first = Counter(order[0] for order in orders)
    assert 800 < first["default"] < 960


def test_scripts_may_touch_keys_that_they_did_not_declare(jobs: Redis) -> None:
    jobs.check_scripts()


def test_a_server_that_refuses_such_scripts_is_refused(jobs: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise redis.ResponseError("script tried accessing undeclared key")

    monkeypatch.setattr(jobs._client, "eval", refuse)
    with pytest.raises(RefusalError, match="start it with --default_lua_flags=allow-undeclared-keys"):
        jobs.check_scripts()


@pytest.mark.parametrize(("version", "is_taken"), [("6.2.14", False), ("7.0.0", True), ("7.2.4", True), ("10.0", True)])
def test_too_old_a_server_is_refused(
    jobs: Redis, monkeypatch: pytest.MonkeyPatch, version: str, is_taken: bool
) -> None:
    monkeypatch.setattr(jobs._client, "info", lambda _section: {"redis_version": version})
    if is_taken:
        jobs.check_version((7, 0))
    else:
        with pytest.raises(RefusalError, match=r"it is of version 6\.2\.14, Sidekiq needs 7\.0"):
            jobs.check_version((7, 0))


def test_jobs_are_taken_in_order_and_wait_for_none(jobs: Redis) -> None:
    jobs.enqueue("A", 1)
    jobs.enqueue("B", 2, queue="pull")
    taken = [jobs.take(["pull", "default"], 0.05) for _again in range(3)]
    assert [job and (job["class"], job["args"]) for job in taken] == [("B", [2]), ("A", [1]), None]


def test_a_failed_job_comes_back_and_dies_in_the_end(jobs: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.enqueue("A")
    job = jobs.take(["default"], 0.05)
    assert job
    assert jobs.retry_later(job)
    jobs.requeue_due()
    assert jobs.take(["default"], 0.05) is None
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    jobs.requeue_due()
    again = jobs.take(["default"], 0.05)
    assert again
    assert again["retry_count"] == 0
    assert not jobs.retry_later({**job, "retry_count": 24})


def test_a_server_that_is_away_is_one_sentence() -> None:
    with redis_server() as port:
        pass
    with pytest.raises(UnavailableError, match=rf"^Redis at 127\.0\.0\.1:{port}: .*Check REDIS_"):
        Redis(RedisSettings("127.0.0.1", port, None, "password")).check()


def test_what_is_cached_is_made_once(jobs: Redis) -> None:
    made = iter([{"a": 1}, {"a": 2}])
    assert [jobs.cached("key", 60, lambda: next(made)) for _again in range(2)] == [{"a": 1}] * 2
