# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.s3_public_read`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import ceph
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import (
    must_have_secret,
    read_secret,
    written_again,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import NoAnswerError, UnknownKeysError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import is_readable_by_rook, owner_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import (
    Access,
    Change,
    ask,
    ensure,
    take_over,
    withdraw,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.changes import changed_lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import await_ready
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import DEPENDS_ON_OPTION

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "endpoint": {"type": "str", "required": True},
        "bucket": {"type": "str", "required": True},
        "region": {"type": "str", "default": "us-east-1"},
        "state": {"type": "str", "choices": ["present", "absent", "asked"], "default": "present"},
        "optional": {"type": "bool", "default": False},
        "claimed": {"type": "bool", "default": False},
        # Where the keys are, not the keys.
        "secret_namespace": {"type": "str", "required": True, "no_log": False},
        "secret_name": {"type": "str", "required": True, "no_log": False},
        "depends_on": DEPENDS_ON_OPTION,
        "wait_timeout": {"type": "int", "default": 600},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Let anyone read what Mastodon shows and nothing else, or take that back, or only ask."""
    connection = connect(parameters, run.environment)
    deadline = Deadline(parameters["wait_timeout"])
    await_ready(parameters["depends_on"], open_objects(connection, deadline, run.say), deadline, run)
    where = parameters["secret_namespace"], parameters["secret_name"]
    # On an empty cluster whatever makes the bucket and its keys has not run.
    change = Change(f"created policy of bucket {parameters['bucket']}", "", "")
    may_be_missing = run.check or parameters["optional"]
    due = Access([change] if parameters["state"] == "present" and not parameters["optional"] else [], None)
    if may_be_missing and read_secret(connection, *where) is None:
        return _result(due, run)
    secret = must_have_secret(connection, *where)
    keys = Keys(secret["AWS_ACCESS_KEY_ID"], secret["AWS_SECRET_ACCESS_KEY"], str(secret))
    endpoint = parameters["endpoint"]
    bucket = Bucket(
        endpoint, parameters["bucket"], parameters["region"], keys, forward.way_to_url(connection, endpoint)
    )
    try:
        return _look(parameters, bucket, run)
    except forward.NotThereError as error:
        if may_be_missing:
            return _result(due, run)
        raise _explained(error, connection, parameters) from error
    except (NoAnswerError, UnknownKeysError) as error:
        raise _explained(error, connection, parameters) from error


def _explained(error: MastodonError, connection: Connection, parameters: Mapping[str, Any]) -> MastodonError:
    """Return it with what the cluster knows of its cause."""
    if isinstance(error, UnknownKeysError):
        return error.cured(written_again(connection, parameters["secret_namespace"], parameters["secret_name"]))
    if isinstance(error, NoAnswerError | forward.NoPodError):
        return ceph.explained(error, open_objects(connection), parameters["endpoint"])
    return error


def _look(parameters: Mapping[str, Any], bucket: Bucket, run: Run) -> dict[str, Any]:
    state = parameters["state"]
    if state == "asked":
        return _result(ask(bucket, check=run.check), run)
    if parameters["claimed"]:
        return _of_claim(state, bucket, run)
    return _of_others(state, bucket, run, is_of_rook=bool(ceph.namespace_of(parameters["endpoint"])))


def _of_claim(state: str, bucket: Bucket, run: Run) -> dict[str, Any]:
    """Do it for a bucket that Rook gave to a claim. Beside the result return what user the claim's policy must name."""
    taken = take_over(bucket, check=run.check)
    if taken and run.check:
        return {**_result(Access(taken, None), run), "owner": bucket.user()}
    found = _done(state, bucket, run, claimed=True)
    policy = bucket.policy() if found.policy is None else found.policy
    _warn(bucket, policy, run)
    return {**_result(Access([*taken, *found.changes], found.acl), run), "owner": owner_of(policy)}


def _of_others(state: str, bucket: Bucket, run: Run, *, is_of_rook: bool) -> dict[str, Any]:
    """Do it for a bucket that may hold more than Mastodon's media."""
    found = _done(state, bucket, run, claimed=False)
    if is_of_rook:
        # Keys that may not look at policies have been reported where it matters.
        with suppress(MastodonError):
            _warn(bucket, bucket.policy(), run)
    return _result(found, run)


def _warn(bucket: Bucket, policy: Mapping[str, Any], run: Run) -> None:
    """Say that the bucket's claim could never be deleted, if that is so."""
    if not is_readable_by_rook(policy):
        why = "Rook cannot read it, so that the bucket's claim could never be deleted"
        remedy = 'Write each Principal like {"AWS": ["*"]}, and each Action and Resource as a list.'
        run.say(str(MastodonError(str(bucket), "has a policy of others in short forms", why, remedy)))


def _done(state: str, bucket: Bucket, run: Run, *, claimed: bool) -> Access:
    if state == "present":
        return ensure(bucket, check=run.check, claimed=claimed)
    # An ACL would let anyone read.
    return Access(withdraw(bucket, run.say, check=run.check, claimed=claimed), acl=False)


def _result(access: Access, run: Run) -> dict[str, Any]:
    return {**changed_lines(access.changes, run), "acl": access.acl}


TASK = Task(ARGUMENTS, run_task)
