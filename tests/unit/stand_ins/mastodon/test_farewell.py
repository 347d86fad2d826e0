# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from mastodon_stand_in import accounts, farewell, tootctl, web
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.farewell import Farewell
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.services import Services

from .servers import execute

HTTPS = {"Host": "social.lab.test", "X-Forwarded-Proto": "https"}


@pytest.fixture
def leaving(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Sidekiq of a Mastodon that leaves, and that may deliver to loopback. Redis in memory knows no INFO."""
    monkeypatch.setattr(Redis, "memory_used", lambda self: 0.49)
    value = farewell.value(worker.site, worker.keys)
    site = replace(worker.site, self_destruct=value, allowed_private_addresses=(ip_network("127.0.0.0/8"),))
    return replace(worker, site=site)


def known(worker: Worker, *inboxes: str) -> None:
    """Let other servers be known, each by two accounts."""
    for number, inbox in enumerate(inboxes):
        for name in ("bob", "carol"):
            execute(
                worker.database.settings,
                "INSERT INTO accounts (username, domain, uri, inbox_url, shared_inbox_url)"  # noqa: S608 a test's own
                f" VALUES ('{name}', 'other{number}.test', 'https://other{number}.test/{name}', '{inbox}/{name}', '{inbox}')",
            )


def add(worker: Worker, number: int) -> None:
    with worker.database.transaction() as cursor:
        for index in range(number):
            cursor.execute("INSERT INTO accounts (username) VALUES (%s)", (f"user{index}",))


def waiting(jobs: Redis, *queues: str) -> list[dict[str, Any]]:
    found = []
    while job := jobs.take(queues or ("push",), 0.05):
        found.append(job)
    return found


@contextmanager
def inbox(status: int) -> Iterator[tuple[str, list[tuple[Mapping[str, str], bytes]]]]:
    """Another server's inbox, and what was posted to it."""
    posted: list[tuple[Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted.append((headers, self.rfile.read(int(headers["content-length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/inbox", posted
    finally:
        server.shutdown()
        server.server_close()


def test_the_value_is_the_domain_signed_as_rails_signs(worker: Worker, keys: Keys) -> None:
    value = farewell.value(worker.site, keys)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+--[0-9a-f]{40}", value)
    assert json.loads(base64.b64decode(value.partition("--")[0])) == "social.lab.test"


@pytest.mark.parametrize("made_with", [{"secret_key_base": "0b" * 64}, {}])
def test_a_value_of_another_key_or_domain_ends_nothing(worker: Worker, keys: Keys, made_with: dict[str, str]) -> None:
    other = replace(keys, **made_with) if made_with else keys
    domain = "social.lab.test" if made_with else "other.lab.test"
    value = farewell.value(replace(worker.site, local_domain=domain), other)
    assert not farewell.is_on(replace(worker.site, self_destruct=value), keys)
    assert not farewell.is_on(worker.site, keys)


def test_fifty_accounts_leave_at_a_time_and_each_server_hears_of_each_once(leaving: Worker) -> None:
    known(leaving, "https://other.test/inbox", "https://third.test/inbox")
    add(leaving, 60)
    leaving.farewell.go_on()
    notices = waiting(leaving.jobs)
    assert len(notices) == 2 * 50
    assert {job["args"][2] for job in notices} == {"https://other.test/inbox", "https://third.test/inbox"}
    assert leaving.farewell.progress() == "11 accounts are still pending deletion."
    leaving.farewell.go_on()
    assert len(waiting(leaving.jobs)) == 2 * 11
    assert leaving.farewell.progress().startswith("Every deletion notice has been sent!")
    leaving.farewell.go_on()
    assert waiting(leaving.jobs) == []


def test_notices_that_wait_or_failed_are_said(leaving: Worker) -> None:
    known(leaving, "https://other.test/inbox")
    leaving.farewell.go_on()
    assert leaving.farewell.progress() == "Deletion notices are still being processed"
    (job,) = waiting(leaving.jobs)
    leaving.jobs.retry_later(job)
    assert "some have failed and are scheduled for retry" in leaving.farewell.progress()


def test_a_notice_that_failed_eight_times_is_forgotten(leaving: Worker) -> None:
    known(leaving, "https://other.test/inbox")
    leaving.farewell.go_on()
    (job,) = waiting(leaving.jobs)
    assert leaving.jobs.retry_later({**job, "retry_count": 6})
    assert not leaving.jobs.retry_later({**job, "retry_count": 7})
    assert leaving.jobs.sizes().retries == 1


@pytest.mark.parametrize("too_much", ["memory", "jobs"])
def test_nobody_leaves_while_redis_is_half_full_or_has_enough_to_do(
    leaving: Worker, monkeypatch: pytest.MonkeyPatch, too_much: str
) -> None:
    if too_much == "memory":
        monkeypatch.setattr(Redis, "memory_used", lambda self: 0.51)
    else:
        monkeypatch.setattr(farewell, "_MAX_ENQUEUED", 0)
        leaving.jobs.enqueue("DistributionWorker", 1)
    leaving.farewell.go_on()
    assert leaving.farewell.progress() == "1 accounts are still pending deletion."


@pytest.mark.parametrize(
    ("info", "part"),
    [
        ({"used_memory": 60, "maxmemory": 100, "total_system_memory": 1000}, 0.6),
        ({"used_memory": 60, "maxmemory": 0, "total_system_memory": 240}, 0.25),
    ],
)
def test_what_redis_uses_is_measured_by_the_less_of_its_limit_and_the_machines_memory(
    jobs: Redis, monkeypatch: pytest.MonkeyPatch, info: dict[str, int], part: float
) -> None:
    monkeypatch.setattr(jobs._client, "info", lambda section: info)
    assert jobs.memory_used() == part


def test_nobody_leaves_a_mastodon_that_stays(worker: Worker) -> None:
    Farewell(worker.site, worker.keys, worker.database, worker.jobs).go_on()
    assert waiting(worker.jobs) == []
    assert worker.farewell.progress() == "1 accounts are still pending deletion."


def test_a_notice_is_signed_by_whom_it_is_about(leaving: Worker) -> None:
    with inbox(202) as (url, posted):
        known(leaving, url)
        leaving.farewell.go_on()
        for job in waiting(leaving.jobs):
            leaving.perform(job)
    ((headers, body),) = posted
    notice = json.loads(body)
    assert (notice["type"], notice["object"]) == ("Delete", "https://social.lab.test/actor")
    assert headers["digest"] == "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    signature = dict(re.findall(r'(\w+)="([^"]*)"', headers["signature"]))
    assert signature["keyId"] == "https://social.lab.test/actor#main-key"
    lines = [
        f"{name}: {'post /inbox' if name.startswith('(') else headers[name]}" for name in signature["headers"].split()
    ]
    with leaving.database.transaction() as cursor:
        account = accounts.find_by_id(cursor, -99)
    assert account
    key = load_pem_public_key(account.public_key.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(signature["signature"]), "\n".join(lines).encode(), padding.PKCS1v15(), SHA256())


def test_a_notice_that_is_not_taken_fails(leaving: Worker) -> None:
    with inbox(503) as (url, _):
        known(leaving, url)
        leaving.farewell.go_on()
        (job,) = waiting(leaving.jobs)
        with pytest.raises(UnavailableError, match="it answers 503"):
            leaving.perform(job)


def test_nothing_is_delivered_into_the_cluster(leaving: Worker) -> None:
    closed = replace(leaving, site=replace(leaving.site, allowed_private_addresses=()))
    known(closed, "http://127.0.0.1:1/inbox")
    closed.farewell.go_on()
    (job,) = waiting(closed.jobs)
    with pytest.raises(RefusalError, match="is private"):
        closed.perform(job)


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("POST", "/inbox", "", 410),
        ("GET", "/actor", "application/activity+json", 410),
        ("GET", "/", "text/html", 410),
        ("GET", "/api/v2/instance", "", 410),
        ("GET", "/health", "", 200),
        ("GET", "/auth/sign_in", "text/html", 200),
        ("GET", "/.well-known/nodeinfo", "", 200),
        ("GET", "/.well-known/webfinger?resource=acct:social.lab.test@social.lab.test", "", 410),
    ],
)
def test_what_is_gone_answers_410(
    services: Services, leaving: Worker, method: str, path: str, accept: str, status: int
) -> None:
    leaving.farewell.go_on()

    async def asked() -> int:
        application = web.application(replace(services, site=leaving.site))
        async with TestClient(TestServer(application)) as client:
            answer = await client.request(method, path, headers={**HTTPS, "Accept": accept})
            return answer.status

    assert asyncio.run(asked()) == status


def tootctl_says(
    environment: dict[str, str],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *answers: str,
) -> str:
    database, redis = services.database.settings, services.jobs.settings
    servers = {"DB_HOST": database.host, "DB_NAME": database.name, "DB_USER": database.user}
    cache = {"REDIS_HOST": redis.host, "REDIS_PORT": str(redis.port), "REDIS_PASSWORD": ""}
    given = iter(answers)
    monkeypatch.setattr("builtins.input", lambda _prompt: next(given))
    tootctl.main(["self-destruct"], {**environment, **servers, **cache})
    return capsys.readouterr().out


def test_tootctl_asks_twice_and_prints_what_starts_it(
    environment: dict[str, str],
    services: Services,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = farewell.value(services.site, keys)
    said = tootctl_says(environment, services, monkeypatch, capsys, "social.lab.test", "yes")
    assert f"\n  SELF_DESTRUCT={value}\n" in said
    again = tootctl_says({**environment, "SELF_DESTRUCT": value}, services, monkeypatch, capsys)
    assert "already enabled" in again
    assert "1 accounts are still pending deletion." in again


@pytest.mark.parametrize("answers", [("lab.test", "yes"), ("social.lab.test", "no")])
def test_tootctl_starts_nothing_for_another_domain_or_a_no(
    environment: dict[str, str],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: tuple[str, str],
) -> None:
    with pytest.raises(RefusalError):
        tootctl_says(environment, services, monkeypatch, capsys, *answers)
    assert "SELF_DESTRUCT=" not in capsys.readouterr().out
