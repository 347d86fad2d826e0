# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.s3_public_read`: from options to a result, in the controller or on a target.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import (
    KUBERNETES_OPTIONS,
    Connection,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Dial, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import Change, ensure

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "endpoint": {"type": "str", "required": True},
        "bucket": {"type": "str", "required": True},
        "region": {"type": "str", "default": "us-east-1"},
        # Where the keys are, not the keys.
        "secret_namespace": {"type": "str", "required": True, "no_log": False},
        "secret_name": {"type": "str", "required": True, "no_log": False},
    }
)

_SECRET = Resource("", "v1", "Secret", "secrets", namespaced=True)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def public_read(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Let anyone read the bucket's objects and nobody list them."""
    connection = connect(parameters, run.environment)
    namespace, name = parameters["secret_namespace"], parameters["secret_name"]
    keys = _keys(Objects(Client(connection)), namespace, name)
    if keys is None and run.check:
        # On an empty cluster whatever makes the bucket and its keys has not run.
        changes = [Change(f"created policy of bucket {parameters['bucket']}", "", "")]
    elif keys is None:
        remedy = "Lay down what makes it: the ObjectBucketClaim or ExternalSecret of this name."
        raise MastodonError(f"Secret {namespace}/{name}", "does not exist", "", remedy)
    else:
        endpoint = parameters["endpoint"]
        bucket = Bucket(endpoint, parameters["bucket"], parameters["region"], keys, _dial(connection, endpoint))
        changes = ensure(bucket, check=run.check)
    return _result(changes, run)


def _keys(objects: Objects, namespace: str, name: str) -> Keys | None:
    for item in objects.read(Selection(_SECRET, namespace, name)).objects:
        values = {key: base64.b64decode(value).decode() for key, value in (item.get("data") or {}).items()}
        try:
            return Keys(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], f"Secret {namespace}/{name}")
        except KeyError as error:
            raise MastodonError(f"Secret {namespace}/{name}", f"has no key {error.args[0]}", "", "Add it.") from error
    return None


def _dial(connection: Connection, endpoint: str) -> Dial | None:
    parts = urlsplit(endpoint)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise MastodonError(f"Endpoint {endpoint}", "is not an address", "", "Write it as https://host or http://host.")
    service = forward.service_at(parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
    return partial(forward.dial, connection, service) if service else None


def _result(changes: list[Change], run: Run) -> dict[str, Any]:
    for change in changes:
        run.say(change.line)
    result: dict[str, Any] = {"changed": bool(changes)}
    if run.diff:
        result["diff"] = [
            {
                "before_header": change.line,
                "after_header": change.line,
                "before": change.before,
                "after": change.after,
            }
            for change in changes
        ]
    return result
