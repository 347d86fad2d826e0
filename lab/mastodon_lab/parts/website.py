# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web site at the bare domain: is it there, with a certificate that the ACME server issued, and does it send other servers on?"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import acme, nameserver
from mastodon_lab.parts.keys import Keys

HOST = nameserver.ZONE
# Where it sends other servers.
MASTODON = f"social.{HOST}"
LOOKUP = f"/.well-known/webfinger?resource=acct:somebody@{HOST}"
SECONDS = 5.0
ADVICE = "See `kubectl -n website logs deployment/website`."


def prove(lab: Lab, _keys: Keys) -> None:
    """Raise LabError or OSError unless it has a page, and sends whoever looks somebody up on to Mastodon, and no one else."""
    trust = ssl.create_default_context(cadata=acme.roots_file(lab).read_text())
    if (page := _get(lab.website_ip, "/", trust))[0] != 200:
        raise LabError(f"Web site: its page answers {page[0]}. {ADVICE}")
    status, headers = _get(lab.website_ip, LOOKUP, trust)
    found = (status, headers.get("location"), headers.get("access-control-allow-origin"))
    if found != (301, f"https://{MASTODON}{LOOKUP}", "*"):
        raise LabError(f"Web site: it does not send a lookup on to {MASTODON}: it answers {found}. {ADVICE}")


class _Here(HTTPSConnection):
    """HTTPS to the host at its address, as this machine knows no name of the lab."""

    def __init__(self, address: str, trust: ssl.SSLContext) -> None:
        super().__init__(HOST, timeout=SECONDS, context=trust)
        self._place = (address, 443)
        self._trust = trust

    def connect(self) -> None:
        self.sock = self._trust.wrap_socket(
            socket.create_connection(self._place, self.timeout), server_hostname=self.host
        )


def _get(address: str, path: str, trust: ssl.SSLContext) -> tuple[int, Mapping[str, str]]:
    connection = _Here(address, trust)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    except HTTPException as error:
        raise OSError(f"what answers there is no web server: {error}") from error
    finally:
        connection.close()
