# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import FormData
from mastodon_stand_in import accounts
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.services import Services

from .browser import Browser, Page, add_alice, visit, work
from .conftest import picture
from .servers import MemoryBucket
from .test_push import SUBSCRIPTION


async def upload(browser: Browser, token: str, data: bytes) -> Page:
    form = FormData()
    form.add_field("file", data, filename="a.png", content_type="image/png")
    return await browser.ask("POST", "/api/v2/media", form, Authorization=token)


def test_a_picture_is_processed_by_a_worker_and_then_posted(
    services: Services, worker: Worker, bucket: MemoryBucket
) -> None:
    add_alice(services)
    data = picture(1280, 720)

    async def scenario(browser: Browser) -> dict[str, Any]:
        token = await browser.token()
        new = await upload(browser, token, data)
        assert (new.status, new.json["url"]) == (202, None)
        where, post = f"/api/v1/media/{new.json['id']}", {"status": "Hi", "media_ids": [new.json["id"]]}
        assert (await browser.ask("GET", where, Authorization=token)).status == 206
        early = await browser.ask("POST", "/api/v1/statuses", post, Authorization=token)
        assert (early.status, "not finished processing" in early.json["error"]) == (422, True)
        assert work(worker) == ["PostProcessMediaWorker"]
        assert (await browser.ask("GET", where, Authorization=token)).status == 200
        status = (await browser.ask("POST", "/api/v1/statuses", post, Authorization=token)).json
        return (await browser.ask("GET", f"/api/v1/statuses/{status['id']}")).json

    (shown,) = visit(services, scenario)["media_attachments"]
    media_url = bucket.settings.public_url
    original, small = (shown[name].removeprefix(f"{media_url}/") for name in ("url", "preview_url"))
    assert bucket.objects[original] == data
    assert set(bucket.objects) == {original, small}
    assert (shown["meta"]["original"], original != small) == ({"width": 1280, "height": 720}, True)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(services: Services, bucket: MemoryBucket, data: bytes) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> Page:
        return await upload(browser, await browser.token(), data)

    answer = visit(services, scenario)
    assert (answer.status, answer.json["error"]) == (422, "Validation failed: File content type is invalid")
    assert bucket.objects == {}


def test_another_s_picture_is_neither_shown_nor_attached(services: Services, worker: Worker) -> None:
    add_alice(services)
    add_alice(services, "bob", "bob@lab.test")

    async def alice(browser: Browser) -> str:
        return str((await upload(browser, await browser.token(), picture())).json["id"])

    number = visit(services, alice)
    work(worker)

    async def bob(browser: Browser) -> list[int]:
        token = await browser.token("bob@lab.test")
        seen = await browser.ask("GET", f"/api/v1/media/{number}", Authorization=token)
        post = {"status": "mine", "media_ids": [number]}
        return [seen.status, (await browser.ask("POST", "/api/v1/statuses", post, Authorization=token)).status]

    assert visit(services, bob) == [404, 422]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/accounts/verify_credentials"),
        ("POST", "/api/v2/media"),
        ("POST", "/api/v1/statuses"),
        ("POST", "/api/v1/push/subscription"),
    ],
)
def test_who_is_not_signed_in_is_refused(services: Services, method: str, path: str) -> None:
    async def scenario(browser: Browser) -> list[int]:
        return [(await browser.ask(method, path, **given)).status for given in ({}, {"Authorization": "Bearer x"})]

    assert visit(services, scenario) == [401, 401]


