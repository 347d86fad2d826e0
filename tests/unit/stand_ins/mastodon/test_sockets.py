# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who comes by IPv6 is let in where BIND says so, as with upstream's servers."""

from __future__ import annotations

import socket

import pytest
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
