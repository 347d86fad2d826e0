# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let anyone read what Mastodon shows to anyone and nothing else, and prove it; or take that back.

Proof first: a bucket that already behaves so is left as it is, however its owner arranged that. Where a bucket takes ACLs,
those that Mastodon gives to its media do it alone, and media of people who were suspended are hidden again. Elsewhere a
policy does it, and Mastodon must give no ACLs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import (
    PRIVATE,
    PUBLIC,
    has_others,
    with_owner,
    with_public_read,
    without_public_read,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import (
    ATTEMPTS,
    CONTENT,
    PAUSE,
    PROBE,
    SECRET_PROBE,
    WITHHELD_PROBE,
    Sleep,
    described,
    is_hidden,
    is_readable,
    is_refused,
    is_still_readable,
    prove,
    refuse_listing,
    refuse_writing,
    settled,
)


@dataclass(frozen=True)
class Change:
    """One write, done or in check mode due, with texts for a diff."""

    line: str
    before: str
    after: str


@dataclass(frozen=True)
class Access:
    """What was changed, or in check mode would be, and whether ACLs decide who reads; None while nobody can tell.

    The bucket's policy, where it had to be read and stayed as it is.
    """

    changes: list[Change]
    acl: bool | None
    policy: Mapping[str, Any] | None = field(default=None, compare=False)


def ensure(bucket: Bucket, *, check: bool, claimed: bool = False, sleep: Sleep = time.sleep) -> Access:
    """Let anyone read what Mastodon shows. Raises MastodonError when the proof fails.

    Of a bucket that was not `claimed` for Mastodon, whether it goes by ACLs is its owner's to say, as his files may be there, too.
    """
    refuse_listing(bucket, sleep)
    if not check:
        refuse_writing(bucket, sleep)
    if is_readable(bucket.get_anonymously(PROBE)) and is_hidden(bucket, SECRET_PROBE, sleep):
        found = _who_decides(bucket, sleep)
        if found.acl is not None:
            return found
    changes = _obey_acls(bucket, check=check) if claimed else []
    if changes and check:
        return Access(changes, None)
    missing, takes_acls = _probes(bucket, check=check)
    changes += missing
    policy = _policy(bucket, sleep, check=check)
    changes += policy
    if check:
        # What is there and cannot be read was there without ACLs.
        return Access(changes, None if bucket.get(PROBE) is None else False)
    prove(bucket, sleep)
    # What was refused or written a moment ago is known, whatever a gateway that has not heard of it shows.
    acl = takes_acls and not policy and _require_acl(bucket, sleep)
    if changes and not acl:
        # From now on as Mastodon's media, which get none.
        bucket.put(PROBE, CONTENT)
    return Access(changes, acl)


def ask(bucket: Bucket, *, check: bool, sleep: Sleep = time.sleep) -> Access:
    """Return whether ACLs decide who reads, by what an earlier run left in the bucket. Raises MastodonError."""
    if not check:
        return Access([], _require_acl(bucket, sleep))
    return Access([], _acl_decides(bucket, sleep))


def _require_acl(bucket: Bucket, sleep: Sleep) -> bool:
    """Return whether ACLs decide who reads: with a guess Mastodon's uploads fail, or nobody sees them. Raises MastodonError."""
    for attempt in range(ATTEMPTS):
        acl = _acl_decides(bucket, sleep)
        if acl is not None:
            return acl
        if attempt < ATTEMPTS - 1:
            sleep(PAUSE)
    why = f"{WITHHELD_PROBE}, which would show it, answers anyone with {described(bucket.get_anonymously(WITHHELD_PROBE))}"
    remedy = "Run role rook, too, which writes what is missing, or read the server's log."
    raise MastodonError(str(bucket), "does not say whether ACLs decide who reads", why, remedy)


def _acl_decides(bucket: Bucket, sleep: Sleep) -> bool | None:
    """Return whether a private object of a shown folder is hidden from anyone, or None when nobody can tell."""
    if not is_readable(settled(lambda: bucket.get_anonymously(PROBE), sleep)):
        return None
    return _who_decides(bucket, sleep).acl


def _who_decides(bucket: Bucket, sleep: Sleep) -> Access:
    """Return whether ACLs decide who reads, of a bucket of which anyone reads the first probe."""
    withheld = settled(lambda: bucket.get_anonymously(WITHHELD_PROBE), sleep)
    if is_readable(withheld):
        return Access([], acl=False)
    if not is_refused(bucket, WITHHELD_PROBE, withheld):
        return Access([], acl=None)
    # A policy that an interrupted run wrote a moment ago may not be known to the gateway that answered.
    policy = _readable_policy(bucket)
    ours = policy is not None and with_public_read(policy, bucket.name) == policy
    return Access([], not ours, policy)


def _obey_acls(bucket: Bucket, *, check: bool) -> list[Change]:
    """Take back what `withdraw` did."""
    if not bucket.ignores_acls():
        return []
    if not check:
        bucket.obey_acls()
    return [Change(f"configured bucket {bucket.name}: ACLs decide who reads", "", "")]


def take_over(bucket: Bucket, *, check: bool) -> list[Change]:
    """Let the user of these keys use what an earlier claim's user wrote, whom Ceph keeps as its owner when Rook gives him the bucket."""
    if not bucket.withholds(SECRET_PROBE):
        return []
    before, user = bucket.policy(), bucket.user()
    after = with_owner(before, bucket.name, user)
    if after == before:
        return []
    if not check:
        bucket.set_policy(after)
    return [_changed(bucket, "configured" if before else "created", before, after)]


def _readable_policy(bucket: Bucket) -> dict[str, Any] | None:
    try:
        return bucket.policy()
    except MastodonError:
        # Keys that may not look at policies wrote none.
        return None


def withdraw(
    bucket: Bucket, say: Callable[[str], None], *, check: bool, claimed: bool = False, sleep: Sleep = time.sleep
) -> list[Change]:
    """Take our statement back, and say so when anyone still reads. Return what was changed, or in check mode would be."""
    by = "an ACL, a statement of others or a setting of the provider allows it"
    try:
        before = bucket.policy()
    except MastodonError as error:
        # Where nobody reads, it does not matter that these keys may not look at policies.
        before, by = {}, str(error)
    after = without_public_read(before)
    if after != before and not check:
        bucket.set_policy(after)
    changes = [_changed(bucket, "configured" if after else "deleted", before, after)] if after != before else []
    still = not (check and changes) and is_still_readable(bucket, sleep, attempts=ATTEMPTS if changes else 1)
    hidden = _ignore_acls(bucket, sleep, check=check) if claimed and still and not has_others(after) else []
    if still and not hidden and not check:
        say(f"{bucket}: anyone still reads {PROBE}, which rook_anonymous_read does not ask for: {by}")
    return changes + hidden


def _ignore_acls(bucket: Bucket, sleep: Sleep, *, check: bool) -> list[Change]:
    """Let nobody read by the ACLs that media have, where it is those that let them."""
    if not bucket.could_ignore_acls():
        return []
    if not check:
        bucket.ignore_acls()
        if is_still_readable(bucket, sleep, attempts=ATTEMPTS):
            bucket.obey_acls()
            return []
    return [Change(f"configured bucket {bucket.name}: nobody reads by an ACL", "", "")]


def _probes(bucket: Bucket, *, check: bool) -> tuple[list[Change], bool]:
    """Write those that are missing. Return them, and whether no ACL was refused."""
    changes, takes_acls = [], True
    for key, acl in ((PROBE, PUBLIC), (WITHHELD_PROBE, PRIVATE), (SECRET_PROBE, PRIVATE)):
        found = bucket.get(key)
        if found == CONTENT:
            continue
        if not check:
            takes_acls = bucket.upload(key, CONTENT, acl) and takes_acls
        action = "created" if found is None else "configured"
        before = "" if found is None else "other content\n"
        changes.append(Change(f"{action} object {key} in bucket {bucket.name}", before, CONTENT.decode()))
    return changes, takes_acls


def _policy(bucket: Bucket, sleep: Sleep, *, check: bool) -> list[Change]:
    # The probe that was just written may be readable already, by an ACL or the provider's settings.
    if not check and is_readable(bucket.get_anonymously(PROBE)) and is_hidden(bucket, SECRET_PROBE, sleep):
        return []
    before = bucket.policy()
    after = with_public_read(before, bucket.name)
    if after == before:
        return []
    if not check:
        try:
            bucket.set_policy(after)
        except MastodonError as error:
            # Where public access is blocked, which is AWS's default, the owner's own keys are refused in the same words:
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
            remedy = f"{error.remedy} AWS: turn off Block Public Access, too."
            raise MastodonError(error.subject, error.failed, error.why, remedy) from error
    return [_changed(bucket, "configured" if before else "created", before, after)]


def _changed(bucket: Bucket, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    return Change(f"{action} policy of bucket {bucket.name}", _text(before), _text(after))


def _text(policy: Mapping[str, Any]) -> str:
    return f"{json.dumps(policy, indent=2, sort_keys=True)}\n" if policy else ""
