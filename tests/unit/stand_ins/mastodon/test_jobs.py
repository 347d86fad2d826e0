# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import threading
from dataclasses import replace
from ipaddress import ip_network

import pytest
from mastodon_stand_in import accounts, notifications, pictures, sessions, statuses
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.push import Subscription
from mastodon_stand_in.queues import WeightedQueue
from mastodon_stand_in.services import Services
from mastodon_stand_in.sidekiq import _work

from .browser import PASSWORD, add_alice, work
from .conftest import picture
from .servers import MemoryBucket
from .test_push import SUBSCRIPTION, push_service, read_by_the_browser


@pytest.fixture
def alice(services: Services) -> Account:
    return added(services, "alice")


def added(services: Services, name: str) -> Account:
    add_alice(services, name, f"{name}@lab.test")
    with services.database.transaction() as cursor:
        account = accounts.find(cursor, name)
    assert account
    return account


def posted(services: Services, author: Account, text: str) -> int:
    with services.database.transaction() as cursor:
        number = statuses.add(cursor, author, text, "public", [])
    services.jobs.enqueue("DistributionWorker", number)
    return number


def subscribed(services: Services, account: Account, endpoint: str) -> int:
    """Let an app of this account be pushed to; return the subscription."""
    with services.database.transaction() as cursor:
        app = sessions.add_application(cursor, "app", "https://app.test/", "push")
        user = accounts.find_user(cursor, f"{account.username}@lab.test")
        assert user
        code = sessions.grant(cursor, app, user["user_id"])
        token = sessions.token_for(cursor, code, app["uid"], app["secret"], app["redirect_uri"])
        notifications.subscribe(cursor, token or "", replace(SUBSCRIPTION, endpoint=endpoint))
        (number,) = notifications.subscribed(cursor, account)
    return number


def near(worker: Worker) -> Worker:
    return replace(worker, site=replace(worker.site, allowed_private_addresses=(ip_network("127.0.0.0/8"),)))


def subscription_of(services: Services, token: str) -> Subscription | None:
    with services.database.transaction() as cursor:
        return notifications.subscription(cursor, token)


def test_a_post_reaches_its_streams_once(services: Services, worker: Worker, alice: Account) -> None:
    with services.jobs._client.pubsub() as listener:
        listener.subscribe("timeline:public", f"timeline:{alice.id}")
        # What is published before a server has confirmed is lost.
        assert {listener.get_message(timeout=30)["type"] for _channel in range(2)} == {"subscribe"}
        number = posted(services, alice, "Hello")
        services.jobs.enqueue("DistributionWorker", number)
        assert work(worker) == ["DistributionWorker"] * 2
        heard = []
        while message := listener.get_message(timeout=30 if len(heard) < 2 else 0.2):
            heard.append((message["channel"], json.loads(message["data"])["payload"]["id"]))
    assert sorted(heard) == sorted([("timeline:public", str(number)), (f"timeline:{alice.id}", str(number))])


def test_who_is_mentioned_is_pushed_to(services: Services, worker: Worker, alice: Account) -> None:
    bob = added(services, "bob")
    with push_service() as (endpoint, got):
        subscribed(services, bob, endpoint)
        posted(services, alice, "Hi @bob, @nobody and @alice")
        assert work(near(worker)) == ["DistributionWorker", "Web::PushNotificationWorker"]
    ((_headers, body),) = got
    reported = read_by_the_browser(body)
    assert (reported["title"], reported["body"]) == ("You were mentioned by alice", "Hi @bob, @nobody and @alice")


def test_a_browser_that_is_gone_is_forgotten(services: Services, worker: Worker, alice: Account) -> None:
    bob = added(services, "bob")
    with push_service(410) as (endpoint, _got):
        token = subscribed(services, bob, endpoint)
        posted(services, alice, "@bob")
        work(near(worker))
    assert subscription_of(services, token) is None


def test_a_push_service_in_trouble_is_tried_again(services: Services, worker: Worker, alice: Account) -> None:
    bob = added(services, "bob")
    with push_service(503) as (endpoint, _got):
        token = subscribed(services, bob, endpoint)
        posted(services, alice, "@bob")
        with pytest.raises(UnavailableError, match="it answers 503"):
            work(near(worker))
    assert subscription_of(services, token)


def test_an_upload_that_changed_in_the_bucket_is_seen(
    services: Services, worker: Worker, alice: Account, bucket: MemoryBucket
) -> None:
    with services.database.transaction() as cursor:
        row = statuses.add_picture(cursor, alice, pictures.inspect(picture(), None))
    bucket.objects[row["file_key"]] = b"something else"
    with pytest.raises(RefusalError, match="holds other bytes than were uploaded"):
        worker.perform({"class": "PostProcessMediaWorker", "args": [row["id"]], "jid": "1"})


def test_a_job_that_nobody_knows_is_refused(worker: Worker) -> None:
    with pytest.raises(RefusalError, match="Job 1: ScheduledStatusWorker is not known"):
        worker.perform({"class": "ScheduledStatusWorker", "args": [], "jid": "1"})


def test_the_process_does_jobs_and_sets_failed_ones_aside(services: Services, worker: Worker, alice: Account) -> None:
    stop = threading.Event()
    number = posted(services, alice, "Hello")
    services.jobs.enqueue("NoSuchWorker", 1)
    process = threading.Thread(target=_work, args=(worker, [WeightedQueue("default")], 2, stop))
    process.start()
    try:
        for _tick in range(500):
            with services.database.transaction() as cursor:
                status = statuses.find(cursor, number)
            if status and status["distributed_at"] and services.jobs._client.zcard("retry"):
                break
            stop.wait(0.02)
        else:
            raise AssertionError(status)
    finally:
        stop.set()
        process.join()
    (failed,) = services.jobs._client.zrange("retry", 0, -1)
    assert (json.loads(failed)["class"], json.loads(failed)["retry_count"]) == ("NoSuchWorker", 0)
    assert PASSWORD not in failed
