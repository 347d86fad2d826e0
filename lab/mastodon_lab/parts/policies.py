# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are NetworkPolicies enforced?"""

from __future__ import annotations

import re
import socket
import time
from http.client import HTTPConnection

PORT = 9080
SECONDS = 5.0
POLL_SECONDS = 0.02
# Nothing listens there: where no policy is enforced the pod itself refuses at once.
CLOSED = 1
_REFUSED = re.compile(r'(?m)^kube_network_policies_packet_count\{[^}]*verdict="drop"[^}]*\} (\S+)$')


def prove(address: str, node: str) -> None:
    """Raise OSError unless a connection to `address`, a pod that no policy lets anyone into, is seen to be dropped."""
    before = _dropped(node)
    with socket.socket() as link:
        link.setblocking(False)
        link.connect_ex((address, CLOSED))
        deadline = time.monotonic() + SECONDS
        while _dropped(node) <= before:
            if link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(f"a pod that no NetworkPolicy lets anyone into is reached at {address}")
            if time.monotonic() >= deadline:
                raise OSError(f"no packet to {address} is seen to be dropped")
            time.sleep(POLL_SECONDS)


def _dropped(node: str) -> float:
    """How many packets no policy let through so far."""
    connection = HTTPConnection(node, PORT, timeout=SECONDS)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return sum(float(count) for count in _REFUSED.findall(text))
