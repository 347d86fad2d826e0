# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from mastodon_lab.build.image import File, Run, write_layer, write_layout
from mastodon_lab.cluster.mirror import MANIFEST, Files

REFERENCE = "ghcr.io/some/thing:v1"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "secret").write_text("outside")
    folder = tmp_path / "mirror"
    (folder / "charts").mkdir(parents=True)
    (folder / "charts" / "index.yaml").write_text("entries: {}")
    write_layer(tmp_path / "layer.tar", {"file": File(b"content")})
    write_layout(folder / "images", {REFERENCE: Run()}, [tmp_path / "layer.tar"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/charts/index.yaml", 200),
        ("HEAD", "/charts/index.yaml", 200),
        ("GET", "/v2/", 200),
        ("GET", "/charts/missing.tgz", 404),
        ("GET", "/charts/", 404),
        ("GET", "/v2/some/thing/manifests/v2?ns=ghcr.io", 404),
        ("GET", "/v2/some/thing/manifests/v1?ns=docker.io", 404),
        ("GET", "/v2/some/thing/manifests/v1", 404),
        ("GET", "/v2/some/thing/blobs/../../../../secret?ns=ghcr.io", 404),
        ("GET", "/v2/some/thing/blobs/sha256:..?ns=ghcr.io", 404),
        ("GET", "/../secret", 404),
        ("GET", "/charts/%2e%2e/%2e%2e/secret", 404),
        ("POST", "/charts/index.yaml", 501),
        ("PUT", "/charts/index.yaml", 501),
    ],
)
def test_only_files_below_the_mirror_are_given(port: int, method: str, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == status
    assert (body == b"entries: {}") == (status == 200 and method == "GET" and path != "/v2/")


def get(port: int, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_an_image_is_pulled_as_a_registry_gives_it(port: int) -> None:
    head, _ = get(port, "/v2/some/thing/manifests/v1?ns=ghcr.io", "HEAD")
    digest = str(head.headers["Docker-Content-Digest"])
    answer, manifest = get(port, f"/v2/some/thing/manifests/{digest}?ns=ghcr.io")
    assert (answer.headers["Content-Type"], digest_of(manifest)) == (MANIFEST, digest)
    parts = json.loads(manifest)
    for part in (parts["config"], *parts["layers"]):
        answer, blob = get(port, f"/v2/some/thing/blobs/{part['digest']}?ns=ghcr.io")
        assert (answer.status, digest_of(blob)) == (200, part["digest"])


def test_an_image_that_is_not_there_has_no_digest(port: int) -> None:
    answer, _ = get(port, "/v2/some/thing/manifests/v2?ns=ghcr.io")
    assert "Docker-Content-Digest" not in answer.headers
