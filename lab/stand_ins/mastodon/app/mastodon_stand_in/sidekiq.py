# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: takes jobs from Redis, does them, and tries those that fail again."""

from __future__ import annotations

import argparse
import logging
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from mastodon_stand_in import VERSION, exporter, farewell
from mastodon_stand_in.bucket import Bucket
from mastodon_stand_in.database import Database, check
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.mail import MailSettings
from mastodon_stand_in.queues import Redis, WeightedQueue, shuffled
from mastodon_stand_in.releases import release
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings, RedisSettings, Site

_WAIT_SECONDS = 2


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Work until told to stop."""
    options = _parser().parse_args(arguments)
    queues = [WeightedQueue.parse(argument) for argument in options.queue]
    site = Site.from_environment(environment)
    worker = Worker(
        site=site,
        keys=Keys.from_environment(environment),
        mail=MailSettings.from_environment(environment, site),
        database=Database(DatabaseSettings.from_environment(environment)),
        bucket=Bucket(BucketSettings.from_environment(environment)),
        jobs=Redis(RedisSettings.from_environment(environment, "SIDEKIQ_")),
        channels=Redis(RedisSettings.from_environment(environment)),
    )
    check(worker.database, worker.keys)
    worker.bucket.check()
    worker.channels.check()
    worker.jobs.check_version(release(VERSION).redis)
    worker.jobs.check_scripts()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    exporter.beside(environment)
    with _ready_file(environment.get("MASTODON_SIDEKIQ_READY_FILENAME", "")):
        logging.info("working on %s with %s threads", ", ".join(options.queue), options.concurrency)
        _work(worker, queues, options.concurrency, stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sidekiq")
    parser.add_argument("-c", dest="concurrency", type=int, default=5)
    parser.add_argument("-q", dest="queue", action="append", required=True)
    return parser


def _work(worker: Worker, queues: list[WeightedQueue], concurrency: int, stop: threading.Event) -> None:
    threads = [threading.Thread(target=_take_jobs, args=(worker, queues, stop)) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    while not stop.wait(_WAIT_SECONDS):
        try:
            worker.jobs.requeue_due()
            if any(queue.name == "scheduler" for queue in queues):
                _schedule(worker)
        except UnavailableError as refusal:
            logging.error("%s", refusal)
    for thread in threads:
        thread.join()


def _schedule(worker: Worker) -> None:
    """Queue what is done every minute while it leaves, as sidekiq-scheduler does; no other job of its kind is here."""
    if farewell.is_on(worker.site, worker.keys) and worker.jobs.is_due(farewell.JOB, farewell.SECONDS):
        worker.jobs.enqueue(farewell.JOB, queue="scheduler", retries=0)


def _take_jobs(worker: Worker, queues: list[WeightedQueue], stop: threading.Event) -> None:
    chance = random.Random()  # noqa: S311 no secret
    while not stop.is_set():
        try:
            job = worker.jobs.take(shuffled(queues, chance), _WAIT_SECONDS)
            if job is not None:
                _do(worker, job)
        except UnavailableError as refusal:
            logging.error("%s", refusal)
            stop.wait(_WAIT_SECONDS)


def _do(worker: Worker, job: dict[str, Any]) -> None:
    try:
        worker.perform(job)
        logging.info("did %s %s from queue %s", job["class"], job["jid"], job["queue"])
    except Exception as error:
        again = "it will be tried again" if worker.jobs.retry_later(job) else "it has failed too often and is dead"
        logging.error("%s %s failed, %s: %s", job["class"], job["jid"], again, error)


@contextmanager
def _ready_file(name: str) -> Iterator[None]:
    """Keep `tmp/<name>` for as long as jobs are taken; the chart's readiness probe looks for it."""
    if name != PurePath(name).name:
        raise RefusalError(f"MASTODON_SIDEKIQ_READY_FILENAME: {name} is not a bare file name. It is put into tmp/.")
    if not name:
        yield
        return
    file = Path("tmp") / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
