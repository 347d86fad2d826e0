# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make buckets on the lab's S3 server, as whoever runs one would give them to Mastodon: empty, and readable by their owner alone.

Requests are signed as in https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from mastodon_lab.errors import LabError

PORT = 8333
BUCKET = "mastodon"
# For who has media copied, by lab/settings/copy.yml.
COPY = "media-copy"
REGION = "us-east-1"
SECONDS = 15.0
PROOF = "lab-proof-"


@dataclass(frozen=True)
class Account:
    access_key: str
    secret_key: str


def set_up(host: str, account: Account) -> None:
    """Make the buckets."""
    for name in (BUCKET, COPY):
        made = _call(host, account, "PUT", f"/{name}")
        if made.status not in (HTTPStatus.OK, HTTPStatus.CONFLICT):
            raise _failed(f"making bucket {name}", made)


def prove(host: str, account: Account) -> None:
    """Raise LabError unless an object can be put, read by its owner alone, and deleted."""
    content = secrets.token_bytes(16)
    path = f"/{BUCKET}/{PROOF}{secrets.token_hex(4)}"
    _expect("putting an object", _call(host, account, "PUT", path, body=content))
    read = _call(host, account, "GET", path)
    _expect("reading an object", read)
    if (anyone := _call(host, None, "GET", path)).status != HTTPStatus.FORBIDDEN:
        raise _failed("refusing who has no account", anyone)
    _expect("deleting an object", _call(host, account, "DELETE", path))
    if read.body != content:
        raise LabError("S3 server: an object read is not the object put. See `kubectl -n object-store logs s3-0`.")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def _expect(what: str, answer: Answer) -> None:
    if answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        raise _failed(what, answer)


def _failed(what: str, answer: Answer) -> LabError:
    return LabError(f"S3 server: {what} failed: it answers {answer.status}. See `kubectl -n object-store logs s3-0`.")


def _call(host: str, account: Account | None, method: str, path: str, body: bytes = b"") -> Answer:
    headers = {"Host": f"{host}:{PORT}"}
    if account:
        headers |= signature(account, method, path, body, headers["Host"], datetime.now(UTC))
    try:
        connection = HTTPConnection(host, PORT, timeout=SECONDS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, HTTPException) as error:
        raise LabError(f"S3 server: it does not answer: {error}. See `kubectl -n object-store logs s3-0`.") from error


def signature(account: Account, method: str, path: str, body: bytes, host: str, now: datetime) -> Mapping[str, str]:
    """The headers that sign a request."""
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(signed)
    canonical = "\n".join(
        (method, quote(path), "", *(f"{name}:{value}" for name, value in signed.items()), "", names, digest)
    )
    scope = f"{day}/{REGION}/s3/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{account.secret_key}".encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    sign = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return {
        "x-amz-content-sha256": digest,
        "x-amz-date": moment,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={account.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={sign}",
    }
