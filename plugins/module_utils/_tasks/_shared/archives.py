# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers are backed up in a bucket, read with the keys of its path in Vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cached_property
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.beginning import (
    Archives,
    Wanted,
    backup_time,
    backups_of,
    of_new,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import (
    DATABASE,
    ClusterView,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import CLUSTER_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# Where a Cluster is or is to be, and how its settings say that it begins.
OPTIONS: dict[str, Any] = {
    **CLUSTER_OPTIONS,
    "domain": {"type": "str", "required": True},
    "endpoint": {"type": "str", "required": True},
    "bucket": {"type": "str", "required": True},
    "region": {"type": "str", "default": ""},
    # Where the keys are, not the keys.
    "path": {"type": "str", "required": True, "no_log": False},
    "access_key": {"type": "str", "default": "", "no_log": True},
    "secret_key": {"type": "str", "default": "", "no_log": True},
    "server_name": {"type": "str", "default": ""},
    "restore_from": {"type": "str", "default": ""},
    "restore_at": {"type": "str", "default": ""},
    "begin_anew": {"type": "str", "default": ""},
}
_ACCESS, _SECRET = "access-key-id", "secret-access-key"
_REGION = "us-east-1"


class UnknownArchivesError(MastodonError):
    """Nobody could be asked what is backed up."""


class NoKeysError(UnknownArchivesError):
    """Nothing could be asked, as nobody has given the keys yet."""


def wanted(option: Mapping[str, Any]) -> Wanted:
    """Return what the options say."""
    named = {**option, "name": option["cluster"]}
    return Wanted(**{one.name: named[one.name] for one in fields(Wanted)})


def keys_of(option: Mapping[str, Any], server: Vault, mount: str) -> Keys | None:
    """Return the keys of the bucket, those in Vault before those that are given to be written there; None as long as there are none."""
    stored = kv.read(server, mount, option["path"])
    given = {_ACCESS: option["access_key"], _SECRET: option["secret_key"]}
    access, secret = (stored.data.get(name) or given[name] for name in (_ACCESS, _SECRET))
    return Keys(access, secret, f"Vault path {mount}/{option['path']}") if access and secret else None


def read(option: Mapping[str, Any], keys: Keys, connection: Connection) -> Archives:
    """Return what the bucket holds. Raises UnknownArchivesError, and NoPodError for a store of this cluster that starts.

    A store that is to be in this cluster and is not there yet holds nothing.
    """
    endpoint = option["endpoint"]
    way = forward.way_to_url(connection, endpoint)
    bucket = Bucket(endpoint, option["bucket"], option["region"] or _REGION, keys, way)
    try:
        return {server: _backups(bucket, server) for server in bucket.folders()}
    except forward.NoPodError:
        raise
    except forward.NotThereError:
        return {}
    except MastodonError as error:
        failed, domain = "could not be asked whether it holds a backup of this Mastodon", option["domain"]
        remedy = f"{error.remedy} If you know that there is none, set cnpg_begin_anew to {domain}."
        raise UnknownArchivesError(error.subject, failed, f"{error.failed}: {error.why}", remedy) from error


class Backups:
    """What the options name, asked once, and only when it matters."""

    def __init__(self, option: Mapping[str, Any], server: Vault, mount: str, connection: Connection) -> None:
        self._option, self._server, self._mount, self._connection = option, server, mount, connection
        self.wanted = wanted(option)

    @cached_property
    def archives(self) -> Archives:
        """Return what the bucket holds; nothing as long as there are no keys to ask it with, which are asked for elsewhere."""
        keys = keys_of(self._option, self._server, self._mount)
        return read(self._option, keys, self._connection) if keys else {}

    def has_database(self, view: ClusterView) -> bool:
        """Whether the Cluster is there, so that nothing of it begins."""
        return bool(view.one(DATABASE, self.wanted.name, self.wanted.namespace))

    def kept(self) -> list[str]:
        """Return what could be restored, unless it is to be begun without."""
        if self.wanted.begin_anew == self.wanted.domain:
            return []
        return [f"backup {one} in bucket {self.wanted.bucket}" for one in backups_of(self.wanted, self.archives)]

    def problems(self) -> list[str]:
        """Return what speaks against a Cluster that would be created now."""
        try:
            of_new(self.wanted, self.archives, now())
        except forward.NoPodError:
            # A store of this cluster that starts is waited for before the Cluster is created.
            return []
        except MastodonError as error:
            return [] if isinstance(error, UnknownArchivesError) and not self._must_know() else [str(error)]
        return []

    def _must_know(self) -> bool:
        return self.wanted.begin_anew != self.wanted.domain or bool(self.wanted.restore_from)


def _backups(bucket: Bucket, server: str) -> list[datetime]:
    return sorted(filter(None, map(backup_time, bucket.folders(f"{server}/base/"))))
