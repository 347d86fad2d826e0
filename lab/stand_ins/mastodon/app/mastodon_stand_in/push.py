# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web push: encrypted to the browser (RFC 8291) and signed with the VAPID key (RFC 8292)."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mastodon_stand_in import addresses
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.settings import Site

_SECONDS = 10
_TTL = 48 * 3600
_RECORD = 4096


class GoneError(Exception):
    """The browser has ended the subscription."""


@dataclass(frozen=True)
class Subscription:
    """Where a browser's push service is, and the keys with which only that browser can read."""

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        """Raise RefusalError unless it can be pushed to."""
        if urlsplit(self.endpoint).scheme not in ("http", "https") or not urlsplit(self.endpoint).hostname:
            raise RefusalError("Validation failed: Endpoint is not an address")
        try:
            _point(self.p256dh)
            secret = decoded(self.auth)
        except ValueError as error:
            raise RefusalError("Validation failed: Key is not a point on P-256") from error
        if len(secret) != 16:
            raise RefusalError("Validation failed: Auth is not 16 bytes")


def send(site: Site, keys: Keys, subscription: Subscription, payload: dict[str, str]) -> None:
    """Push; raise GoneError when the subscription has ended, UnavailableError when it may work later."""
    url = urlsplit(subscription.endpoint)
    addresses.check("Push service", url.hostname or "", site.allowed_private_addresses)
    request = Request(  # noqa: S310 its scheme is checked
        subscription.endpoint,
        encrypted(json.dumps(payload).encode(), subscription),
        {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(_TTL),
            "Urgency": "normal",
            "Authorization": authorization(site, keys, f"{url.scheme}://{url.netloc}", int(time.time())),
        },
    )
    try:
        urlopen(request, timeout=_SECONDS).close()  # noqa: S310 its scheme is checked
    except HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise GoneError from error
        raise UnavailableError(f"Push service {url.netloc}: it answers {error.code}.") from error
    except OSError as error:
        raise UnavailableError(f"Push service {url.netloc}: {error}.") from error


def authorization(site: Site, keys: Keys, audience: str, now: int) -> str:
    """Return the header that says who pushes: a token for this push service, signed with the VAPID key."""
    claims = {"aud": audience, "exp": now + 24 * 3600, "sub": site.url("/")}
    unsigned = ".".join(_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    private = ec.derive_private_key(int.from_bytes(decoded(keys.vapid_private_key), "big"), ec.SECP256R1())
    halves = decode_dss_signature(private.sign(unsigned.encode(), ec.ECDSA(SHA256())))
    signature = b"".join(half.to_bytes(32, "big") for half in halves)
    return f"vapid t={unsigned}.{_encoded(signature)}, k={keys.vapid_public_key.rstrip('=')}"


def encrypted(payload: bytes, subscription: Subscription) -> bytes:
    """Return the body of a push: one record that only the subscription's browser can read."""
    ours = ec.generate_private_key(ec.SECP256R1())
    public = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    theirs = _point(subscription.p256dh)
    shared = ours.exchange(ec.ECDH(), theirs)
    both = decoded(subscription.p256dh) + public
    key = _derived(decoded(subscription.auth), shared, b"WebPush: info\0" + both, 32)
    salt = secrets.token_bytes(16)
    cipher = AESGCM(_derived(salt, key, b"Content-Encoding: aes128gcm\0", 16))
    nonce = _derived(salt, key, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([len(public)]) + public
    # The byte 2 ends the last record.
    return header + cipher.encrypt(nonce, payload + b"\2", None)


def decoded(text: str) -> bytes:
    """Return the bytes of URL-safe base64, padded or not."""
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _point(text: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(text))


def _derived(salt: bytes, key: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, purpose).derive(key)
