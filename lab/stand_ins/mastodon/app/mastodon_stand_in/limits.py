# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests the API takes of an app or an address (config/initializers/rack_attack.rb).

The address is that of the client only when the proxies before us are known: otherwise all share one limit.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from mastodon_stand_in import sessions
from mastodon_stand_in.errors import UnavailableError
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import Network

LIMIT = 300
PERIOD = 300
_SAFE = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Count:
    """How many requests of somebody this period has seen, and the moment of the latest."""

    count: int
    moment: float

    @property
    def is_too_many(self) -> bool:
        """Whether there may be no more."""
        return self.count > LIMIT

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer says of it."""
        reset = datetime.fromtimestamp(self.moment + PERIOD - int(self.moment) % PERIOD, UTC)
        return {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(max(LIMIT - self.count, 0)),
            "X-RateLimit-Reset": reset.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


def client(forwarded: str, remote: str, trusted: Sequence[Network]) -> str:
    """Return who asks: the nearest that is no proxy of ours, else the farthest (lib/action_dispatch/remote_ip_extensions.rb)."""
    ips = [ip for part in reversed(forwarded.split(",")) if (ip := _address(part.strip()))]
    foreign = [ip for ip in [remote, *ips] if not any(ipaddress.ip_address(ip) in network for network in trusted)]
    return next(iter(foreign), ips[-1] if ips else remote)


def is_forged(forwarded: str, remote: str, trusted: Sequence[Network]) -> bool:
    """Return whether somebody who is no proxy of ours says for whom they ask; Mastodon answers none of that."""
    return bool(forwarded.strip()) and not any(ipaddress.ip_address(remote) in network for network in trusted)


async def count(services: Services, request: web.Request) -> Count | None:
    """Count a request to the API; None for others, and when nobody can count."""
    if not request.path.startswith("/api"):
        return None
    forwarded = request.headers.get("X-Forwarded-For", "")
    address = client(forwarded, request.remote or _SAFE[0], services.site.trusted_proxies)
    moment = time.time()
    try:
        who = await _app(services, request) or f"address:{_network(address)}"
        if who.startswith("address:") and address in _SAFE:
            return None
        key = f"rack::attack:{int(moment) // PERIOD}:{who}"
        return Count(await services.run(lambda: services.cache.count(key, PERIOD)), moment)
    except UnavailableError:
        return None


async def _app(services: Services, request: web.Request) -> str:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    number = await services.query(lambda cursor: sessions.number_of(cursor, token)) if token else None
    return "" if number is None else f"token:{number}"


def _network(address: str) -> str:
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ip.version == 6 else address


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
