# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential opens its zone, or is refused: a name server that knows one key, and providers' APIs on loopback."""

from __future__ import annotations

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import dns.message
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import credential
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.credential import Provider, RefusedError, prove
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

KEY, OTHER = "Y2FuYXJ5LW9uZQ==", "Y2FuYXJ5LXR3bw=="


class NameServer(socketserver.BaseRequestHandler):
    """Answers who signs by its key as RFC 8945 says, and who does not as that says."""

    def handle(self) -> None:
        wire = self.request.recv(65535)[2:]
        try:
            asked = dns.message.from_wire(wire, keyring=dns.tsigkeyring.from_text({"mastodon.": KEY}))
            answer = dns.message.make_response(asked)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadSignature):
            asked = dns.message.from_wire(wire, keyring=False)
            answer = dns.message.make_response(asked)
            answer.set_rcode(dns.rcode.NOTAUTH)
            sent = answer.to_wire()
            self.request.sendall(struct.pack("!H", len(sent)) + sent)
            return
        sent = answer.to_wire()
        self.request.sendall(struct.pack("!H", len(sent)) + sent)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socketserver.TCPServer(("127.0.0.1", 0), NameServer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_name_server_takes_the_key_that_it_knows(port: int) -> None:
    server = Provider("rfc2136", "example.org", "localhost", port, "mastodon")
    assert (
        prove(server, {"tsig-secret": KEY}) == f"Zone example.org at name server localhost:{port}: takes the credential"
    )


@pytest.mark.parametrize(("name", "secret"), [("mastodon", OTHER), ("somebody", KEY), ("mastodon", "no base64")])
def test_a_name_server_refuses_another(port: int, name: str, secret: str) -> None:
    with pytest.raises(RefusedError) as refused:
        prove(Provider("rfc2136", "example.org", "127.0.0.1", port, name), {"tsig-secret": secret})
    assert secret not in str(refused.value)


def test_a_name_server_that_is_silent_has_refused_nothing(closed_port: int) -> None:
    with pytest.raises(MastodonError, match="cannot be asked") as failed:
        prove(Provider("rfc2136", "example.org", "127.0.0.1", closed_port, "mastodon"), {"tsig-secret": KEY})
    assert not isinstance(failed.value, RefusedError)


@contextmanager
def answering(status: int, body: str) -> Iterator[tuple[str, list[str]]]:
    """Answer anything so, and note who asked how."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


ZONES = json.dumps({"success": True, "result": [{"name": "example.org"}]})
LISTED = "<HostedZones><HostedZone><Name>example.org.</Name></HostedZone></HostedZones>"
OTHERS = LISTED.replace("example.org", "other.example")
TOKEN = {"api-token": "canary-token"}
KEYS = {"access-key-id": "canary-id", "secret-access-key": "canary-key"}


@pytest.mark.parametrize(
    ("kind", "values", "body", "sent"),
    [
        ("cloudflare", TOKEN, ZONES, "/zones?name=example.org Bearer canary-token"),
        (
            "route53",
            KEYS,
            LISTED,
            "/hostedzonesbyname?dnsname=example.org&maxitems=1 AWS4-HMAC-SHA256 Credential=canary-id/",
        ),
    ],
)
def test_a_provider_is_asked_for_the_zone(
    monkeypatch: pytest.MonkeyPatch, kind: str, values: dict[str, str], body: str, sent: str
) -> None:
    with answering(200, body) as (url, asked):
        monkeypatch.setattr(credential, kind.upper(), url)
        assert prove(Provider(kind, "example.org"), values) == f"Zone example.org at {kind}: takes the credential"
    assert asked[0].startswith(sent)


@pytest.mark.parametrize(
    ("kind", "values", "status", "body", "is_refused"),
    [
        ("cloudflare", TOKEN, 403, "{}", True),
        ("cloudflare", TOKEN, 200, json.dumps({"result": []}), True),
        ("cloudflare", TOKEN, 503, "", False),
        ("cloudflare", TOKEN, 200, "<html>", False),
        ("route53", KEYS, 403, "<Error><Code>InvalidClientTokenId</Code></Error>", True),
        ("route53", KEYS, 200, OTHERS, True),
        ("route53", KEYS, 500, "", False),
    ],
)
def test_what_a_provider_does_not_take_is_distinguished_from_one_that_fails(
    monkeypatch: pytest.MonkeyPatch, kind: str, values: dict[str, str], status: int, body: str, is_refused: bool
) -> None:
    with answering(status, body) as (url, _asked):
        monkeypatch.setattr(credential, kind.upper(), url)
        with pytest.raises(MastodonError) as failed:
            prove(Provider(kind, "example.org"), values)
    assert isinstance(failed.value, RefusedError) is is_refused
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize("flaw", [" {}", "{}\n", "{}\r\nX-Other: 1", "{}é"])
@pytest.mark.parametrize(("kind", "values"), [("cloudflare", TOKEN), ("route53", KEYS)])
def test_a_credential_that_no_request_can_have_is_refused_and_neither_sent_nor_shown(
    monkeypatch: pytest.MonkeyPatch, kind: str, values: dict[str, str], flaw: str
) -> None:
    monkeypatch.setattr(credential.requests, "get", lambda *_unused, **_more: pytest.fail("it was sent"))
    name = next(iter(values))
    with pytest.raises(RefusedError) as refused:
        prove(Provider(kind, "example.org"), {**values, name: flaw.format(values[name])})
    assert f"does not take the credential: {name}: " in str(refused.value)
    assert "canary" not in str(refused.value)
