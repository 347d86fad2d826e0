# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses may be asked from inside the cluster (app/lib/request.rb)."""

from __future__ import annotations

import ipaddress
import socket

from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.settings import Network


def check(subject: str, host: str, allowed: tuple[Network, ...]) -> None:
    """Refuse what lies inside the cluster, unless ALLOWED_PRIVATE_ADDRESSES has it."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise UnavailableError(f"{subject} {host}: {error}.") from error
    for address in map(ipaddress.ip_address, found):
        if not address.is_global and not any(address in network for network in allowed):
            raise RefusalError(f"{subject} {host}: {address} is private. Put it into ALLOWED_PRIVATE_ADDRESSES.")
