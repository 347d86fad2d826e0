# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mastodon, as far as others ask it: what comes back for each request, and what may come in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mastodon_stand_in import discovery
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.settings import Site

DOMAIN, HOST, MEDIA = "example.org", "social.example.org", "media.example.org"
PICTURE = "/accounts/avatars/115/original.png"
ALICE = Account(id=115, username="alice", public_key="-----BEGIN PUBLIC KEY-----")
ITSELF = Account(id=-99, username="mastodon.internal", public_key="-----BEGIN PUBLIC KEY-----")
_ACTIVITY = re.compile(r"application/(activity\+json|ld\+json|json)")
_FOR_SCRIPTS = ("/.well-known/", "/nodeinfo/", "/@", "/users/", "/api/", "/oauth/")


@dataclass(frozen=True)
class Request:
    """One request, and where it came in."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    port: int
    sni: str


@dataclass(frozen=True)
class Response:
    """An answer; `raw` is sent in its place as it is. For so many seconds the connection `stays` open then, while nothing is said on it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    stays: float = 0

    def wire(self) -> bytes:
        """Return it as it is sent."""
        if self.raw:
            return self.raw
        headers = {"Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Whatever')}"]
        return (
            "\r\n".join([*lines, *(f"{key}: {value}" for key, value in headers.items()), "", ""]).encode() + self.body
        )


REASONS = {200: "OK", 301: "Moved Permanently", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 410: "Gone"}
REASONS |= {400: "Bad Request", 413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}
REASONS |= {101: "Switching Protocols", 202: "Accepted", 302: "Found", 502: "Bad Gateway", 503: "Service Unavailable"}
REASONS |= {308: "Permanent Redirect", 406: "Not Acceptable", 418: "I'm a teapot", 421: "Misdirected Request"}
Answer = Callable[[Request], Response]


def page(status: int, text: str = "<!doctype html><html><title>A page</title></html>", **headers: str) -> Response:
    """Return a web page."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Response(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", **named})


def document(content: Any, kind: str = "application/json", status: int = 200, **headers: str) -> Response:
    """Return a document of JSON."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Response(status, json.dumps(content).encode(), {"Content-Type": kind, **named})


def moved(to: str, status: int = 301, **headers: str) -> Response:
    """Return a redirect."""
    return Response(status, b"", {"Location": to, **{key.replace("_", "-"): value for key, value in headers.items()}})


@dataclass(frozen=True)
class Mastodon:
    """Answers as Mastodon does, behind a web server that sends the bare domain's well-known paths on to it."""

    site: Site = field(default_factory=lambda: Site(DOMAIN, HOST, streaming_base_url=f"wss://{HOST}"))
    asked: Iterator[int] = field(default_factory=count)

    def __call__(self, request: Request) -> Response:
        """Return what comes back."""
        response = self._routed(request)
        for_scripts = "origin" in request.headers and request.path.startswith(_FOR_SCRIPTS)
        added = {"Access-Control-Allow-Origin": "*"} if for_scripts else {}
        return replace(
            response, headers={"Server": "Mastodon", "Date": formatdate(usegmt=True), **response.headers, **added}
        )

    def _routed(self, request: Request) -> Response:
        if request.port == 80:
            return moved(f"https://{request.host}{request.path}")
        if request.host == self.site.local_domain != self.site.web_domain:
            if request.path.startswith(("/.well-known/webfinger", "/.well-known/host-meta", "/.well-known/nodeinfo")):
                return moved(f"https://{self.site.web_domain}{request.path}")
            return replace(page(404), headers={"Content-Type": "text/html", "Server": "nginx"})
        if request.host == MEDIA:
            return _store(request)
        if request.path.startswith("/api/v1/streaming"):
            return _streaming(request.path)
        if request.host not in self.site.hosts:
            return Response(403)
        return self._page(request, urlsplit(request.path).path)

    def _page(self, request: Request, path: str) -> Response:
        site = self.site
        if path == "/.well-known/webfinger":
            return self._webfinger(request)
        if path == "/.well-known/host-meta":
            return Response(
                200, discovery.host_meta_xml(site).encode(), {"Content-Type": "application/xrd+xml; charset=utf-8"}
            )
        if path == "/.well-known/nodeinfo":
            return document(discovery.nodeinfo_links(site), "application/json; charset=utf-8")
        if path == "/nodeinfo/2.0":
            return document(discovery.nodeinfo(1, 1), "application/json; charset=utf-8")
        if path == "/":
            return page(200, Content_Security_Policy=f"default-src 'none'; img-src 'self' data: blob: https://{MEDIA}")
        if path == "/api/v2/instance":
            return self._instance()
        if path == "/actor":
            return document(discovery.actor(site, ITSELF), "application/activity+json; charset=utf-8")
        if path == discovery.actor_path(ALICE):
            return self._actor(request)
        if path.endswith("/inbox"):
            return self._inbox(request)
        return page(404)

    def _instance(self) -> Response:
        # The gateway says anew who asks, whatever a client says: it is one who asks here.
        left = 299 - next(self.asked)
        return document(
            discovery.instance(self.site, "key", 1, "none"),
            "application/json; charset=utf-8",
            X_RateLimit_Limit="300",
            X_RateLimit_Remaining=str(max(left, 0)),
            X_RateLimit_Reset=reset(),
        )

    def _webfinger(self, request: Request) -> Response:
        resource = parse_qs(urlsplit(request.path).query).get("resource", [""])[0]
        by_name, by_id = {"alice": ALICE}.get, {one.id: one for one in (ALICE, ITSELF)}.get
        try:
            found = discovery.webfinger(self.site, resource, by_name, by_id)
        except RefusalError:
            return Response(400)
        return document(found, "application/jrd+json; charset=utf-8") if found else Response(404)

    def _actor(self, request: Request) -> Response:
        vary = {"Vary": "Accept, Accept-Language, Cookie" + (", Signature" if self.site.authorized_fetch else "")}
        if not _ACTIVITY.search(request.headers.get("accept", "")):
            return moved(self.site.url(f"/@{ALICE.username}"), 301, **vary)
        if self.site.authorized_fetch:
            return document({"error": "Request not signed"}, "application/json; charset=utf-8", 401, **vary)
        return document(discovery.actor(self.site, ALICE), "application/activity+json; charset=utf-8", **vary)

    def _inbox(self, request: Request) -> Response:
        if request.method != "POST":
            return page(404)
        if len(request.body) > 1 << 20:
            return Response(413)
        return document({"error": "Request not signed"}, "application/json; charset=utf-8", 401)


def reset(seconds: float = 0) -> str:
    """Return when a limit begins anew, by a clock that is off by so many seconds."""
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    return (now + timedelta(seconds=300 - int(now.timestamp()) % 300)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _streaming(path: str) -> Response:
    """Answer as streaming/index.js does: whoever has no token is refused, also an upgrade."""
    if path == "/api/v1/streaming/health":
        return Response(200, b"OK", {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*", "Server": ""})
    return document({"error": "Missing access token"}, status=401, X_Error_Message="Missing access token")


def _store(request: Request) -> Response:
    """Answer as a bucket does that everybody may read and nobody may list."""
    allowed = {"Access-Control-Allow-Origin": "*"} if "origin" in request.headers else {}
    if request.path == PICTURE:
        return Response(200, b"\x89PNG", {"Content-Type": "image/png", **allowed})
    denied = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
    return Response(403, denied, {"Content-Type": "application/xml", **allowed})
