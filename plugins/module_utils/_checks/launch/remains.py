# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a Mastodon that nothing else shows: a database whose columns only its keys can decrypt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.stores import NotAskedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# Set by CloudNativePG on the volumes of a database: https://cloudnative-pg.io/documentation/current/labels_annotations/
_VOLUMES = "cnpg.io/cluster="
# The first migration of 4.3 that encrypts: https://github.com/mastodon/mastodon/releases/tag/v4.3.0
_ENCRYPTS_SINCE = "20240307180905"


def databases(
    view: ClusterView, database: Mapping[str, Any] | None, schema: Callable[[], str], *, is_new: bool = False
) -> list[str]:
    """Return what may hold encrypted columns.

    `schema` asks a server of the user's own for its newest migration. Raises MastodonError when that cannot be asked, and nobody
    said that its database `is_new`.
    """
    if database is None:
        return []
    if not database["cluster"]:
        return _on_a_server(database, schema, is_new) if database["host"] else []
    namespace, name = database["cluster"].split("/")
    if view.one(kinds.DATABASE, name, namespace):
        return [f"Cluster {namespace}/{name}"]
    volumes = view.within(kinds.VOLUME_CLAIM, namespace, f"{_VOLUMES}{name}")
    return [f"PersistentVolumeClaim {namespace}/{item['metadata']['name']}" for item in volumes]


def _on_a_server(database: Mapping[str, Any], schema: Callable[[], str], is_new: bool) -> list[str]:
    try:
        newest = schema()
    except NotAskedError as error:
        if is_new:
            return []
        raise MastodonError(
            error.subject,
            "could not be asked whether it holds a Mastodon already",
            f"{error.why.rstrip('.')}: its encryption keys would be created again",
            f"{error.remedy}, write the keys that it was encrypted with to Vault, or set mastodon_database_is_new to true if "
            "nothing is in it.",
        ) from error
    return [f"database {database['database']} at {database['host']}"] if newest >= _ENCRYPTS_SINCE else []
