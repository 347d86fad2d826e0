# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who comes by IPv6 is let in where BIND says so, as with upstream's servers."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import ClientSession, web
from mastodon_stand_in import edge
from mastodon_stand_in.settings import Site
from mastodon_stand_in.sockets import listening


def reached(port: int) -> list[str]:
    """Return the addresses at which somebody listens."""
    found = []
    for address in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((address, port), 5).close()
        except OSError:
            continue
        found.append(address)
    return found


@pytest.mark.parametrize(
    ("given", "addresses"),
    [({}, ["127.0.0.1"]), ({"BIND": ""}, ["127.0.0.1"]), ({"BIND": "0.0.0.0"}, ["127.0.0.1"])]  # noqa: S104
    + [({"BIND": host}, ["127.0.0.1", "::1"]) for host in ("[::]", "::")]
    + [({"BIND": "::1"}, ["::1"])],
)
def test_it_listens_where_bind_says(given: dict[str, str], addresses: list[str]) -> None:
    with listening(given, 0) as sock:
        assert reached(sock.getsockname()[1]) == addresses


def answered(trusted: str) -> int:
    """Return what a Gateway is answered that comes by IPv4 to a socket of both families, and says for whom."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response()

    async def exchange() -> int:
        environment = {"LOCAL_DOMAIN": "lab.test", "TRUSTED_PROXY_IP": trusted}
        app = web.Application(middlewares=[edge.middleware(Site.from_environment(environment))])
        app.router.add_get("/page", page)
        runner = web.AppRunner(app)
        await runner.setup()
        with listening({"BIND": "[::]"}, 0) as sock:
            await web.SockSite(runner, sock).start()
            headers = {"Host": "lab.test", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
            url = f"http://127.0.0.1:{sock.getsockname()[1]}/page"
            async with ClientSession() as session, session.get(url, headers=headers) as response:
                status = response.status
            await runner.cleanup()
        return status

    return asyncio.run(exchange())


def test_who_comes_by_ipv4_to_both_is_trusted_only_where_that_is_named_as_with_older_puma() -> None:
    assert answered("") == answered("127.0.0.0/8,::1") == 500
    assert answered("::ffff:127.0.0.0/104") == 200
