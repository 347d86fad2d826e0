# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from mastodon_lab.errors import LabError
from mastodon_lab.parts import s3
from requests_aws4auth import AWS4Auth

ACCOUNT = s3.Account("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


class Store(ThreadingHTTPServer):
    """Keeps objects in memory; `status` gives other answers by method and path's first letters."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, bool]] = []
        self.status: dict[str, int] = {}
        self.spoil = False
        self.private = True


class Handler(BaseHTTPRequestHandler):
    server: Store

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, "Authorization" in self.headers))
        name = "object" if self.path.count("/") > 1 else "bucket"
        if self.server.private and "Authorization" not in self.headers:
            self.send_error(403)
            return
        content = b""
        if self.command == "PUT":
            self.server.objects[self.path] = body
        elif self.command == "GET":
            content = b"other" if self.server.spoil else self.server.objects[self.path]
        self.send_response(self.server.status.get(f"{self.command} {name}", 200))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_GET = do_DELETE = _answer  # noqa: N815 the handler's interface

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the handler's interface
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with Store() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(s3, "PORT", server.server_port)
        yield server
        server.shutdown()


@pytest.mark.parametrize("made", [200, 409], ids=["new", "there already"])
def test_the_buckets_are_made_and_nobody_is_let_in(store: Store, made: int) -> None:
    store.status["PUT bucket"] = made
    s3.set_up("127.0.0.1", ACCOUNT)
    assert store.asked == [("PUT", "/mastodon", True), ("PUT", "/media-copy", True)]


def test_a_refused_set_up_is_said(store: Store) -> None:
    store.status["PUT bucket"] = 403
    with pytest.raises(LabError, match="making bucket mastodon failed: it answers 403"):
        s3.set_up("127.0.0.1", ACCOUNT)


def test_the_proof_is_refused_without_an_account_and_leaves_nothing(store: Store) -> None:
    s3.prove("127.0.0.1", ACCOUNT)
    assert [(method, signed) for method, _, signed in store.asked] == [
        ("PUT", True),
        ("GET", True),
        ("GET", False),
        ("DELETE", True),
    ]
    assert len({path for _, path, _ in store.asked}) == 1


def test_a_server_that_lets_anyone_in_is_noticed(store: Store) -> None:
    store.private = False
    with pytest.raises(LabError, match="refusing who has no account failed: it answers 200"):
        s3.prove("127.0.0.1", ACCOUNT)


@pytest.mark.parametrize("failing", ["PUT object", "GET object", "DELETE object"])
def test_a_failed_proof_is_said(store: Store, failing: str) -> None:
    store.status[failing] = 500
    with pytest.raises(LabError, match="it answers 500"):
        s3.prove("127.0.0.1", ACCOUNT)


def test_a_spoilt_object_is_noticed(store: Store) -> None:
    store.spoil = True
    with pytest.raises(LabError, match="not the object put"):
        s3.prove("127.0.0.1", ACCOUNT)


def test_no_server_is_said(store: Store) -> None:
    store.shutdown()
    store.server_close()
    with pytest.raises(LabError, match=r"^S3 server: it does not answer: "):
        s3.prove("127.0.0.1", ACCOUNT)


def test_the_signature_is_that_of_other_clients() -> None:
    address = "http://s3.lab.test:8333/mastodon/some object"
    request = requests.Request("PUT", address, data=b"content").prepare()
    headers = s3.signature(ACCOUNT, "PUT", "/mastodon/some object", b"content", "s3.lab.test:8333", datetime.now(UTC))
    request.headers["x-amz-date"] = headers["x-amz-date"]
    signed = ("host", "x-amz-content-sha256", "x-amz-date")
    AWS4Auth(ACCOUNT.access_key, ACCOUNT.secret_key, s3.REGION, "s3", include_hdrs=signed)(request)
    assert dict(
        part.split("=", 1) for part in str(request.headers["Authorization"]).split(" ", 1)[1].split(", ")
    ) == dict(part.split("=", 1) for part in headers["Authorization"].split(" ", 1)[1].split(", "))
