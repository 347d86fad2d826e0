# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let anyone read a bucket's objects and nobody list them, and prove both.

Proof first: a bucket that already behaves so is left as it is, however its owner arranged that. This module util is
PRIVATE to the collection.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Answer, Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import with_public_read

# Stays in the bucket, so that a run that changes nothing can prove it without writing.
PROBE = ".fediverse-mastodon"
CONTENT = b"Anyone may read the objects of this bucket, and nobody but its owner may list them.\n"
# Servers with several gateways take a moment until all of them know a new policy.
_ATTEMPTS = 6
_PAUSE = 1.0


@dataclass(frozen=True)
class Change:
    """One write, done or in check mode due, with texts for a diff."""

    line: str
    before: str
    after: str


def ensure(bucket: Bucket, *, check: bool, sleep: Callable[[float], None] = time.sleep) -> list[Change]:
    """Return what was changed, or in check mode would be. Raises MastodonError when the proof fails."""
    _refuse_listing(bucket)
    if _is_readable(bucket.get_anonymously(PROBE)):
        return []
    changes = [*_probe(bucket, check=check), *_policy(bucket, check=check)]
    if not check:
        _prove(bucket, sleep)
    return changes


def _is_readable(answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and answer.body == CONTENT


def _probe(bucket: Bucket, *, check: bool) -> list[Change]:
    found = bucket.get(PROBE)
    if found == CONTENT:
        return []
    if not check:
        bucket.put(PROBE, CONTENT)
    action = "created" if found is None else "configured"
    before = "" if found is None else "other content\n"
    return [Change(f"{action} object {PROBE} in bucket {bucket.name}", before, CONTENT.decode())]


def _policy(bucket: Bucket, *, check: bool) -> list[Change]:
    # The probe that was just written may be readable already, by an ACL or the provider's settings.
    if not check and _is_readable(bucket.get_anonymously(PROBE)):
        return []
    before = bucket.policy()
    after = with_public_read(before, bucket.name)
    if after == before:
        return []
    if not check:
        bucket.set_policy(after)
    action = "configured" if before else "created"
    return [Change(f"{action} policy of bucket {bucket.name}", _text(before), _text(after))]


def _prove(bucket: Bucket, sleep: Callable[[float], None]) -> None:
    for attempt in range(_ATTEMPTS):
        answer = bucket.get_anonymously(PROBE)
        if _is_readable(answer):
            return _refuse_listing(bucket)
        if attempt < _ATTEMPTS - 1:
            sleep(_PAUSE)
    remedy = "Look for a statement that denies it, or a setting of the provider that blocks public access."
    why = f"{answer.status} {answer.code}"
    raise MastodonError(str(bucket), f"anyone should read {PROBE} but cannot", why, remedy)


def _refuse_listing(bucket: Bucket) -> None:
    answer = bucket.list_anonymously()
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        remedy = "Take s3:ListBucket from * in its policy, or the ACL public-read from the bucket."
        raise MastodonError(str(bucket), "can be listed by anyone", "so every upload can be found", remedy)
    if answer.code == "NoSuchBucket":
        raise MastodonError(str(bucket), "does not exist", "", "Make the bucket, or correct its name.")


def _text(policy: Mapping[str, Any]) -> str:
    return f"{json.dumps(policy, indent=2, sort_keys=True)}\n" if policy else ""
