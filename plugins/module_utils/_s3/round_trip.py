# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a bucket of yours can be written, read and, as browsers do, read by anyone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import PUBLIC, SHOWN


def write_and_remove(bucket: Bucket) -> str:
    """Put an object of our own, get it and remove it, as these keys must be able to. Raises MastodonError."""
    key, content = f"{SHOWN[0]}/.fediverse-mastodon-rotation-{secrets.token_hex(6)}", secrets.token_bytes(32)
    bucket.put(key, content)
    with _removed_after_all(bucket, key):
        _refuse_another(content, bucket.get(key), bucket)
    bucket.delete(key)
    return f"{bucket}: written, read and removed"


def _refuse_another(content: bytes, found: bytes | None, bucket: Bucket) -> None:
    if found != content:
        raise MastodonError(str(bucket), "returns something else than was written", "", "Read the server's log.")


@contextmanager
def _removed_after_all(bucket: Bucket, key: str) -> Iterator[None]:
    """Leave no object of ours behind when something of it fails, which is what is to be reported."""
    try:
        yield
    except MastodonError:
        with suppress(MastodonError):
            bucket.delete(key)
        raise


def round_trip(bucket: Bucket, *, anyone_reads: bool) -> str:
    """Put an object of our own as Mastodon does, get it, get it as anyone, and remove it as Mastodon does. Raises MastodonError.

    Where anyone should read but may not yet, site.yml would allow it, so that is reported and no failure.
    """
    key, content = f"{SHOWN[0]}/.fediverse-mastodon-doctor-{secrets.token_hex(6)}", secrets.token_bytes(32)
    took = bucket.upload(key, content, PUBLIC)
    with _removed_after_all(bucket, key):
        _refuse_another(content, bucket.get(key), bucket)
        answer = bucket.get_anonymously(key)
        bucket.delete_as_a_list(key)
    reads = answer.status == HTTPStatus.OK and answer.body == content
    how = (
        "written with an ACL, read and removed"
        if took
        else "written without an ACL, which it does not take, read and removed"
    )
    if not anyone_reads:
        message = "anyone reads it, which rook_anonymous_read does not ask for" if reads else "nobody else reads it"
    else:
        message = "anyone reads it" if reads else "nobody else reads it yet, which fediverse.mastodon.site changes"
    return f"{bucket}: {how}, {message}"
