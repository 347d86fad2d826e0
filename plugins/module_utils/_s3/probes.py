# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a bucket by which it is proved who reads it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import Answer
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import HIDDEN, SHOWN

# They stay in the bucket, so that a run that changes nothing can prove it without writing. The first is as Mastodon's media
# are, the second as those of people who were suspended, the third as archives of accounts.
_NAME = ".fediverse-mastodon"
PROBE = f"{SHOWN[0]}/{_NAME}"
WITHHELD_PROBE = f"media_attachments/{_NAME}"
SECRET_PROBE = f"{HIDDEN}/{_NAME}"
CONTENT = b"Anyone may read what Mastodon shows, and nobody but the bucket's owner may list it or read the rest.\n"
# Servers with several gateways take a moment until all of them know a new policy.
ATTEMPTS = 6
PAUSE = 1.0
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

Sleep = Callable[[float], None]


def is_still_readable(bucket: Bucket, sleep: Sleep, *, attempts: int) -> bool:
    """Whether anyone reads the first probe each time that it is asked for."""
    for attempt in range(attempts):
        if attempt:
            sleep(PAUSE)
        if not is_readable(bucket.get_anonymously(PROBE)):
            return False
    return True


def is_readable(answer: Answer) -> bool:
    """Whether an answer is a probe."""
    return answer.status == HTTPStatus.OK and answer.body == CONTENT


def is_hidden(bucket: Bucket, key: str, sleep: Sleep) -> bool:
    """Whether the probe is there and anyone is refused it."""
    return is_refused(bucket, key, settled(lambda: bucket.get_anonymously(key), sleep))


def is_refused(bucket: Bucket, key: str, answer: Answer) -> bool:
    """Whether this answer refuses a probe that is there: an object that is missing is refused by every bucket."""
    return answer.status in _REFUSED and bucket.get(key) == CONTENT


def prove(bucket: Bucket, sleep: Sleep) -> None:
    """Raise MastodonError unless anyone reads the first probe, and nobody the third or a list of all."""
    for attempt in range(ATTEMPTS):
        shown, hidden = bucket.get_anonymously(PROBE), bucket.get_anonymously(SECRET_PROBE)
        if is_readable(shown) and hidden.status in _REFUSED:
            return refuse_listing(bucket, sleep)
        if attempt < ATTEMPTS - 1:
            sleep(PAUSE)
    if not is_readable(shown):
        remedy = "Find a statement that denies it, or a setting of the provider that blocks public access."
        raise MastodonError(str(bucket), f"anyone should read {PROBE} but cannot", described(shown), remedy)
    remedy = (
        f"Remove s3:GetObject of {HIDDEN}/* for * from its policy, or let no ACL or setting of the provider allow it."
    )
    why = f"it answers {described(hidden)}, and archives of people's accounts lie there"
    raise MastodonError(str(bucket), f"nobody should read {SECRET_PROBE} but anyone may", why, remedy)


def refuse_listing(bucket: Bucket, sleep: Sleep) -> None:
    """Raise MastodonError unless a list is refused to anyone."""
    answer = settled(bucket.list_anonymously, sleep)
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        remedy = "Remove s3:ListBucket for * from its policy, or the ACL public-read from the bucket."
        raise MastodonError(str(bucket), "can be listed by anyone", "so every upload can be found", remedy)
    _must_be_refused(bucket, answer, "list it")


def refuse_writing(bucket: Bucket, sleep: Sleep) -> None:
    """Raise MastodonError unless anyone's write is refused."""
    # What is written, if it is, is what belongs there.
    answer = settled(lambda: bucket.put_anonymously(PROBE, CONTENT), sleep)
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        remedy = "Remove s3:PutObject for * from its policy, or the ACL public-read-write from the bucket."
        raise MastodonError(str(bucket), "can be written by anyone", "so all media can be replaced", remedy)
    _must_be_refused(bucket, answer, "write to it")


def _must_be_refused(bucket: Bucket, answer: Answer, what: str) -> None:
    if answer.code == "NoSuchBucket":
        raise MastodonError(str(bucket), "does not exist", "", "Create the bucket, or correct its name.")
    if answer.status not in _REFUSED:
        remedy = "Read the server's log, and run again."
        if answer.status == HTTPStatus.BAD_REQUEST:
            # https://developers.cloudflare.com/r2/buckets/public-buckets/
            remedy = (
                "If it answers nobody without keys, as R2 does, set rook_anonymous_read to false, and mastodon_s3_alias_host to "
                "the host where its provider shows media to anyone."
            )
        raise MastodonError(str(bucket), f"does not say whether anyone may {what}", described(answer), remedy)


def settled(ask: Callable[[], Answer], sleep: Sleep) -> Answer:
    """Return the answer of a server that is not just out of breath."""
    for _attempt in range(ATTEMPTS - 1):
        answer = ask()
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return answer
        sleep(PAUSE)
    return ask()


def described(answer: Answer) -> str:
    """Return how sentences call an answer."""
    return f"{answer.status} {answer.code}"
