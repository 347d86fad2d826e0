# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Mastodon that runs may go to another minor series now. Looked at only then, so that other runs ask for nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive, base_backup, last_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import Launched, place_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import (
    SERIES,
    UNREHEARSED,
    acknowledgement,
    between,
    written,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import scratch as rehearsal
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# A daily one, and two hours in which it may be late.
FRESH_HOURS = 26
# One of today says of today's keys and settings that they restore it.
REHEARSED_HOURS = 24
# Who applied an object: https://fluxcd.io/flux/components/kustomize/kustomizations/#recommended-settings
_PARENT = "kustomize.toolkit.fluxcd.io"


def problems(scene: Scene, wanted: Release, now: datetime) -> Iterator[MastodonError]:
    """Yield what speaks against an upgrade of the Mastodon that is there, if it is one."""
    mine, running = scene.mine, running_before(scene.mine, wanted)
    if mine is None or running is None:
        return
    yield from _doors(mine, running, wanted, scene.parameters["accepted"])
    yield from _delivery(mine, running, scene.applied)
    yield from _backup(scene, running, wanted, now)


def running_before(mine: Launched | None, wanted: Release) -> Release | None:
    """Return what runs, if `wanted` is of another minor series than that, and Flux was not given it already, as by a run that was killed."""
    running = mine.release if mine else None
    begun = bool(mine and mine.coming and mine.coming.series >= wanted.series)
    return running if running and not begun and running.series < wanted.series else None


def _doors(mine: Launched, running: Release, wanted: Release, accepted: list[str]) -> Iterator[MastodonError]:
    for series in between(running.series, wanted.series):
        one, name, release = SERIES[series], acknowledgement(series), written(series)
        if one.no_way_back and name not in accepted:
            yield MastodonError(
                str(mine),
                f"cannot go back to {running} once it is {release}",
                one.no_way_back,
                f"Read docs/upgrade.md, and set mastodon_upgrade_accept to [{name}].",
            )


def _delivery(mine: Launched, running: Release, applied: Sequence[Object]) -> Iterator[MastodonError]:
    """Yield what keeps Flux from upgrading it, or cannot be looked at. One that was uninstalled is not upgraded but installed."""
    here = (mine.namespace, mine.name)
    releases = [one for one in applied if one["kind"] == kinds.HELM_RELEASE[1] and place_of(one) == here]
    for release in releases:
        yield from _of_release(release)
    if mine.runs and not releases:
        why = "so that nothing says whether Flux would go through with an upgrade"
        remedy = (
            f"Set mastodon_image_tag to {running} and run fediverse.mastodon.site, which creates one; or, if there is one in another namespace, "
            "let this user read it."
        )
        yield MastodonError(str(mine), "runs, and no HelmRelease of it is seen", why, remedy)


def _of_release(release: Object) -> Iterator[MastodonError]:
    """Yield why Flux would not go through with it, or would take it back half-way."""
    metadata = release["metadata"]
    subject = f"HelmRelease {metadata['namespace']}/{metadata['name']}"
    if at(release, "spec.suspend", False):
        remedy = f"Run flux resume helmrelease -n {metadata['namespace']} {metadata['name']} first."
        yield MastodonError(subject, "is suspended", "so nothing would be upgraded", remedy)
    labels = metadata.get("labels") or {}
    parent = labels.get(f"{_PARENT}/name")
    strategy = at(release, "spec.upgrade.strategy.name", "")
    if parent and strategy == "RemediateOnFailure":
        yield MastodonError(
            subject,
            "would be rolled back when an upgrade fails",
            "its strategy is RemediateOnFailure, and an older release does not run on a database that was migrated",
            f"Leave it out of the patch of Kustomization {labels.get(f'{_PARENT}/namespace', '')}/{parent}.",
        )


def _backup(scene: Scene, running: Release, wanted: Release, now: datetime) -> Iterator[MastodonError]:
    series = between(running.series, wanted.series)
    yield from backed_up(scene, now, [acknowledgement(one, UNREHEARSED) for one in series])


def backed_up(scene: Scene, now: datetime, unrehearsed: Sequence[str] | None) -> Iterator[MastodonError]:
    """Yield why a database that is backed up has nothing to go back to.

    `unrehearsed` is by what names people accept that a restore was not rehearsed, None where none is asked for.
    """
    namespace, _unused, name = str((scene.parameters["postgresql"] or {}).get("cluster", "")).partition("/")
    cluster = scene.view.one(kinds.DATABASE, name, namespace) if name else {}
    if archive.of_cluster(cluster, {}) is None:
        return
    stores = {one["metadata"]["name"]: one for one in scene.view.within(kinds.BACKUPS, namespace)}
    backup = last_backup.of_cluster(cluster, stores)
    why = backup.trouble or _age(backup.last_success, now)
    if why:
        remedy = "Make one: ansible-playbook -i inventories/mine fediverse.mastodon.backup."
        yield MastodonError(backup.subject, "has no fresh backup to go back to", why, remedy)
    try:
        # One that we began is gone on with.
        base_backup.unfinished(name, scene.view.within(kinds.BACKUP, namespace))
    except MastodonError as runs:
        yield runs
    if unrehearsed is None:
        return
    why = _rehearsed(scene.view.one(kinds.CONFIG_MAP, rehearsal.name_of(name), namespace), cluster, now)
    if why and not {*unrehearsed} <= {*scene.parameters["accepted"]}:
        remedy = (
            "Rehearse one: ansible-playbook -i inventories/mine fediverse.mastodon.rehearse, "
            f"or set mastodon_upgrade_accept to [{', '.join(unrehearsed)}]."
        )
        yield MastodonError(backup.subject, "was not restored to see that it can be", why, remedy)


def _rehearsed(kept: Object, cluster: Object, now: datetime) -> str:
    """Return what is wrong with the last rehearsal of a Cluster, of which it may be another of that name."""
    last = record.of(kept, rehearsal.LABEL, cluster["metadata"]["name"])
    if not last.ended or last.ended < at(cluster, "metadata.creationTimestamp", ""):
        return "no restore of it was rehearsed yet"
    if last.failure:
        return f"its last rehearsal failed at {last.ended}: {last.failure}"
    if last.asked:
        return f"its last rehearsal at {last.ended} was of an earlier time, {last.asked}"
    hours = (now - datetime.fromisoformat(last.ended)).total_seconds() / 3600
    return f"its last rehearsal was at {last.ended}, {hours:.0f} hours ago" if hours > REHEARSED_HOURS else ""


def _age(moment: str, now: datetime) -> str:
    """Return what is wrong with when the last one was made."""
    if not moment:
        return "none was ever made"
    hours = (now - datetime.fromisoformat(moment)).total_seconds() / 3600
    return f"the last one was made at {moment}, {hours:.0f} hours ago" if hours > FRESH_HOURS else ""
