# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 server with one bucket, as far as its policy and anonymous requests go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys

KEYS = Keys("AKIA", "not-told", "Secret mastodon/mastodon-s3")


@dataclass
class S3:
    """What the server holds, and what it was asked to write."""

    port: int = 0
    bucket: str = "media"
    objects: dict[str, bytes] = field(default_factory=dict)
    policy: dict[str, Any] | None = None
    writes: list[str] = field(default_factory=list)
    # How it differs from a server that does what it is asked.
    listable: bool = False
    readable: bool = False
    writable: bool = False
    # What is answered to anyone in place of a verdict, each once.
    breathless: list[int] = field(default_factory=list)
    obeys_policies: bool = True
    knows_policies: bool = True
    accepts: str = "AKIA"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, query: str, body: bytes, signer: str) -> tuple[int, bytes]:
        """Answer one request; `signer` is empty for anyone."""
        bucket, _unused, key = path.strip("/").partition("/")
        if bucket != self.bucket:
            return 404, error("NoSuchBucket")
        if not signer and self.breathless:
            return self.breathless.pop(0), error("SlowDown")
        if signer and signer != self.accepts:
            return 403, error("InvalidAccessKeyId")
        if "policy" in parse_qs(query, keep_blank_values=True):
            return self._policy(method, body)
        return self._object(method, key, body, signer) if key else self._list(signer)

    def _policy(self, method: str, body: bytes) -> tuple[int, bytes]:
        if not self.knows_policies:
            return 501, error("NotImplemented")
        if method == "PUT":
            self.policy = json.loads(body)
            self.writes.append("policy")
            return 204, b""
        if method == "DELETE":
            self.policy = None
            self.writes.append("no policy")
            return 204, b""
        return (200, json.dumps(self.policy).encode()) if self.policy else (404, error("NoSuchBucketPolicy"))

    def _object(self, method: str, key: str, body: bytes, signer: str) -> tuple[int, bytes]:
        if not signer and not (self.writable if method == "PUT" else self._anyone_reads(key)):
            return 403, error("AccessDenied")
        if method == "PUT":
            self.objects[key] = body
            self.writes.append(key)
            return 200, b""
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, b""
        return (200, self.objects[key]) if key in self.objects else (404, error("NoSuchKey"))

    def _list(self, signer: str) -> tuple[int, bytes]:
        return (200, b"<ListBucketResult/>") if signer or self.listable else (403, error("AccessDenied"))

    def _anyone_reads(self, key: str) -> bool:
        statements = self.policy["Statement"] if self.policy and self.obeys_policies else []
        return self.readable or any(self._allows(one, key) for one in statements)

    def _allows(self, statement: dict[str, Any], key: str) -> bool:
        everybody = statement["Principal"] in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        covers = any(fnmatchcase(f"arn:aws:s3:::{self.bucket}/{key}", one) for one in statement["Resource"])
        return statement["Effect"] == "Allow" and everybody and "s3:GetObject" in statement["Action"] and covers


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>told by the server</Message></Error>".encode()


def handler(server: S3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name in ("do_GET", "do_PUT", "do_DELETE"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            credential = (self.headers.get("Authorization") or "").partition("Credential=")[2].partition("/")[0]
            status, content = server.answer(self.command, parts.path, parts.query, body, credential)
            self.send_response(status)
            # A body must not follow 204.
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def s3() -> Iterator[S3]:
    """A server on the loopback."""
    server = S3()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(server)) as listening:
        server.port = listening.server_port
        thread = Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


@pytest.fixture
def bucket(s3: S3) -> Bucket:
    """Its bucket."""
    return Bucket(s3.endpoint, "media", "us-east-1", KEYS)
