# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the platform's servers, of an authority of their own: trusting it is not trusting the cluster's."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from mastodon_lab.cluster import pki
from mastodon_lab.lab import Lab

AUTHORITY = "platform-ca"


def ensure(lab: Lab, servers: Mapping[str, tuple[str, str]]) -> None:
    """Make what is missing of the authority and the certificates: name → host name and address."""
    pki.authority(lab, AUTHORITY, "/CN=lab platform")
    for name, (host, address) in servers.items():
        pki.serving(lab, AUTHORITY, name, f"/CN={name}", f"DNS:{host},IP:{address}")


def authority_file(lab: Lab) -> Path:
    return lab.pki / f"{AUTHORITY}.crt"


def certificate(lab: Lab, name: str) -> str:
    """A certificate in base64, as Secrets have it."""
    return _encoded(lab.pki / f"{name}.crt")


def private_key(lab: Lab, name: str) -> str:
    """Its key in base64, as Secrets have it."""
    return _encoded(lab.pki / f"{name}.key")


def trust(lab: Lab) -> ssl.SSLContext:
    """What a client needs that trusts this authority and nobody else."""
    return ssl.create_default_context(cafile=str(authority_file(lab)))


def _encoded(file: Path) -> str:
    return b64encode(file.read_bytes()).decode()
