# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the Barman plugin keeps the backups of a CloudNativePG Cluster, as that Cluster says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]

PLUGIN = "barman-cloud.cloudnative-pg.io"
# Group and kind of what it is configured by.
STORE = ("barmancloud.cnpg.io", "ObjectStore")


@dataclass(frozen=True)
class Archive:
    """The plugin's `entry` in a Cluster, and what it names: the ObjectStore, empty where there is none, and the `server` in it."""

    entry: Item = field(repr=False)
    store_name: str
    store: Item = field(repr=False)
    server: str

    @property
    def window(self) -> Item:
        """Return what the plugin reports of its backups, empty before the first try.

        It does so in the ObjectStore, not in the Cluster: https://cloudnative-pg.io/plugin-barman-cloud/docs/object_stores/
        """
        windows: Mapping[str, Any] = at(self.store, "status.serverRecoveryWindow", {})
        return windows.get(self.server) or {}


def of_cluster(cluster: Item, stores: Mapping[str, Item]) -> Archive | None:
    """Return where a Cluster is backed up to, None where it is not; `stores` are the ObjectStores of its namespace by name.

    As the plugin reads it: a server name that is written counts, even an empty one, and isWALArchiver does not, as CloudNativePG hands
    WAL to each plugin that is enabled.
    https://github.com/cloudnative-pg/plugin-barman-cloud/blob/v0.13.0/internal/cnpgi/operator/config/config.go
    https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/pkg/management/postgres/archiver/archiver.go
    """
    entries = [
        one for one in maps_at(cluster, "spec.plugins") if one.get("name") == PLUGIN and at(one, "enabled", True)
    ]
    if not entries:
        return None
    name = at(entries[-1], "parameters.barmanObjectName", "")
    server = at(entries[-1], "parameters.serverName", str(cluster["metadata"]["name"]))
    return Archive(entries[-1], name, stores.get(name, {}), server)
