# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets to other servers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

Connection = socket.socket
# Opens a socket to one server, such as one that there is no route to.
Dial = Callable[[], socket.socket]


def direct(host: str, port: int, seconds: float | None = None) -> Dial:
    """Return the way that the routes of this machine take."""
    return partial(socket.create_connection, (host, port), seconds)
