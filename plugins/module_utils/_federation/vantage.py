# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a look is taken from: a way to open TCP."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Connection, Dial, direct, has_route

# From an address, a port and seconds.
Way = Callable[[str, int, float], Dial]


@dataclass(frozen=True)
class Vantage:
    """One place, and how connections are opened from there."""

    name: str
    way: Way
    # Where addresses are reached from as well, to compare.
    beside: Vantage | None = None
    # Addresses of those that are asked there; none where that is not known.
    nameservers: Sequence[str] = ()
    # Whether it is known to have a route to an address: then it is a router on the way that says that there is none.
    has_route: Callable[[str], bool] = lambda _address: False

    def connect(self, address: str, port: int, until: float) -> Connection:
        """Return a connection, until a moment of the monotonic clock. Raises OSError."""
        return self.way(address, port, max(until - time.monotonic(), 0.001))()


HERE = Vantage("this machine", direct, has_route=has_route)
