# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliveries to inboxes of other servers, each request signed with the sender's key (app/lib/request.rb)."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Mapping
from email.utils import formatdate
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mastodon_stand_in import addresses
from mastodon_stand_in.errors import RefusalError, UnavailableError
from mastodon_stand_in.settings import Site

_SECONDS = 10
_TYPE = "application/activity+json"


def post(site: Site, inbox: str, body: bytes, key_id: str, private_key: str) -> None:
    """Deliver; raise UnavailableError when the server does not take it."""
    url = urlsplit(inbox)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise RefusalError(f"Inbox {inbox!r}: it is not an address.")
    addresses.check("Server", url.hostname, site.allowed_private_addresses)
    headers = signed(f"post {url.path or '/'}", url.netloc, body, key_id, private_key)
    try:
        context = ssl.create_default_context() if url.scheme == "https" else None
        urlopen(Request(inbox, body, dict(headers)), timeout=_SECONDS, context=context).close()  # noqa: S310 its scheme is checked
    except HTTPError as error:
        error.close()
        raise UnavailableError(f"Delivery failed for {inbox}: it answers {error.code}.") from error
    except OSError as error:
        raise UnavailableError(f"Delivery failed for {inbox}: {error}.") from error


def signed(target: str, host: str, body: bytes, key_id: str, private_key: str) -> Mapping[str, str]:
    """Return the headers of a request with its signature (draft-cavage-http-signatures-12, as ActivityPub uses it)."""
    headers = {
        "Host": host,
        "Date": formatdate(usegmt=True),
        "Digest": "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode(),
        "Content-Type": _TYPE,
    }
    key = load_pem_private_key(private_key.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise RefusalError(f"Key {key_id}: it is not of RSA.")
    text = "\n".join(
        f"{name.lower()}: {value}" for name, value in [("(request-target)", target), *headers.items()]
    ).encode()
    signature = base64.b64encode(key.sign(text, padding.PKCS1v15(), SHA256())).decode()
    names = " ".join(["(request-target)", *map(str.lower, headers)])
    return {
        **headers,
        "Signature": f'keyId="{key_id}",algorithm="rsa-sha256",headers="{names}",signature="{signature}"',
    }
