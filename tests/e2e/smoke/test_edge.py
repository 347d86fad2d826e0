# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a name to an answer: a certificate over DNS-01, a record by external-dns, a route over TLS."""

from __future__ import annotations

import socket
from base64 import b64decode

from mastodon_lab.parts import dns

from ...conftest import Lab
from ..support import eventually
from .edge import HOST, SPACE
from .support import wait_ready


def address(server: str) -> str:
    """What a name server says of HOST; nothing while it knows no such name."""
    try:
        return dns.address_of(HOST, server)
    except OSError:
        return ""


def answer_of(lab: Lab, ip: str) -> bytes:
    """What HOST answers over HTTPS at this address, its certificate trusted; nothing while it doesn't."""
    request = f"GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode()
    try:
        with (
            socket.create_connection((ip, 443), 5) as link,
            lab.trust().wrap_socket(link, server_hostname=HOST) as secure,
        ):
            secure.sendall(request)
            return secure.makefile("rb").read()
    except OSError:
        return b""


def test_a_certificate_is_issued_over_dns(space: Lab) -> None:
    wait_ready(space, "certificate", SPACE, "web")
    issued = b64decode(space.get("secret", f"-n={SPACE}", "web-tls")["data"]["tls.crt"]).decode()
    assert issued.count("BEGIN CERTIFICATE") == 2


def test_a_record_is_written_and_answered_over_tls(space: Lab) -> None:
    ip = eventually(lambda: address(space.facts["nameserver_address"]), bool)
    assert ip == space.facts["gateway_address"]
    answer = eventually(lambda: answer_of(space, ip), lambda found: b"hello" in found)
    assert answer.startswith(b"HTTP/1.0 200")


def test_a_route_s_record_goes_with_it(space: Lab) -> None:
    eventually(lambda: address(space.facts["nameserver_address"]), bool)
    space.kubectl("delete", "httproute", f"-n={SPACE}", "web")
    eventually(lambda: address(space.facts["nameserver_address"]), lambda found: not found)
