# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mastodon_stand_in import push
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.push import GoneError, Subscription
from mastodon_stand_in.settings import Site

BROWSER = ec.derive_private_key(3**70, ec.SECP256R1())
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
AUTH = b"sixteen bytes!!!"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


SUBSCRIPTION = Subscription("http://127.0.0.1:1/push", encoded(POINT), encoded(AUTH))


def read_by_the_browser(body: bytes) -> Any:
    """Decrypt a push as a browser does (RFC 8188, RFC 8291)."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    server, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    shared = BROWSER.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), server))

    def derived(salt: bytes, key: bytes, purpose: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, salt, purpose).derive(key)

    key = derived(AUTH, shared, b"WebPush: info\0" + POINT + server, 32)
    cipher = AESGCM(derived(salt, key, b"Content-Encoding: aes128gcm\0", 16))
    padded = cipher.decrypt(derived(salt, key, b"Content-Encoding: nonce\0", 12), record, None)
    assert padded.endswith(b"\2")
    return json.loads(padded[:-1])


def claims_signed_with(public_key: str, token: str) -> Any:
    """Verify a token as a push service does, and return what it claims."""
    unsigned, _, signature = token.rpartition(".")
    raw = push.decoded(signature)
    halves = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), push.decoded(public_key))
    point.verify(halves, unsigned.encode(), ec.ECDSA(SHA256()))
    header, claims = (json.loads(push.decoded(part)) for part in unsigned.split("."))
    assert header == {"typ": "JWT", "alg": "ES256"}
    return claims


@contextmanager
def push_service(status: int = 201) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Run a push service on loopback that keeps what it is given."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/push/1", got
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def near(site: Site) -> Site:
    """A site that may push to loopback."""
    return replace(site, allowed_private_addresses=(ip_network("127.0.0.0/8"),))


def test_a_push_is_signed_with_the_vapid_key_and_only_the_browser_reads_it(near: Site, keys: Keys) -> None:
    with push_service() as (endpoint, got):
        push.send(near, keys, replace(SUBSCRIPTION, endpoint=endpoint), {"title": "Grüße"})
    ((headers, body),) = got
    assert read_by_the_browser(body) == {"title": "Grüße"}
    assert "Grüße".encode() not in body
    assert (headers["Content-Encoding"], headers["Ttl"]) == ("aes128gcm", "172800")
    scheme, _, rest = headers["Authorization"].partition(" ")
    fields = dict(field.split("=", 1) for field in rest.split(", "))
    assert (scheme, fields["k"]) == ("vapid", keys.vapid_public_key.rstrip("="))
    claims = claims_signed_with(fields["k"], fields["t"])
    assert claims["aud"] == endpoint.removesuffix("/push/1")
    assert claims["sub"] == "https://social.lab.test/"


def test_the_signature_is_of_no_other_key(near: Site, keys: Keys) -> None:
    token = push.authorization(near, keys, "https://push.test", now=0).removeprefix("vapid t=").partition(",")[0]
    assert claims_signed_with(keys.vapid_public_key, token)["exp"] == 24 * 3600
    with pytest.raises(InvalidSignature):
        claims_signed_with(SUBSCRIPTION.p256dh, token)


@pytest.mark.parametrize(
    ("status", "error"), [(404, GoneError), (410, GoneError), (500, UnavailableError), (429, UnavailableError)]
)
def test_a_push_service_s_answer_is_understood(near: Site, keys: Keys, status: int, error: type[Exception]) -> None:
    with push_service(status) as (endpoint, _got), pytest.raises(error):
        push.send(near, keys, replace(SUBSCRIPTION, endpoint=endpoint), {})


def test_a_push_service_that_is_away_may_come_back(near: Site, keys: Keys) -> None:
    with push_service() as (endpoint, _got):
        pass
    with pytest.raises(UnavailableError, match=r"Push service 127\.0\.0\.1:\d+: "):
        push.send(near, keys, replace(SUBSCRIPTION, endpoint=endpoint), {})


def test_nothing_inside_the_cluster_is_pushed_to(site: Site, keys: Keys) -> None:
    with push_service() as (endpoint, got), pytest.raises(RefusalError, match=r"127\.0\.0\.1 is private"):
        push.send(site, keys, replace(SUBSCRIPTION, endpoint=endpoint), {})
    assert got == []


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "nowhere"},
        {"endpoint": "ftp://push.test/"},
        {"p256dh": encoded(b"\4" + b"x" * 64)},
        {"p256dh": ""},
        {"auth": encoded(b"short")},
    ],
)
def test_a_wrong_subscription_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(RefusalError, match="Validation failed: "):
        replace(SUBSCRIPTION, **changed)
