# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from mastodon_stand_in import limits
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import Site

from .browser import Browser, add_alice, visit
from .conftest import given_by_the_chart


def trusted(ranges: str) -> Site:
    return Site.from_environment({**given_by_the_chart(), "TRUSTED_PROXY_IP": ranges})


@pytest.mark.parametrize(
    ("forwarded", "ranges", "client"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7, 10.1.2.3", "", "198.51.100.7"),
        # All are proxies by what is said: the farthest is left.
        ("192.168.1.1, 10.1.2.3", "", "192.168.1.1"),
        ("", "", "10.9.9.9"),
        ("nonsense", "", "10.9.9.9"),
        # Who names other proxies takes the private ranges away from them.
        ("198.51.100.7", "192.0.2.0/24", "10.9.9.9"),
        ("198.51.100.7, 192.0.2.5", "10.9.9.9,192.0.2.0/24", "198.51.100.7"),
    ],
)
def test_the_client_is_the_nearest_that_is_no_proxy_of_ours(forwarded: str, ranges: str, client: str) -> None:
    assert limits.client(forwarded, "10.9.9.9", trusted(ranges).trusted_proxies) == client


def remaining(services: Services, *asked: tuple[str, dict[str, str]]) -> list[tuple[int, str | None]]:
    async def scenario(browser: Browser) -> list[tuple[int, str | None]]:
        pages = [await browser.ask("GET", path, **headers) for path, headers in asked]
        assert all(page.headers.get("X-RateLimit-Limit") in ("300", None) for page in pages)
        return [(page.status, page.headers.get("X-RateLimit-Remaining")) for page in pages]

    return visit(services, scenario)


def test_each_address_has_a_count_of_its_own_and_only_the_api_counts(services: Services) -> None:
    first, second = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
    path = "/api/v2/instance"
    assert remaining(services, (path, first), (path, first), (path, second), ("/health", first), (path, first)) == [
        (200, "299"),
        (200, "298"),
        (200, "299"),
        (200, None),
        (200, "297"),
    ]


def test_neighbours_of_one_network_share_a_count_and_this_machine_has_none(services: Services) -> None:
    path = "/api/v2/instance"
    near, beside = {"X-Forwarded-For": "2001:db8::1"}, {"X-Forwarded-For": "2001:db8::2"}
    assert remaining(services, (path, near), (path, beside), (path, {})) == [(200, "299"), (200, "298"), (200, None)]


def test_an_app_is_counted_by_its_token(services: Services) -> None:
    add_alice(services)
    path, here = "/api/v2/instance", {"X-Forwarded-For": "198.51.100.7"}

    async def scenario(browser: Browser) -> list[str]:
        token = await browser.token()
        pages = [
            await browser.ask("GET", path, Authorization=given, **here) for given in (token, token, "Bearer wrong")
        ]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", pages[0].headers["X-RateLimit-Reset"])
        return [page.headers["X-RateLimit-Remaining"] for page in pages]

    assert visit(services, scenario) == ["299", "298", "299"]


def test_too_many_are_refused(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIMIT", 1)
    path, here = "/api/v2/instance", {"X-Forwarded-For": "198.51.100.7"}

    async def scenario(browser: Browser) -> list[tuple[int, str]]:
        pages = [await browser.ask("GET", path, **here) for _ in range(2)]
        return [(page.status, page.headers["X-RateLimit-Remaining"]) for page in pages]

    assert visit(services, scenario) == [(200, "0"), (429, "0")]