@pytest.mark.parametrize("nested", [True, False])
def test_an_app_subscribes_in_json_or_by_a_form(services: Services, nested: bool) -> None:
    add_alice(services)
    keys = {"p256dh": SUBSCRIPTION.p256dh, "auth": SUBSCRIPTION.auth}
    flat = {
        "subscription[endpoint]": SUBSCRIPTION.endpoint,
        **{f"subscription[keys][{name}]": value for name, value in keys.items()},
    }
    body = {"subscription": {"endpoint": SUBSCRIPTION.endpoint, "keys": keys}} if nested else [*flat.items()]

    async def scenario(browser: Browser) -> Page:
        token = await browser.token()
        answer = await browser.ask("POST", "/api/v1/push/subscription", body, Authorization=token)
        wrong = {"subscription": {"endpoint": "nowhere", "keys": keys}}
        assert (await browser.ask("POST", "/api/v1/push/subscription", wrong, Authorization=token)).status == 422
        return answer

    answer = visit(services, scenario)
    assert (answer.status, answer.json["server_key"]) == (200, services.keys.vapid_public_key)


def test_health_is_ok_and_discovery_answers_from_the_database(services: Services) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> tuple[Page, Page, Page]:
        return (
            await browser.ask("GET", "/health", Host="10.200.64.9"),
            await browser.ask("GET", "/.well-known/webfinger?resource=acct:alice@social.lab.test"),
            await browser.ask("GET", "/nodeinfo/2.0"),
        )

    health, webfinger, nodeinfo = visit(services, scenario)
    assert (health.status, health.text) == (200, "OK")
    assert webfinger.json["subject"] == "acct:alice@social.lab.test"
    assert nodeinfo.json["usage"]["users"]["total"] == 1


def test_actors_answer_the_fediverse_and_unsigned_activities_do_not(services: Services) -> None:
    add_alice(services)
    accept = {"Accept": "application/activity+json"}

    async def scenario(browser: Browser) -> None:
        actor = await browser.ask("GET", "/users/alice", **accept)
        assert actor.json["preferredUsername"] == "alice"
        assert (await browser.ask("GET", "/users/alice")).location.endswith("/@alice")
        assert (await browser.ask("GET", "/actor", **accept)).json["type"] == "Application"
        assert (await browser.ask("GET", "/users/nobody", **accept)).status == 404
        for path in ("/inbox", "/actor/inbox", "/users/alice/inbox"):
            refused = await browser.ask("POST", path, {})
            assert (refused.status, refused.json) == (401, {"error": "Request not signed"})
        gone = {"type": "Delete", "actor": "https://far.test/u", "object": "https://far.test/u"}
        assert (await browser.ask("POST", "/inbox", gone)).status == 202
        assert (await browser.ask("POST", "/inbox", {}, Signature="nonsense")).status == 400

    visit(services, scenario)


@pytest.mark.parametrize(
    ("path", "accept", "vary"),
    [
        ("/users/alice", "application/activity+json", "Accept, Accept-Language, Cookie, Origin"),
        ("/ap/users/{id}", "application/activity+json", "Accept, Accept-Language, Cookie"),
        ("/users/alice", "text/html", "Origin, Accept"),
        ("/actor", "application/activity+json", None),
        ("/api/v2/instance", "application/json", "Origin"),
        ("/api/v1/timelines/public", "application/json", "Authorization, Origin"),
    ],
)
def test_caches_learn_what_an_answer_depends_on(services: Services, path: str, accept: str, vary: str | None) -> None:
    add_alice(services)
    with services.database.transaction() as cursor:
        alice = accounts.find(cursor, "alice")
    assert alice

    async def scenario(browser: Browser) -> str | None:
        return (await browser.ask("GET", path.format(id=alice.id), Accept=accept)).headers.get("Vary")

    assert visit(services, scenario) == vary


def test_in_secure_mode_a_signature_is_among_it(services: Services) -> None:
    add_alice(services)
    secure = replace(services, site=replace(services.site, authorized_fetch=True))
    signed = {"Accept": "application/activity+json", "Signature": 'keyId="a",signature="b"'}

    async def scenario(browser: Browser) -> str:
        return (await browser.ask("GET", "/users/alice", **signed)).headers["Vary"]

    assert visit(secure, scenario) == "Accept, Accept-Language, Cookie, Signature, Origin"
