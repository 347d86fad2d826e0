# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from urllib.parse import quote

import pytest
from mastodon_stand_in import accounts, registrations
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.services import Services

from .browser import EMAIL, PASSWORD, QUEUES, Browser, Page, add_alice, visit

SIGN_UP = {
    "user[account_attributes][username]": "bob",
    "user[email]": "bob@lab.test",
    "user[password]": PASSWORD,
}


def mailed(services: Services) -> list[str]:
    """Return what the next job mails: the kind and, after the user, its arguments."""
    job = services.jobs.take(QUEUES, 0.05)
    assert job
    assert (job["class"], job["queue"]) == ("ActionMailer::MailDeliveryJob", "mailers")
    return [job["args"][1], *job["args"][3:]]


def let(services: Services, mode: str) -> None:
    with services.database.transaction() as cursor:
        registrations.set_mode(cursor, mode)


def test_a_user_signs_in_and_out(services: Services) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> None:
        assert (await browser.sign_in()).location == "/"
        assert "Signed in as @alice." in (await browser.ask("GET", "/")).text
        assert (await browser.submit("/", "/auth/sign_out", {})).status == 302
        assert "Signed in" not in (await browser.ask("GET", "/")).text

    visit(services, scenario)


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("eve@lab.test", PASSWORD), ("", "")])
def test_a_wrong_password_signs_nobody_in(services: Services, email: str, password: str) -> None:
    add_alice(services)

    async def scenario(browser: Browser) -> tuple[Page, Page]:
        return await browser.sign_in(email, password), await browser.ask("GET", "/")

    answer, home = visit(services, scenario)
    assert answer.status == 422
    assert "Invalid E-mail address or password." in answer.text
    assert "Signed in" not in home.text


def test_a_form_of_another_site_is_refused(services: Services) -> None:
    add_alice(services)
    fields = {"user[email]": EMAIL, "user[password]": PASSWORD}

    async def scenario(browser: Browser) -> list[int]:
        without_cookie = await browser.ask("POST", "/auth/sign_in", [*fields.items()])
        await browser.ask("GET", "/auth/sign_in")
        without_token = await browser.ask("POST", "/auth/sign_in", [*fields.items()])
        anothers = await browser.ask("POST", "/auth/sign_in", [*fields.items(), ("authenticity_token", "0" * 64)])
        return [without_cookie.status, without_token.status, anothers.status]

    assert visit(services, scenario) == [422, 422, 422]


@pytest.mark.parametrize(
    ("goal", "location"),
    [
        ("/oauth/authorize?client_id=x", "/oauth/authorize?client_id=x"),
        ("https://evil.test/", "/"),
        ("//evil.test/oauth/authorize?", "/"),
    ],
)
def test_signing_in_leads_back_to_an_app_and_nowhere_else(services: Services, goal: str, location: str) -> None:
    add_alice(services)
    fields = {"user[email]": EMAIL, "user[password]": PASSWORD}

    async def scenario(browser: Browser) -> str:
        return (await browser.submit(f"/auth/sign_in?return_to={quote(goal)}", "/auth/sign_in", fields)).location

    assert visit(services, scenario) == location


def test_nobody_signs_up_on_a_new_instance(services: Services) -> None:
    async def scenario(browser: Browser) -> tuple[str, int]:
        closed = await browser.ask("GET", "/auth/sign_up")
        return closed.location, (await browser.submit("/auth/sign_in", "/auth", SIGN_UP)).status

    assert visit(services, scenario) == ("/", 403)
    assert services.jobs.take(QUEUES, 0.05) is None


@pytest.mark.parametrize(("mode", "is_active"), [("open", True), ("approved", False)])
def test_who_signs_up_confirms_the_address_and_waits_if_need_be(services: Services, mode: str, is_active: bool) -> None:
    let(services, mode)

    async def scenario(browser: Browser) -> str:
        assert "bob@lab.test" in (await browser.submit("/auth/sign_up", "/auth", SIGN_UP)).text
        kind, token = mailed(services)
        assert kind == "confirmation_instructions"
        assert (await browser.ask("GET", "/auth/confirmation?confirmation_token=wrong")).status == 422
        assert (await browser.ask("GET", f"/auth/confirmation?confirmation_token={token}")).status == 302
        assert (await browser.ask("GET", f"/auth/confirmation?confirmation_token={token}")).status == 422
        await browser.sign_in("bob@lab.test")
        return (await browser.ask("GET", "/")).text

    assert ("waits for approval" not in visit(services, scenario)) is is_active
    with services.database.transaction() as cursor:
        accounts.approve(cursor, None, None)
        bob = accounts.find(cursor, "bob")
    assert bob
    assert bob.is_active


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user[password]": "short"}, "Password is too short"),
        ({"user[email]": "bob"}, "it is not valid"),
        ({"user[email]": EMAIL}, "already been taken"),
        ({"user[account_attributes][username]": "a b"}, "it is not valid"),
    ],
)
def test_a_wrong_sign_up_is_refused(services: Services, changed: dict[str, str], message: str) -> None:
    add_alice(services)
    let(services, "open")

    async def scenario(browser: Browser) -> Page:
        return await browser.submit("/auth/sign_up", "/auth", {**SIGN_UP, **changed})

    answer = visit(services, scenario)
    assert answer.status == 422
    assert message in answer.json["error"]


def test_a_forgotten_password_is_set_anew_by_mail(services: Services) -> None:
    add_alice(services)
    new = "new password"

    async def scenario(browser: Browser) -> None:
        for email in (EMAIL, "eve@lab.test"):
            # The answer tells nobody who has an account here.
            asked = await browser.submit("/auth/password/new", "/auth/password", {"user[email]": email})
            assert asked.location == "/auth/sign_in"
        kind, token = mailed(services)
        assert kind == "reset_password_instructions"
        assert services.jobs.take(QUEUES, 0.05) is None
        page = f"/auth/password/edit?reset_password_token={token}"
        assert (await browser.submit(page, "/auth/password", {"user[password]": new})).status == 302
        assert mailed(services) == ["password_change"]
        # The token works once.
        assert (await browser.submit(page, "/auth/password", {"user[password]": "another one"})).status == 422
        assert (await browser.sign_in()).status == 422
        assert (await browser.sign_in(password=new)).status == 302

    visit(services, scenario)


def test_who_is_unknown_cannot_be_approved(services: Services) -> None:
    with pytest.raises(RefusalError, match="no user with such username"), services.database.transaction() as cursor:
        accounts.approve(cursor, "nobody", None)
