# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ssl
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from socket import create_connection, create_server
from threading import Thread

import pytest
from mastodon_lab.cluster import pki
from mastodon_lab.lab import Lab
from mastodon_lab.parts import certificates

SERVERS = {"thing": ("thing.lab.test", "127.0.0.1")}


@pytest.fixture
def certified(lab: Lab) -> Lab:
    lab.pki.mkdir()
    certificates.ensure(lab, SERVERS)
    return lab


@pytest.fixture
def port(certified: Lab) -> Iterator[int]:
    """A TLS server with the certificate, that closes every connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.pki / "thing.crt", certified.pki / "thing.key")
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            link, _ = listener.accept()
            with context.wrap_socket(link, server_side=True):
                pass

        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["thing.lab.test", "127.0.0.1"])
def test_a_server_is_known_by_name_and_address(certified: Lab, port: int, name: str) -> None:
    with (
        create_connection(("127.0.0.1", port), 5) as link,
        certificates.trust(certified).wrap_socket(link, server_hostname=name) as trusted,
    ):
        assert trusted.version()


def test_nothing_is_made_twice(certified: Lab) -> None:
    before = {file.name: file.read_bytes() for file in certified.pki.iterdir()}
    certificates.ensure(certified, SERVERS)
    assert {file.name: file.read_bytes() for file in certified.pki.iterdir()} == before


def test_the_authority_is_not_the_cluster_s(certified: Lab) -> None:
    pki.ensure(certified)
    cluster = ("openssl", "verify", "-CAfile", str(certified.pki / "ca.crt"), str(certified.pki / "thing.crt"))
    assert subprocess.run(cluster, capture_output=True, check=False).returncode


def test_secrets_have_both_in_base64(certified: Lab) -> None:
    assert b64decode(certificates.certificate(certified, "thing")).startswith(b"-----BEGIN CERTIFICATE")
    assert b64decode(certificates.private_key(certified, "thing")).startswith(b"-----BEGIN PRIVATE KEY")
