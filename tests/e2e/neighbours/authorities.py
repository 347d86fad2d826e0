# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ACME server that has issued too much: the lab's, but for orders, which it refuses as Let's Encrypt does."""

from __future__ import annotations

import json
import ssl
from contextlib import ExitStack
from urllib.parse import urlsplit
from urllib.request import urlopen

from ...conftest import Lab
from ..zone import Zone
from .breaking import AUTHORITY, waiting
from .fronts import Answer, Asked, Pass, answered

HOST = "limits.lab.test"
# https://letsencrypt.org/docs/rate-limits/
REFUSAL = {
    "type": "urn:ietf:params:acme:error:rateLimited",
    "status": 429,
    "detail": "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, "
    "retry after 2026-12-01 10:00:00 UTC",
}


def limited(stack: ExitStack, lab: Lab) -> None:
    """Let the listener wait for a certificate that is not issued, as there were too many."""
    known = directory(lab)

    def answer(asked: Asked, _ask: Pass) -> Answer:
        if asked.method == "GET":
            return Answer(200, {"content-type": "application/json"}, json.dumps(known).encode())
        return Answer(429, {"content-type": "application/problem+json"}, json.dumps(REFUSAL).encode())

    address = lab.facts["machine_address"]
    stack.enter_context(answered(lab, address, "".join(AUTHORITY.issue(HOST)), answer))
    stack.enter_context(Zone(lab).added(HOST, "A", address))
    solver = {"dns01": {"rfc2136": {"nameserver": f"{lab.facts['nameserver_address']}:53"}}}
    waiting(stack, lab, solver, f"https://{HOST}/directory")


def directory(lab: Lab) -> dict[str, object]:
    """Return where the lab's takes what, with another place for orders."""
    there, port = urlsplit(lab.facts["acme_root"]).hostname, urlsplit(lab.facts["acme_directory"]).port
    platform = ssl.create_default_context(cafile=lab.facts["acme_ca_file"])
    with urlopen(f"https://{there}:{port}/dir", timeout=30, context=platform) as answer:
        known: dict[str, object] = json.loads(answer.read())
    return {**known, "newOrder": f"https://{HOST}/order"}
