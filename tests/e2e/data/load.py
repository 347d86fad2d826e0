# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People who read, post and upload while something is changed: 20 requests a second, half of which are jobs as well."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mastodon_lab.proof.post import png
from mastodon_lab.proof.session import sign_in

from ...conftest import Lab
from ..support import eventually
from ..zone import DOMAIN
from .archive import Archive
from .test_whole_loss import site_of

# Each asks once in a second: as many as may by the API's limit, for each of whom has a token of his own.
PEOPLE = 20
SECONDS = 15.0
# A picture each, which a worker makes smaller.
UPLOADERS = (1, 11)
FORM_TYPE = "multipart/form-data; boundary=lab-load"
FORM = (
    b'--lab-load\r\nContent-Disposition: form-data; name="file"; filename="dot.png"\r\nContent-Type: image/png\r\n\r\n'
    + png()
    + b"\r\n--lab-load--\r\n"
)
LOOKUP = f"/.well-known/webfinger?resource=acct:owner@{DOMAIN}"


@dataclass
class Load:
    """What was asked and how it went. `mark` is in every post."""

    lab: Lab
    mark: str
    tokens: list[str]
    answers: Counter[str] = field(default_factory=Counter)
    posted: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> int:
        return sum(self.answers.values())

    @property
    def failed(self) -> dict[str, int]:
        """Failures, by what they were."""
        return {what: count for what, count in self.answers.items() if what != "200"}

    def one(self, number: int) -> None:
        """Ask once a second until it is over, on a connection that is kept."""
        connection, due = self._connection(), time.monotonic() + number / PEOPLE
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1, time.monotonic())
            what = self._asked(connection, number)
            if what != "200":
                connection.close()
                connection = self._connection()
            with self._lock:
                self.answers[what] += 1
                self.posted += what == "200" and number % 2 and number not in UPLOADERS
        connection.close()

    def _asked(self, connection: http.client.HTTPSConnection, number: int) -> str:
        headers = {"Authorization": f"Bearer {self.tokens[number]}", "Content-Type": "application/json"}
        try:
            if number in UPLOADERS:
                connection.request("POST", "/api/v2/media", FORM, {**headers, "Content-Type": FORM_TYPE})
            elif number % 2:
                body = json.dumps({"status": f"{self.mark} of {number}", "visibility": "unlisted"})
                connection.request("POST", "/api/v1/statuses", body, headers)
            else:
                connection.request("GET", LOOKUP)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        return "200" if answer.status == 202 else str(answer.status)

    def _connection(self) -> http.client.HTTPSConnection:
        address, trust = self.lab.facts["gateway_address"], self.lab.trust()

        class Through(http.client.HTTPSConnection):
            def connect(self) -> None:
                plain = socket.create_connection((address, 443), SECONDS)
                self.sock = trust.wrap_socket(plain, server_hostname=DOMAIN)

        return Through(DOMAIN, timeout=SECONDS)

    def end(self) -> None:
        self._over.set()


def tokens(lab: Lab) -> list[str]:
    """One for each, as the API counts by them; made of the one that an app was given."""
    given = sign_in(site_of(lab)).token
    names = [f"{given}-{number}" for number in range(PEOPLE)]
    rows = ", ".join(f"('{name}')" for name in names)
    Archive(lab).ask(
        "INSERT INTO oauth_access_tokens (token, user_id, application_id)"  # noqa: S608 ours
        f" SELECT name, user_id, application_id FROM oauth_access_tokens, (VALUES {rows}) AS made (name) WHERE token = '{given}'"
    )
    return names


@contextmanager
def loaded(lab: Lab, mark: str, *, reconnecting: bool = False) -> Iterator[Load]:
    """Have people use Mastodon as long as the block takes; with `reconnecting`, idle connections to the database end all the time."""
    load = Load(lab, mark, tokens(lab))
    people = [threading.Thread(target=load.one, args=(number,)) for number in range(PEOPLE)]
    if reconnecting:
        people.append(threading.Thread(target=_disconnect, args=(load,)))
    for one in people:
        one.start()
    try:
        eventually(lambda: load.answers["200"], lambda count: count >= PEOPLE)
        yield load
        time.sleep(2)
    finally:
        load.end()
        for one in people:
            one.join()


def _disconnect(load: Load) -> None:
    """End Mastodon's connections that nobody uses at the moment, so that each of its pods must log in again."""
    sql = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE usename LIKE 'mastodon%' AND state = 'idle' AND state_change < now() - interval '200 ms'"
    )
    while not load._over.wait(3):
        with suppress(Exception):
            Archive(load.lab).ask(sql)


def found(lab: Lab, load: Load) -> int:
    """How many of the posts are there."""
    return int(Archive(lab).ask(f"SELECT count(*) FROM statuses WHERE text LIKE '{load.mark} of %'"))  # noqa: S608 ours


def jobs(lab: Lab) -> dict[str, Any]:
    """How many jobs wait for anybody, by queue; those that are tried again count as well."""
    said = lab.kubectl(
        "exec",
        "-n=mastodon",
        "deploy/mastodon-web",
        "-c=mastodon-web",
        "--",
        "python3",
        "-c",
        "import os, redis; one = redis.Redis(os.environ['REDIS_HOST'], password=os.environ['REDIS_PASSWORD']);"
        "print(sum(one.llen(b'queue:' + name) for name in one.smembers('queues')), one.zcard('retry'), one.zcard('dead'))",
    )
    return dict(zip(("queued", "retries", "dead"), map(int, said.split()), strict=True))
