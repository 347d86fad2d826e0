# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.parts import s3

ACCOUNT = s3.Account("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


class Store(ThreadingHTTPServer):
    """Keeps objects in memory; `status` gives other answers by method and path's first letters."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, bool]] = []
        self.status: dict[str, int] = {}
        self.spoil = False


class Handler(BaseHTTPRequestHandler):
    server: Store

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, "Authorization" in self.headers))
        name = "policy" if self.path.endswith("?policy") else "object" if self.path.count("/") > 1 else "bucket"
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
def test_the_bucket_is_made_and_opened_for_reading(store: Store, made: int) -> None:
    store.status["PUT bucket"] = made
    s3.set_up("127.0.0.1", ACCOUNT)
    assert store.asked == [("PUT", "/mastodon", True), ("PUT", "/mastodon?policy", True)]
    assert b'"s3:GetObject"' in store.objects["/mastodon?policy"]


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("PUT bucket", "making bucket mastodon failed: it answers 403"),
        ("PUT policy", "letting anyone read bucket mastodon failed: it answers 403"),
    ],
)
def test_a_refused_set_up_is_said(store: Store, failing: str, said: str) -> None:
    store.status[failing] = 403
    with pytest.raises(LabError, match=said):
        s3.set_up("127.0.0.1", ACCOUNT)


def test_the_proof_reads_without_an_account_and_leaves_nothing(store: Store) -> None:
    s3.prove("127.0.0.1", ACCOUNT)
    assert [(method, signed) for method, _, signed in store.asked] == [("PUT", True), ("GET", False), ("DELETE", True)]
    assert len({path for _, path, _ in store.asked}) == 1


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


def test_the_signature_is_amazon_s() -> None:
    """The documented example for a bucket's subresource, whose region is ours too.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#example-signature-calculations
    """
    moment = datetime(2013, 5, 24, tzinfo=UTC)
    headers = s3.signature(ACCOUNT, "GET", "/", "lifecycle", b"", "examplebucket.s3.amazonaws.com", moment)
    assert headers["Authorization"].endswith(
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )
    assert headers["x-amz-date"] == "20130524T000000Z"
