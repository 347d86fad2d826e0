# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from mastodon_stand_in.oauth import OUT_OF_BAND
from mastodon_stand_in.services import Services

from .browser import Browser, Page, add_alice, visit


def test_an_app_acts_for_a_user_who_lets_it(services: Services) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> Page:
        return await browser.ask("GET", "/api/v1/accounts/verify_credentials", Authorization=await browser.token())

    answer = visit(services, scenario)
    assert (answer.status, answer.json["username"]) == (200, "alice")


def test_who_is_not_signed_in_is_sent_to_sign_in_first(services: Services) -> None:
    async def scenario(browser: Browser) -> str:
        app = (
            await browser.ask("POST", "/api/v1/apps", {"client_name": "t", "redirect_uris": ["https://app.test/"]})
        ).json
        asked = f"/oauth/authorize?client_id={app['client_id']}&redirect_uri=https://app.test/"
        return (await browser.ask("GET", asked)).location

    assert visit(services, scenario).startswith("/auth/sign_in?return_to=/oauth/authorize%3Fclient_id%3D")


def test_a_code_leads_back_to_the_app_with_its_state(services: Services) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> str:
        await browser.sign_in()
        app = (
            await browser.ask("POST", "/api/v1/apps", {"client_name": "t", "redirect_uris": "https://app.test/?a=b"})
        ).json
        asked = f"/oauth/authorize?client_id={app['client_id']}&redirect_uri=https://app.test/?a=b&state=s"
        return (await browser.submit(asked, "/oauth/authorize", {})).location

    location = visit(services, scenario)
    assert location.startswith("https://app.test/?a=b&code=")
    assert location.endswith("&state=s")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id=unknown&redirect_uri=x",
        f"redirect_uri={OUT_OF_BAND}",
        "client_id={id}&redirect_uri=https://evil.test/",
    ],
)
def test_an_unknown_app_or_address_is_refused(services: Services, query: str) -> None:
    async def scenario(browser: Browser) -> int:
        app = (await browser.ask("POST", "/api/v1/apps", {"client_name": "t", "redirect_uris": OUT_OF_BAND})).json
        return (await browser.ask("GET", f"/oauth/authorize?{query.format(id=app['client_id'])}")).status

    assert visit(services, scenario) == 400


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "authorization_code", "code": "guessed"}, "invalid_grant"),
        (
            {"grant_type": "password", "username": "alice@lab.test", "password": "correct horse"},
            "unsupported_grant_type",
        ),
        ({}, "unsupported_grant_type"),
    ],
)
def test_there_is_no_token_without_a_code(services: Services, fields: dict[str, str], error: str) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> Page:
        return await browser.ask("POST", "/oauth/token", fields)

    answer = visit(services, scenario)
    assert (answer.status, answer.json) == (400, {"error": error})


def test_another_secret_key_base_signs_browsers_out_and_no_apps(services: Services) -> None:
    add_alice(services)
    other = replace(services, keys=replace(services.keys, secret_key_base="0b" * 64))

    async def before(browser: Browser) -> tuple[str, str]:
        token = await browser.token()
        return token, browser.cookie

    token, cookie = visit(services, before)

    async def after(browser: Browser) -> tuple[int, str]:
        browser.cookie = cookie
        app = await browser.ask("GET", "/api/v1/accounts/verify_credentials", Authorization=token)
        return app.status, (await browser.ask("GET", "/")).text

    assert "Log in" not in visit(services, after)[1]
    status, home = visit(other, after)
    assert status == 200
    assert "Log in" in home
