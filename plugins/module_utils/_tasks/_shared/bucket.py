# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket for media: where it is, and by which keys and which way it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

BUCKET_OPTIONS: dict[str, Any] = {
    "endpoint": {"type": "str", "required": True},
    "bucket": {"type": "str", "required": True},
    "region": {"type": "str", "default": "us-east-1"},
    # Where the keys are, not the keys.
    "path": {"type": "str", "default": "", "no_log": False},
    "secret_namespace": {"type": "str", "default": "", "no_log": False},
    "secret_name": {"type": "str", "default": "", "no_log": False},
}


def bucket_of(
    wanted: Mapping[str, Any], mount: str, connection: Callable[[], Connection], server: Callable[[], Vault]
) -> Bucket:
    """Return the bucket. Raises SkippedError while its keys are not made yet, MastodonError when they are not right."""
    keys = _keys_in_vault(wanted["path"], mount, server) if wanted["path"] else _keys_of_claim(wanted, connection)
    there = way(connection, *forward.place_of(wanted["endpoint"]))
    return Bucket(wanted["endpoint"], wanted["bucket"], wanted["region"], keys, there)


def way(connection: Callable[[], Connection], host: str, port: int) -> Dial | None:
    """Return what opens sockets to a host that only pods find; whatever lies outside is asked without the cluster."""
    return forward.way_to(connection(), host, port) if forward.service_at(host, port) else None


def _keys_in_vault(path: str, mount: str, server: Callable[[], Vault]) -> Keys:
    given = vault.given(server(), mount, path, ["access-key-id", "secret-access-key"])
    return Keys(given["access-key-id"], given["secret-access-key"], f"Vault path {mount}/{path}")


def _keys_of_claim(wanted: Mapping[str, Any], connection: Callable[[], Connection]) -> Keys:
    secret = read_secret(connection(), wanted["secret_namespace"], wanted["secret_name"])
    if secret is None:
        raise SkippedError("Bucket for media: fediverse.mastodon.site creates it, with Rook")
    return Keys(secret["AWS_ACCESS_KEY_ID"], secret["AWS_SECRET_ACCESS_KEY"], str(secret))
