# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import replace

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from mastodon_stand_in import edge
from mastodon_stand_in.errors import HttpRefusalError, RefusalError, UnavailableError
from mastodon_stand_in.settings import Site

HOSTS = {"lab.test", "social.lab.test"}
OURS = {"Host": "social.lab.test", "X-Forwarded-Proto": "https"}
ERRORS: dict[str, Exception] = {
    "wrong": RefusalError("Validation failed"),
    "forbidden": HttpRefusalError(403, "Not yours"),
    "unavailable": UnavailableError("Database at db:5432: gone"),
    "broken": ZeroDivisionError("secret detail"),
}


@pytest.mark.parametrize(
    ("authority", "host"),
    [("Lab.Test", "lab.test"), ("lab.test:3000", "lab.test"), ("[::1]:3000", "[::1]"), ("[::1]", "[::1]"), ("", "")],
)
def test_the_host_is_what_precedes_the_port(authority: str, host: str) -> None:
    assert edge.host_of(authority) == host


@pytest.mark.parametrize(
    ("path", "authorities", "allowed"),
    [
        ("/", ["social.lab.test"], True),
        ("/", ["lab.test:443"], True),
        ("/", ["10.200.64.9:3000"], False),
        ("/", ["social.lab.test", "evil.test"], False),
        ("/", ["sub.social.lab.test"], False),
        ("/health", ["10.200.64.9:3000"], True),
        ("/healthy", ["10.200.64.9:3000"], False),
    ],
)
def test_only_our_hosts_are_answered(path: str, authorities: list[str], allowed: bool) -> None:
    assert edge.may_answer(path, HOSTS, authorities) is allowed


@pytest.mark.parametrize(
    ("path", "host", "protocol", "redirected"),
    [
        ("/", "lab.test", "http", True),
        ("/", "lab.test", "https", False),
        ("/health", "lab.test", "http", False),
        ("/", "abc.onion", "http", False),
    ],
)
def test_plain_http_has_to_come_back(path: str, host: str, protocol: str, redirected: bool) -> None:
    assert edge.must_redirect(path, host, protocol) is redirected


def ask(site: Site, method: str, path: str, headers: dict[str, str]) -> tuple[ClientResponse, str]:
    """Send one request through the middleware to pages that only say where they are."""

    async def page(request: web.Request) -> web.Response:
        if error := ERRORS.get(request.path.strip("/")):
            raise error
        return web.Response(text=request.path)

    async def exchange() -> tuple[ClientResponse, str]:
        app = web.Application(middlewares=[edge.middleware(site)])
        app.on_response_prepare.append(edge.undated)
        app.router.add_route("*", "/{path:(?!nowhere).*}", page)
        async with TestClient(TestServer(app)) as client:
            response = await client.request(method, path, headers=headers, allow_redirects=False)
            return response, await response.text()

    return asyncio.run(exchange())


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/page", OURS, 200),
        ("GET", "/page", {**OURS, "Host": "other.test"}, 403),
        ("GET", "/page", {**OURS, "X-Forwarded-Host": "other.test"}, 403),
        ("GET", "/health", {"Host": "10.200.64.9"}, 200),
        ("GET", "/page", {"Host": "social.lab.test"}, 301),
        ("POST", "/page", {"Host": "social.lab.test"}, 308),
        ("GET", "/nowhere", OURS, 404),
        ("GET", "/wrong", OURS, 422),
        ("GET", "/forbidden", OURS, 403),
        ("GET", "/unavailable", OURS, 503),
        ("GET", "/broken", OURS, 500),
    ],
)
def test_each_request_gets_its_status(site: Site, method: str, path: str, headers: dict[str, str], status: int) -> None:
    response, body = ask(site, method, path, headers)
    assert response.status == status
    assert "secret detail" not in body
    assert "db:5432" not in body


def test_the_redirect_keeps_path_and_query(site: Site) -> None:
    response, _body = ask(site, "GET", "/page?q=1", {"Host": "social.lab.test"})
    assert response.headers["Location"] == "https://social.lab.test/page?q=1"


ELSEWHERE = {"Origin": "https://elsewhere.test"}


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("/.well-known/webfinger", True),
        ("/nodeinfo/2.0", True),
        ("/@alice", True),
        ("/users/alice", True),
        ("/api/v2/instance", True),
        ("/oauth/token", True),
        # Whoever follows an actor's id from a browser is refused, as it has been since 4.5.
        ("/ap/users/7", False),
        ("/actor", False),
        ("/users/alice/inbox", False),
        ("/oauth/authorize", False),
        ("/settings", False),
    ],
)
def test_other_sites_scripts_may_read_some_pages_when_they_say_who_they_are(
    site: Site, path: str, is_open: bool
) -> None:
    response, _body = ask(site, "GET", path, OURS | ELSEWHERE)
    assert (response.headers.get("Access-Control-Allow-Origin") == "*") is is_open
    assert response.headers["Server"] == "Mastodon"
    unsaid, _body = ask(site, "GET", path, OURS)
    assert "Access-Control-Allow-Origin" not in unsaid.headers
    # Caches are informed all the same.
    assert ("Origin" in unsaid.headers.get("Vary", "")) is is_open


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/v1/statuses", "POST", "POST, PUT, DELETE, GET, PATCH, OPTIONS"),
        ("/.well-known/webfinger", "GET", "GET"),
        ("/.well-known/webfinger", "POST", None),
        ("/ap/users/7", "GET", None),
    ],
)
def test_a_browser_that_asks_before_is_answered(site: Site, path: str, method: str, allowed: str | None) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    response, _body = ask(site, "OPTIONS", path, OURS | ELSEWHERE | asked)
    assert response.status == 200
    assert response.headers.get("Access-Control-Allow-Methods") == allowed
    assert response.headers.get("Access-Control-Allow-Headers") == ("authorization" if allowed else None)


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/page", OURS, True),
        ("/wrong", OURS, True),
        ("/page", {"Host": "social.lab.test"}, False),
        ("/page", {**OURS, "Host": "other.test"}, False),
    ],
)
def test_browsers_are_asked_to_stay_with_https(site: Site, path: str, headers: dict[str, str], said: bool) -> None:
    response, _body = ask(site, "GET", path, headers)
    wanted = "max-age=63072000; includeSubDomains" if said else None
    assert response.headers.get("Strict-Transport-Security") == wanted


@pytest.mark.parametrize(("trusted", "status"), [((), 500), (("127.0.0.0/8",), 200)])
def test_a_proxy_that_is_not_trusted_gets_no_answer(site: Site, trusted: tuple[str, ...], status: int) -> None:
    ours = replace(site, trusted_proxies=tuple(ipaddress.ip_network(network) for network in trusted))
    response, _body = ask(ours, "GET", "/page", {**OURS, "X-Forwarded-For": "198.51.100.7"})
    assert response.status == status
    # Who says of nobody else that they ask is no proxy.
    assert ask(ours, "GET", "/page", OURS)[0].status == 200


@pytest.mark.parametrize("path", ["/page", "/broken", "/nowhere"])
def test_what_time_it_is_is_left_to_whoever_is_in_front(site: Site, path: str) -> None:
    response, _text = ask(site, "GET", path, OURS)
    assert "Date" not in response.headers
