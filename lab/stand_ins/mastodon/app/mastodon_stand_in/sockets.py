# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the processes listen: at BIND, which upstream's image has as 0.0.0.0, so that nobody comes by IPv6."""

from __future__ import annotations

import socket
from collections.abc import Mapping

_EVERYWHERE = "0.0.0.0"  # noqa: S104 a pod


def listening(environment: Mapping[str, str], port: int) -> socket.socket:
    """Return a socket at PORT, or at `port`. By `::` both families come, as with Puma and Node.js."""
    host = (environment.get("BIND") or _EVERYWHERE).strip("[]")
    place = (host, int(environment.get("PORT") or port))
    if ":" in host:
        return socket.create_server(place, family=socket.AF_INET6, dualstack_ipv6=host == "::")
    return socket.create_server(place)
