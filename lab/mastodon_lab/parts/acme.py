# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the lab's Let's Encrypt ready for orders? RFC 8555 section 7.1."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from pathlib import Path

from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

HOST = "pebble.acme.svc.cluster.local"
PORT = 14000
MANAGEMENT_PORT = 15000
DIRECTORY = f"https://{HOST}:{PORT}/dir"
SECONDS = 5.0
ADVICE = "See `kubectl -n acme logs deployment/pebble`."


def prove(address: str, trust: ssl.SSLContext) -> None:
    """Raise LabError or OSError unless it offers accounts and orders, gives nonces, and has a root to trust."""
    directory = json.loads(_get(address, PORT, "/dir", trust))
    if missing := {"newNonce", "newAccount", "newOrder", "revokeCert"} - directory.keys():
        raise LabError(f"ACME server: its directory lacks {', '.join(sorted(missing))}. {ADVICE}")
    _get(address, PORT, "/nonce-plz", trust)
    if "BEGIN CERTIFICATE" not in root(address, trust):
        raise LabError(f"ACME server: it has no root certificate. {ADVICE}")


def roots_file(lab: Lab) -> Path:
    """Every root that it issued from since the lab was made, in PEM: what they vouch for is served until it is renewed."""
    return lab.state / "acme-roots.pem"


def note_root(lab: Lab, address: str, trust: ssl.SSLContext) -> None:
    """Add the root of this start to the file."""
    file, now = roots_file(lab), root(address, trust).strip()
    noted = file.read_text() if file.exists() else ""
    if now not in noted:
        write_private(file, f"{noted}{now}\n")


def root_url(address: str) -> str:
    """Where the root of what it issues is fetched; it makes a new one whenever it starts."""
    return f"https://{address}:{MANAGEMENT_PORT}/roots/0"


def root(address: str, trust: ssl.SSLContext) -> str:
    """The root of what it issues now, in PEM."""
    return _get(address, MANAGEMENT_PORT, "/roots/0", trust)


def _get(address: str, port: int, path: str, trust: ssl.SSLContext) -> str:
    connection = HTTPSConnection(address, port, timeout=SECONDS, context=trust)
    try:
        # Section 6.1: clients say who they are.
        connection.request("GET", path, headers={"User-Agent": "fediverse-mastodon-lab"})
        answer = connection.getresponse()
        content = answer.read().decode()
    finally:
        connection.close()
    if answer.status not in (200, 204):
        raise LabError(f"ACME server: GET {path} fails: it answers {answer.status}. {ADVICE}")
    return content
