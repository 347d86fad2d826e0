# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections are kept, and noticed to be dead."""

from __future__ import annotations

import socket

# A VPN that went away, or a laptop that slept, leaves connections on which nothing ever comes again.
_IDLE_SECONDS = 15
_EVERY_SECONDS = 5
_PROBES = 3
_UNACKNOWLEDGED_SECONDS = 30
# By the names that systems have for them; macOS calls the first one differently.
_OPTIONS = (
    ("TCP_NODELAY", 1),
    ("TCP_KEEPIDLE", _IDLE_SECONDS),
    ("TCP_KEEPALIVE", _IDLE_SECONDS),
    ("TCP_KEEPINTVL", _EVERY_SECONDS),
    ("TCP_KEEPCNT", _PROBES),
    ("TCP_USER_TIMEOUT", _UNACKNOWLEDGED_SECONDS * 1000),
)


def options() -> list[tuple[int, int, int]]:
    """Return what to set on a connection so that the kernel closes it within 30 s of silence."""
    found = [
        (socket.IPPROTO_TCP, int(getattr(socket, name)), value) for name, value in _OPTIONS if hasattr(socket, name)
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *found]
