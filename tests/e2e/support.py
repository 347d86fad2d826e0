# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a lab on which site.yml ran share."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..conftest import Lab
from .zone import EXTERNAL_DNS

Found = TypeVar("Found")

# What PodSecurity "restricted", which the lab enforces in Mastodon's namespace, wants of a pod and of each of its containers.
POD_SECURITY = {
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def eventually(probe: Callable[[], Found], is_right: Callable[[Found], bool], seconds: float = 120) -> Found:
    """Ask until the answer is right, and return it."""
    deadline = time.monotonic() + seconds
    while not is_right(found := probe()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s it is still {found!r}"
        time.sleep(0.5)
    return found


@contextmanager
def connected(lab: Lab, domain: str) -> Iterator[http.client.HTTPSConnection]:
    """Connect to a host by the Gateway's address, over TLS that its certificate is valid for."""
    trust = lab.trust()
    plain = socket.create_connection((lab.facts["gateway_address"], 443), timeout=30)
    connection = http.client.HTTPSConnection(domain, context=trust)
    connection.sock = trust.wrap_socket(plain, server_hostname=domain)
    try:
        yield connection
    finally:
        connection.close()


def served(lab: Lab, domain: str) -> str:
    """Return which domain answers at a host."""
    with connected(lab, domain) as connection:
        connection.request("GET", "/api/v2/instance")
        return str(json.loads(connection.getresponse().read())["domain"])


@contextmanager
def external_dns_standing_still(lab: Lab) -> Iterator[None]:
    """Keep external-dns from putting a record right before anybody has looked."""
    scale = ("scale", "deployment", "-n=external-dns", "external-dns-mastodon")
    patch = '{"spec":{"suspend":%s}}'
    lab.kubectl("patch", *EXTERNAL_DNS, "--type=merge", "--patch", patch % "true")
    lab.kubectl(*scale, "--replicas=0")
    try:
        yield
    finally:
        lab.kubectl("patch", *EXTERNAL_DNS, "--type=merge", "--patch", patch % "false")
        lab.kubectl(*scale, "--replicas=1")
