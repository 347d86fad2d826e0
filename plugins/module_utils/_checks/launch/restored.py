# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release may be installed on a database that was restored, of which nothing else says what ran on it."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import series_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.stores import Asked, NotAskedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release, check_step
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, RefusedLoginError


def problems(scene: Scene, wanted: Release, servers: Asked) -> list[str]:
    """Return why the release must not follow the one whose database was restored. One that is not up yet is asked once it is."""
    store = scene.parameters["postgresql"]
    namespace, _unused, name = str((store or {}).get("cluster", "")).partition("/")
    if (scene.mine is not None and scene.mine.runs) or not name or not store["direct_host"]:
        return []
    if not beginning.of_live(scene.view.one(kinds.DATABASE, name, namespace)).restored_from:
        return []
    try:
        newest = servers.schema({**store, "host": store["direct_host"]})
    except (NotAskedError, NotReadyError, RefusedLoginError):
        return []
    except MastodonError as error:
        return [str(error)]
    try:
        refuse_schema(f"The database in Cluster {namespace}/{name}", newest, wanted)
    except MastodonError as refusal:
        return [str(refusal)]
    return []


def refuse_schema(subject: str, newest: str, wanted: Release) -> None:
    """Raise MastodonError unless a release may follow the one of which the newest migration is, as far as that is known."""
    series = series_of(newest)
    if series is not None:
        check_step(subject, Release(*series, 0), wanted)
