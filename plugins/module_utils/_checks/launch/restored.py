# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release may be installed on a database that was restored, or that is yours, of which nothing else says what ran on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import series_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.stores import Asked, NotAskedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release, check_step
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, RefusedLoginError


def problems(scene: Scene, wanted: Release, servers: Asked) -> list[str]:
    """Return why the release must not follow the one whose database is there. One that is not up yet is asked once it is."""
    store = scene.parameters["postgresql"] or {}
    database = _database(scene, store)
    if (scene.mine is not None and scene.mine.runs) or not database:
        return []
    try:
        newest = servers.schema({**store, "host": store["direct_host"]})
    except NotAskedError as error:
        if not store["cluster"]:
            servers.say(f"skipped the check of which release used {error.subject}, which cannot be asked: {error.why}")
        return []
    except (NotReadyError, RefusedLoginError):
        return []
    except MastodonError as error:
        return [str(error)]
    try:
        refuse_schema(database, newest, wanted)
    except MastodonError as refusal:
        return [str(refusal)]
    return []


def _database(scene: Scene, store: Mapping[str, Any]) -> str:
    """Return how errors call a database that another Mastodon may have used, empty where this one begins it."""
    if not store.get("direct_host"):
        return ""
    namespace, _unused, name = str(store["cluster"]).partition("/")
    if not name:
        return f"Database {store['database']} at {store['direct_host']}"
    cluster = scene.view.one(kinds.DATABASE, name, namespace)
    return f"The database in Cluster {namespace}/{name}" if beginning.of_live(cluster).restored_from else ""


def refuse_schema(subject: str, newest: str, wanted: Release) -> None:
    """Raise MastodonError unless a release may follow the one of which the newest migration is, as far as that is known."""
    series = series_of(newest)
    # Of the same one it does not say which.
    if series not in (None, wanted.series):
        check_step(subject, Release(*series, 0), wanted)
