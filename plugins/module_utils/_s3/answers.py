# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an S3 server answers, and what its refusals mean. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_UNKNOWN_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch")
# Other stores have words of their own for it: Unauthorized, AccessDenied, InvalidArgument.
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class NoAnswerError(MastodonError):
    """The server gave no answer, or one that says that it is the server's own fault."""


class RefusedKeysError(MastodonError):
    """The server does not do for these keys what it was asked, in whatever words, or they cannot even be sent."""


class UnknownKeysError(RefusedKeysError):
    """The server does not know these keys, or has another secret key."""


@dataclass(frozen=True)
class Answer:
    """What the server answered. `code` is S3's own word for an error, such as NoSuchBucket."""

    status: int
    body: bytes = b""

    @property
    def code(self) -> str:
        """Return the error code of the body, or the status in words."""
        found = re.search(rb"<Code>(\w+)</Code>", self.body)
        return found[1].decode() if found else responses.get(self.status, "which HTTP does not know")


def refused(subject: str, what: str, answer: Answer, keys: str) -> MastodonError:
    """Return what is wrong; `keys` is where those were read by which it was asked."""
    fault = NoAnswerError if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else MastodonError
    fault = RefusedKeysError if answer.status in _REFUSALS else fault
    fault = UnknownKeysError if answer.code in _UNKNOWN_KEYS else fault
    return fault(subject, f"{what} failed", f"{answer.status} {answer.code}", cure(answer, keys))


def cure(answer: Answer, keys: str) -> str:
    """Return what to do about it."""
    if answer.code == "NoSuchBucket":
        return "Create the bucket, or correct its name."
    # Of Ceph: https://docs.ceph.com/en/latest/radosgw/admin/#quota-management
    if answer.code == "QuotaExceeded":
        return "It is full: raise the bound on its size, which for Rook is rook_bucket_size, or remove media."
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"Give the keys in {keys} this right, or correct them."
    if answer.status == HTTPStatus.NOT_IMPLEMENTED:
        return "Let anyone read its objects by the provider's own settings, then run again."
    return "Read the server's log."
