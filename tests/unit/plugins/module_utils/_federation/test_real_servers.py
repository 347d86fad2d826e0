# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers of others, from PyPI and npm and with TLS in front, are judged rightly; and so is what stands in their way.

None has all that Mastodon has, and pubby and ActivityRelay do not say 401 where Mastodon does.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target

from . import real_servers
from .mastodon import DOMAIN, Answer, Request, Response, moved, page
from .real_servers import ACCOUNTS, Place
from .world import PUBLIC, World, faults

pytestmark = pytest.mark.skipif(
    "TEST_SERVERS" not in os.environ, reason="left out: servers of others are installed for it"
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_servers.python(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_servers.modules(tmp_path_factory.mktemp("modules"))


def behind_a_gateway(port: int) -> Answer:
    """Return what a server answers, asked as a gateway asks it."""
    return lambda request: moved(f"https://{request.host}/") if request.port == 80 else _asked(port, request)


def _asked(port: int, request: Request) -> Response:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    hidden = ("connection", "content-length", "upgrade")
    headers = {name: value for name, value in request.headers.items() if name not in hidden}
    link.request(request.method, request.path, request.body or None, {**headers, "X-Forwarded-Proto": "https"})
    answer = link.getresponse()
    body = answer.read()
    dropped = ("transfer-encoding", "content-length", "connection")
    return Response(
        answer.status, body, {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
    )


@pytest.fixture
def pubby(python: Path, tmp_path: Path) -> Iterator[Answer]:
    with Place(tmp_path, DOMAIN).pubby(python) as port:
        yield behind_a_gateway(port)


@pytest.fixture
def relay(python: Path, tmp_path: Path) -> Iterator[Answer]:
    with Place(tmp_path, DOMAIN).relay(python) as port:
        yield behind_a_gateway(port)


@pytest.fixture
def fedify(modules: Path, tmp_path: Path) -> Iterator[Answer]:
    with Place(tmp_path, DOMAIN).fedify(modules) as port:
        yield behind_a_gateway(port)


def declared(world: World, account: str, answer: Answer) -> None:
    world.target = Target(DOMAIN, DOMAIN, account=account, taken_as_public=PUBLIC)
    world.answer = answer


@pytest.mark.parametrize(("server", "account"), ACCOUNTS.items())
def test_servers_of_others_pass_as_they_are(
    world: World, request: pytest.FixtureRequest, server: str, account: str
) -> None:
    declared(world, account, request.getfixturevalue(server))
    report = world.look()
    assert faults(report) == []
    assert report.passed


@pytest.mark.parametrize(("server", "account"), ACCOUNTS.items())
def test_a_firewall_in_front_of_them_loses_posts_all_the_same(
    world: World, request: pytest.FixtureRequest, server: str, account: str
) -> None:
    site: Answer = request.getfixturevalue(server)
    declared(world, account, lambda asked: page(403) if asked.method == "POST" else site(asked))
    report = world.look()
    assert [one.split(":")[0] for one in faults(report) if one.startswith("LOST")]
    assert not report.passed
