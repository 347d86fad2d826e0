# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets to other servers."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from functools import partial

Connection = socket.socket
# Opens a socket to one server, such as one that there is no route to.
Dial = Callable[[], socket.socket]


def has_route(address: str) -> bool:
    """Whether this machine has a route to an address, whatever routers further on say of it. Nothing is sent.

    Over IPv6 nobody answers in the world who would be asked from an address of a network's own.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.connect((address, 443))
            own = ipaddress.ip_address(link.getsockname()[0].partition("%")[0])
    except OSError:
        return False
    return own.version == 4 or own.is_global or not ipaddress.ip_address(address).is_global


def direct(host: str, port: int, seconds: float | None = None) -> Dial:
    """Return the way that the routes of this machine take."""
    return partial(socket.create_connection, (host, port), seconds)
