# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 server with one bucket, as far as its policy and anonymous requests go."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Keys

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
    keeps: bool = False
    full: bool = False
    # What is answered to anyone in place of a verdict, each once.
    breathless: list[int] = field(default_factory=list)
    obeys_policies: bool = True
    # How often a gateway that does not know the policy yet answers anyone who asks for a key.
    late: dict[str, int] = field(default_factory=dict)
    # What it does with ACLs: "obeyed" as by Ceph, and by AWS where they are on; "ignored" as by MinIO; or refused with an
    # answer such as 400 AccessControlListNotSupported, by AWS where they are off, 501 NotImplemented, by R2, and 403
    # AccessDenied, where public ones are blocked or the keys may not give any.
    acls: str | tuple[int, str] = "ignored"
    public: set[str] = field(default_factory=set)
    knows_policies: bool = True
    # Whose keys they are, and what of another user's is kept from him unless a policy gives it, as by Ceph.
    user: str = "obc-mastodon-mastodon-s3-2"
    withheld: set[str] = field(default_factory=set)
    # What a block of public access holds; None where it knows of none, as MinIO and VersityGW.
    block: list[str] | None = None
    # Whether it answers those who have no keys at all, which R2 does not.
    knows_anyone: bool = True
    accepts: str = "AKIA"
    # How many folders a list names at once.
    page: int = 1000

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Answer one request."""
        signer = (headers.get("Authorization") or "").partition("Credential=")[2].partition("/")[0]
        bucket, _unused, key = path.strip("/").partition("/")
        if signer and not bucket:
            return 200, f"<ListAllMyBucketsResult><Owner><ID>{self.user}</ID></Owner></ListAllMyBucketsResult>".encode()
        if bucket != self.bucket:
            return 404, error("NoSuchBucket")
        if not signer and not self.knows_anyone:
            return 400, error("InvalidArgument")
        if not signer and self.breathless:
            return self.breathless.pop(0), error("SlowDown")
        if signer and signer != self.accepts:
            return 403, error("InvalidAccessKeyId")
        if signer and not _all_signed(headers):
            return 403, error("HeadersNotSigned")
        asked = parse_qs(query, keep_blank_values=True)
        return self._known(method, key, asked, body, signer, headers)

    def _known(
        self, method: str, key: str, asked: Mapping[str, Any], body: bytes, signer: str, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Answer somebody who may ask."""
        for name, about in (("policy", self._policy), ("publicAccessBlock", self._public_access)):
            if name in asked:
                return about(method, body)
        if "delete" in asked and method == "POST":
            return self._delete(body, headers) if signer else (403, error("AccessDenied"))
        if "x-amz-acl" in headers and isinstance(self.acls, tuple):
            return self.acls[0], error(self.acls[1])
        return self._object(method, key, body, signer, headers) if key else self._list(signer, asked)

    def _delete(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """As the SDK that Mastodon has asks for it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
        if headers.get("x-amz-checksum-crc32") != base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode():
            return 400, error("BadDigest")
        for key in re.findall("<Key>(.*?)</Key>", body.decode()):
            if self.keeps:
                return (
                    200,
                    f"<DeleteResult><Error><Key>{key}</Key><Code>AccessDenied</Code></Error></DeleteResult>".encode(),
                )
            self.objects.pop(key, None)
        return 200, b"<DeleteResult/>"

    def _public_access(self, method: str, body: bytes) -> tuple[int, bytes]:
        if self.block is None:
            return 501, error("NotImplemented")
        if method == "GET" and not self.block:
            return 404, error("NoSuchPublicAccessBlockConfiguration")
        if method == "GET":
            return 200, "".join(f"<{name}>true</{name}>" for name in self.block).encode()
        self.block = re.findall(r"<(\w+)>true<", body.decode()) if method == "PUT" else []
        self.writes.append("block" if method == "PUT" else "no block")
        return 200, b""

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

    def _object(self, method: str, key: str, body: bytes, signer: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if not signer and not (self.writable if method == "PUT" else self._anyone_reads(key)):
            return 403, error("AccessDenied")
        if method == "PUT" and self.full:
            return 403, error("QuotaExceeded")
        if signer and key in self.withheld and not self._is_given():
            return 403, error("AccessDenied")
        if method == "PUT":
            self.objects[key] = body
            self.public.discard(key)
            if self.acls == "obeyed" and headers.get("x-amz-acl") == "public-read":
                self.public.add(key)
            self.writes.append(key)
            return 200, b""
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, b""
        return (200, self.objects[key]) if key in self.objects else (404, error("NoSuchKey"))

    def _list(self, signer: str, asked: Mapping[str, Any]) -> tuple[int, bytes]:
        """Name folders a page at a time: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
        if not signer and not self.listable:
            return 403, error("AccessDenied")
        prefix, after = (asked.get(name, [""])[0] for name in ("prefix", "continuation-token"))
        below = [key.removeprefix(prefix) for key in self.objects if key.startswith(prefix) and "delimiter" in asked]
        folders = sorted({f"{prefix}{key.partition('/')[0]}/" for key in below if "/" in key})
        page = [folder for folder in folders if folder > after][: self.page]
        more = page and page[-1] != folders[-1]
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        names = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in page)
        # That of the request itself stands beside them.
        return 200, f"<ListBucketResult><Prefix>{escape(prefix)}</Prefix>{token}{names}</ListBucketResult>".encode()

    def _anyone_reads(self, key: str) -> bool:
        knows = self.obeys_policies and self.late.get(key, 0) <= 0
        if self.policy and not knows and key in self.late:
            self.late[key] -= 1
        statements = self.policy["Statement"] if self.policy and knows else []
        by_acl = key in self.public and not self.block
        return self.readable or by_acl or any(self._allows(one, key) for one in statements)

    def _is_given(self) -> bool:
        given = {"AWS": [f"arn:aws:iam:::user/{self.user}"]}
        return any(statement["Principal"] == given for statement in (self.policy or {"Statement": []})["Statement"])

    def _allows(self, statement: dict[str, Any], key: str) -> bool:
        everybody = statement["Principal"] in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        covers = any(fnmatchcase(f"arn:aws:s3:::{self.bucket}/{key}", one) for one in statement["Resource"])
        return statement["Effect"] == "Allow" and everybody and "s3:GetObject" in statement["Action"] and covers


def _all_signed(headers: Mapping[str, str]) -> bool:
    """Whether the signature covers what it has to: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    signed = re.findall(r"SignedHeaders=([^,]+)", headers.get("Authorization") or "")
    names = signed[0].split(";") if signed else []
    return all(name.lower() in names for name in headers if name.lower().startswith("x-amz-"))


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>told by the server</Message></Error>".encode()


def handler(server: S3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else the body, which is sent after the headers, waits 40 ms for the client's acknowledgement.
        disable_nagle_algorithm = True

        def __getattr__(self, name: str) -> Any:
            if name in ("do_GET", "do_PUT", "do_POST", "do_DELETE"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = server.answer(self.command, parts.path, parts.query, body, self.headers)
            self.send_response(status)
            # A body must not follow 204.
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serve() -> Iterator[S3]:
    """Run a server on the loopback."""
    server = S3()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(server)) as listening:
        server.port = listening.server_port
        thread = Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield server
        listening.shutdown()
        thread.join()
