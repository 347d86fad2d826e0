# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser and an app, as far as tests need them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from aiohttp.test_utils import TestClient, TestServer
from mastodon_stand_in import accounts, web
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.oauth import OUT_OF_BAND
from mastodon_stand_in.services import Services

T = TypeVar("T")
EMAIL = "alice@lab.test"
PASSWORD = "correct horse"
QUEUES = ("default", "mailers", "push")


@dataclass(frozen=True)
class Page:
    status: int
    location: str
    text: str
    json: Any
    headers: Mapping[str, str]


class Browser:
    """Asks through the Gateway, as it were, and keeps the cookie."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.cookie = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Page:
        given = {"Host": "social.lab.test", "X-Forwarded-Proto": "https", "Cookie": self.cookie, **headers}
        json = {"json": body} if isinstance(body, dict) else {"data": body}
        async with self._client.request(method, path, headers=given, allow_redirects=False, **json) as answer:
            if "Set-Cookie" in answer.headers:
                self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            is_json = answer.content_type.endswith("json")
            found = await answer.json() if is_json else None
            return Page(answer.status, answer.headers.get("Location", ""), await answer.text(), found, answer.headers)

    async def submit(self, page: str, action: str, fields: Mapping[str, str]) -> Page:
        """Fetch a page and send its form with these fields."""
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', (await self.ask("GET", page)).text))
        return await self.ask("POST", action, [*{**hidden, **fields}.items()])

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Page:
        fields = {"user[email]": email, "user[password]": password}
        return await self.submit("/auth/sign_in", "/auth/sign_in", fields)

    async def token(self, email: str = EMAIL) -> str:
        """Sign in and let an app act; return its access token as an Authorization header."""
        await self.sign_in(email)
        app = (await self.ask("POST", "/api/v1/apps", {"client_name": "test", "redirect_uris": OUT_OF_BAND})).json
        asked = f"/oauth/authorize?response_type=code&client_id={app['client_id']}&redirect_uri={OUT_OF_BAND}"
        leave = await self.submit(asked, "/oauth/authorize", {})
        fields = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(leave.location).query)["code"][0],
            "redirect_uri": OUT_OF_BAND,
            **{name: app[name] for name in ("client_id", "client_secret")},
        }
        return f"Bearer {(await self.ask('POST', '/oauth/token', fields)).json['access_token']}"


def visit(services: Services, scenario: Callable[[Browser], Awaitable[T]]) -> T:
    """Run a scenario against the web application."""

    async def run() -> T:
        async with TestClient(TestServer(web.application(services))) as client:
            return await scenario(Browser(client))

    return asyncio.run(run())


def add_alice(services: Services, username: str = "alice", email: str = EMAIL) -> None:
    """Make a user who may sign in."""
    with services.database.transaction() as cursor:
        accounts.create(cursor, services.keys, username, email, approved=True, confirmed=True, password=PASSWORD)


def work(worker: Worker) -> list[str]:
    """Do all jobs there are; return their classes."""
    done = []
    while job := worker.jobs.take(QUEUES, 0.05):
        worker.perform(job)
        done.append(job["class"])
    return done
