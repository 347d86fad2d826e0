# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bucket of an S3 server, asked with its keys or as anyone: the only socket to S3.

Requests go by path (`endpoint/bucket/key`), which every server understands.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape, unescape
from zlib import crc32

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, innermost
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3 import policy
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import (
    Answer,
    NoAnswerError,
    RefusedKeysError,
    cure,
    refused,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.sessions import anyone, session

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import requests
    from requests_aws4auth import AWS4Auth

# What Mastodon sends with media: https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb
UPLOADED = {"Cache-Control": "public, max-age=315576000, immutable", "Content-Type": "image/png"}
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
_BLOCK = "?publicAccessBlock"
_IGNORE = (
    b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
    b"<BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
)
_BLOCKED = re.compile(rb"<(\w+)>(?i:true)<")
_NOT_S3 = "Check that the endpoint is the S3 server's, and what is in between."
_SECONDS = 30
_WHOLE_SECONDS = 60


@dataclass(frozen=True)
class Keys:
    """An account of an S3 server, and where it was read, for errors."""

    access_key: str
    secret_key: str = field(repr=False)
    source: str


class Bucket:
    """A bucket at an endpoint. `dial` opens sockets to a server that there is no route to."""

    def __init__(self, endpoint: str, name: str, region: str, keys: Keys, dial: Dial | None = None) -> None:
        needs("requests", "requests_aws4auth")
        # Both end in a header, whose library would show all of it.
        if flaw := pasted.header_flaw(keys.access_key) or pasted.header_flaw(keys.secret_key):
            raise RefusedKeysError(keys.source, "its keys to the S3 server cannot be used", flaw, "Write them again.")
        self._endpoint = endpoint.rstrip("/")
        self.name = name
        self._keys = keys
        self._sign = AWS4Auth(keys.access_key, keys.secret_key, region, "s3")
        self._session = session(self._endpoint, dial)

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Bucket {self.name} at {self._endpoint}"

    def get_anonymously(self, key: str) -> Answer:
        """Read an object as anyone."""
        return self._send("GET", f"/{key}", signed=False)

    def put_anonymously(self, key: str, content: bytes) -> Answer:
        """Write an object as anyone."""
        return self._send("PUT", f"/{key}", content, signed=False)

    def list_anonymously(self) -> Answer:
        """List the bucket as anyone."""
        return self._send("GET", "?list-type=2&max-keys=1", signed=False)

    def get(self, key: str) -> bytes | None:
        """Return an object, or None when there is none."""
        answer = self._send("GET", f"/{key}")
        if answer.code == "NoSuchKey":
            return None
        return self._good(f"reading {key}", answer).body

    def folders(self, prefix: str = "") -> list[str]:
        """Return what the folders below one are called, that of the bucket without one. A bucket that is not there has none."""
        found: list[str] = []
        token = ""
        while True:
            query = {
                "list-type": "2",
                "delimiter": "/",
                "prefix": prefix,
                **({"continuation-token": token} if token else {}),
            }
            answer = self._send("GET", f"?{urlencode(query)}")
            if answer.code == "NoSuchBucket":
                return []
            body = self._good("listing it", answer).body.decode(errors="replace")
            names = re.findall(r"<CommonPrefixes>\s*<Prefix>([^<]*)</Prefix>", body)
            found += [unescape(name)[len(prefix) :].rstrip("/") for name in names]
            following = re.search(r"<NextContinuationToken>([^<]+)<", body)
            if not following or unescape(following[1]) == token:
                return found
            token = unescape(following[1])

    def withholds(self, key: str) -> bool:
        """Whether the server refuses an object to these keys, as Ceph does with what another user wrote and keeps private."""
        return self._send("GET", f"/{key}").status == HTTPStatus.FORBIDDEN

    def user(self) -> str:
        """Return the user whose keys these are. Raises MastodonError."""
        answer = self._good("reading whose keys these are", self._send("GET", "/", bucket=False))
        found = re.search(rb"<Owner>.*?<ID>([^<]+)</ID>", answer.body, re.DOTALL)
        if not found:
            why, remedy = "its list of buckets names no owner", _NOT_S3
            raise MastodonError(str(self), "does not say whose keys these are", why, remedy)
        return found[1].decode()

    def ignores_acls(self) -> bool:
        """Whether the bucket lets nobody read by an ACL, and nothing else of that kind is set."""
        answer = self._send("GET", f"{_BLOCK}=")
        return answer.status == HTTPStatus.OK and _BLOCKED.findall(answer.body) == [b"IgnorePublicAcls"]

    def could_ignore_acls(self) -> bool:
        """Whether the server knows how to, and nothing of that kind is set yet."""
        return self._send("GET", f"{_BLOCK}=").code == "NoSuchPublicAccessBlockConfiguration"

    def ignore_acls(self) -> None:
        """Let nobody read by an ACL."""
        self._good("letting nobody read by an ACL", self._send("PUT", f"{_BLOCK}=", _IGNORE))

    def obey_acls(self) -> None:
        """Take that back, once it was seen to be there: a server that does not know of it would take it for the bucket."""
        if self.ignores_acls():
            self._good("letting ACLs decide again", self._send("DELETE", f"{_BLOCK}="))

    def put(self, key: str, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Write an object."""
        self._good(f"writing {key}", self._send("PUT", f"/{key}", content, headers=headers or {}))

    def upload(self, key: str, content: bytes, acl: str) -> bool:
        """Write an object with an ACL, and without where the bucket takes none. Return whether it took it."""
        headers = {**UPLOADED, "x-amz-acl": acl}
        answer = self._send("PUT", f"/{key}", content, headers=headers)
        took = answer.status < HTTPStatus.MULTIPLE_CHOICES
        # A server that is out of breath has not refused the ACL.
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != HTTPStatus.NOT_IMPLEMENTED:
            self._good(f"writing {key}", answer)
        if not took:
            # Whatever is wrong otherwise is wrong now, too.
            self.put(key, content, UPLOADED)
        return took

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._good(f"removing {key}", self._send("DELETE", f"/{key}"))

    def delete_as_a_list(self, key: str) -> None:
        """Remove an object as Mastodon does, which names it in a list and sends its checksum as the AWS SDK does."""
        content = f"<Delete><Object><Key>{escape(key)}</Key></Object><Quiet>true</Quiet></Delete>".encode()
        headers = {
            "Content-Type": "application/xml",
            "x-amz-sdk-checksum-algorithm": "CRC32",
            "x-amz-checksum-crc32": b64encode(crc32(content).to_bytes(4, "big")).decode(),
        }
        answer = self._good(
            f"removing {key} as one of a list", self._send("POST", "?delete=", content, headers=headers)
        )
        if b"<Error>" in answer.body:
            why = f"the server answers {answer.code}"
            raise MastodonError(
                str(self), f"removing {key} as one of a list failed", why, cure(answer, self._keys.source)
            )

    def policy(self) -> dict[str, Any]:
        """Return the bucket's policy, empty when it has none."""
        answer = self._send("GET", "?policy=")
        if answer.code == "NoSuchBucketPolicy":
            return {}
        try:
            return policy.read(self._good("reading its policy", answer).body)
        except WrongShapeError as error:
            raise MastodonError(str(self), "reading its policy failed", str(error), _NOT_S3) from error

    def set_policy(self, wanted: Mapping[str, Any]) -> None:
        """Write the bucket's policy, or take it away when it is empty."""
        content = json.dumps(wanted).encode() if wanted else None
        self._good("writing its policy", self._send("PUT" if wanted else "DELETE", "?policy=", content))

    def _good(self, what: str, answer: Answer) -> Answer:
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        raise refused(str(self), what, answer, self._keys.source)

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        bucket: bool = True,
    ) -> Answer:
        url = f"{self._endpoint}/{self.name}{path}" if bucket else f"{self._endpoint}{path}"
        try:
            with within(_WHOLE_SECONDS):
                answer = self._session.request(
                    method,
                    url,
                    data=content,
                    # The signature covers the Host header: it has to be the one that is sent, port included.
                    headers={"Host": urlsplit(url).netloc, **(headers or {})},
                    auth=self._sign if signed else anyone,
                    timeout=_SECONDS,
                    allow_redirects=False,
                )
        except (requests.RequestException, TimeoutError, OverflowError, ValueError) as error:
            remedy = "Check the endpoint, and that it can be reached from where Ansible runs."
            raise NoAnswerError(str(self), "cannot be reached", innermost(error), remedy) from error
        return Answer(answer.status_code, answer.content)
