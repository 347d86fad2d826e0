# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.launch_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import (
    database_image,
    environment,
    fixed,
    gate,
    keys,
    mirrors,
    moves,
    neighbours,
    record,
    remains,
    restored,
    stores,
    upgrade_path,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.database_image import Change
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.keys import Kept, Past
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.moves import Move
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import Launched
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene, read_scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import archives
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    KV_OPTIONS,
    RELEASE_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.upgrade_gate import Gate
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        **RELEASE_OPTIONS,
        "local_domain": {"type": "str", "required": True},
        "web_domain": {"type": "str", "default": ""},
        "environment_from": {"type": "str", "default": ""},
        "version": {"type": "str"},
        "leaving": {"type": "bool", "default": False},
        "accepted": {"type": "list", "elements": "str", "default": []},
        "places": moves.OPTIONS,
        "operators": fixed.OPERATORS,
        "moved_from": {"type": "list", "elements": "str", "default": []},
        # A path, not a key.
        "fingerprint_key": {"type": "str", "required": True, "no_log": False},
        "secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            # Where secrets are, not what they are.
            "no_log": False,
            "options": mirrors.OPTIONS,
        },
        "postgresql": stores.OPTIONS,
        "database_is_new": {"type": "bool", "default": False},
        "redis": stores.OPTIONS,
        "beginning": {"type": "dict", "options": archives.OPTIONS},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Refuse what a launched Mastodon cannot survive. Raises CombinedError with one sentence for each thing."""
    wanted = _wanted(parameters["version"])
    connection = connect(parameters, run.environment)
    scene = read_scene(ClusterView(open_objects(connection), parameters["namespace"]), parameters)
    server = vault.connect(parameters, run.environment)
    servers = stores.Asked(
        lambda path: kv.read(server, parameters["mount"], path).data.get("password", ""), connection, run.say
    )
    wish = parameters["beginning"]
    backups = archives.Backups(wish, server, parameters["mount"], connection) if wish else None
    kept = _kept(scene, server)
    salt = kv.read(server, parameters["mount"], parameters["fingerprint_key"]).data.get("key", "")
    of_database = Gate(scene, servers, server, connection).problems
    of_keys: Callable[[Past], list[str]] = partial(keys.problems, server, kept, salt=salt)
    change = Change.of(scene) if wanted else None
    found = _problems(scene, wanted, servers, backups, of_keys, of_database)
    if found := [*found, *_of_image(scene, change, found)]:
        raise CombinedError(found)
    if change:
        run.say(str(change))
    return _result(scene, keys.fingerprints(kept, salt), change)


def _of_image(scene: Scene, change: Change | None, said: Collection[str]) -> list[str]:
    """Return what speaks against another image of the database, and was not said before."""
    found = map(str, database_image.problems(scene, change, datetime.now(UTC))) if change else ()
    return [one for one in found if one not in said]


def _result(scene: Scene, fingerprints: Mapping[str, str], change: Change | None) -> dict[str, Any]:
    mine = scene.mine
    return {
        "changed": False,
        "mastodon": "/".join(scene.here),
        "launched": mine is not None,
        "installed": mine is not None and mine.installed,
        "version": str(mine.release) if mine and mine.release else "",
        "leaving": mine.leaving if mine else "",
        "annotations": _annotations(fingerprints),
        "database_changes": change is not None,
        "database_runs": change is not None and change.is_up,
        "ipv6": scene.view.is_ipv6(),
    }


def _wanted(tag: str | None) -> upgrade_path.Release | None:
    """Return the release that is to follow, None for nothing. Raises MastodonError for a tag that names none."""
    wanted = upgrade_path.parse(tag or "")
    if wanted is None and tag is not None:
        raise MastodonError("Variable mastodon_image_tag", f"{tag!r} is not a release", "", "Write it like v4.7.4.")
    return wanted


def _problems(
    scene: Scene,
    wanted: upgrade_path.Release | None,
    servers: stores.Asked,
    backups: archives.Backups | None,
    of_keys: Callable[[Past], list[str]],
    of_database: Callable[[upgrade_path.Release], list[str]],
) -> list[str]:
    parameters, mine = scene.parameters, scene.mine
    folder = list(moves.of_secrets(scene.app, scene.readers, scene.store))
    found = _others(scene, [move.old for move in folder]) + _identity(mine, wanted, parameters)
    # Also when nothing is to follow yet: what stops it first could not install it again.
    if mine and mine.leaving and not parameters["leaving"]:
        found.append(_gone(mine))
    found += _fixed(scene)
    found += moves.problems(str(scene), [*folder, *_moves(scene)], parameters["moved_from"])
    if all(move.old in parameters["moved_from"] for move in folder):
        # Of another folder nothing is to be reported but that it is another.
        found += of_keys(_past(scene, servers, backups, moved=bool(folder)))
    if wanted and mine is None and backups and not backups.has_database(scene.view):
        found += backups.problems()
    if wanted:
        found += environment.problems(scene.view, parameters["namespace"], parameters["environment_from"])
        found += restored.problems(scene, wanted, servers)
    # What holds already needs no second look: a patch release asks for nothing new.
    if wanted and (mine is None or mine.release is None or mine.release.series != wanted.series):
        found += stores.problems(parameters, wanted, servers)
        found += [str(problem) for problem in gate.problems(scene, wanted, datetime.now(UTC))]
        found += of_database(wanted)
    return found


def _gone(mine: Launched) -> str:
    why = "other servers delete its accounts for good, and take none back"
    remedy = "Run playbook leave, which says how far it is; when it is done, uninstall it."
    return str(MastodonError(str(mine), "has begun to leave the federation and cannot be installed again", why, remedy))


def _kept(scene: Scene, server: vault.Vault) -> list[Kept]:
    """Read what is made once, and what an ExternalSecret is about to make a Secret of that is there already."""
    found = []
    for mirror in scene.mirrors:
        if not mirror.made and mirror.place in scene.synced:
            continue
        secret = mirrors.held(scene.view, mirror)
        if mirror.made or secret.data:
            found.append(Kept(mirror, kv.read(server, mirror.mount, mirror.path), secret))
    return found


def _past(scene: Scene, servers: stores.Asked, backups: archives.Backups | None, *, moved: bool) -> Past:
    database, is_new, mine = scene.parameters["postgresql"], scene.parameters["database_is_new"], scene.mine
    return Past(
        # Made of the path too, so that those of another folder are never the same.
        mine.fingerprints if mine and not moved else {},
        mine is not None,
        lambda: remains.databases(scene.view, database, lambda: servers.schema(database), is_new=is_new),
        backups.kept if backups else tuple,
    )


def _others(scene: Scene, old_folders: Collection[str]) -> list[str]:
    parameters = scene.parameters
    hosts = [parameters["local_domain"], parameters["web_domain"] or parameters["local_domain"]]
    found = neighbours.on_the_domain(scene.all, scene.app, scene.readers, scene.here, hosts)
    found += neighbours.on_the_store(scene.store, parameters["places"], parameters["namespace"])
    found += mirrors.doubled(scene.mirrors)
    return found + neighbours.on_the_names(scene.mirrors, scene.readers, old_folders, parameters["namespace"])


def _moves(scene: Scene) -> list[Move]:
    wanted, mine = scene.parameters["places"], scene.mine
    if mine and mine.installed:
        stored = moves.of_stores(mine.environment, mine.direct_host, wanted)
    else:
        stored = moves.of_stores(moves.inferred(scene.mirrors, scene.readers), "", wanted)
    return [*stored, *moves.of_gateway(scene.view, wanted, scene.here)]


def _fixed(scene: Scene) -> list[str]:
    wanted = scene.parameters["places"]
    return [
        str(problem)
        for problem in (
            *fixed.operators(scene.applied, scene.parameters["operators"]),
            *fixed.ceph(scene.view, wanted),
            *fixed.owner(scene.external, wanted),
            *fixed.store(wanted, scene.parameters["mount"]),
        )
    ]


def _identity(
    running: Launched | None, wanted: upgrade_path.Release | None, parameters: Mapping[str, Any]
) -> list[str]:
    if running is None or not running.installed:
        return []
    found = []
    if running.local_domain:
        local = parameters["local_domain"]
        found += _renamed(running, "mastodon_local_domain", running.local_domain, local)
        found += _renamed(running, "mastodon_web_domain", running.web_domain, parameters["web_domain"] or local)
    if running.release and wanted:
        try:
            upgrade_path.check_step(str(running), running.release, wanted)
        except MastodonError as refusal:
            found.append(str(refusal))
    return found


def _renamed(running: Launched, setting: str, now: str, wanted: str) -> list[str]:
    if now == wanted:
        return []
    why = "other servers know its accounts and posts by that name for good"
    remedy = f"Set {setting} to {now}, or install {wanted} as another Mastodon of its own mastodon_name."
    return [str(MastodonError(str(running), f"runs as {now} and cannot become {wanted}", why, remedy))]


def _annotations(fingerprints: Mapping[str, str]) -> dict[str, str]:
    return {record.ANNOTATION: record.written(fingerprints)} if fingerprints else {}


TASK = Task(ARGUMENTS, run_task)
