# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database may be restored for good now, and what people read of it afterwards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import beginning
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.base_backup import ENDED, subject
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.generation import AGAIN, IMPORT, Generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade.record import Upgrade
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

Item = Mapping[str, Any]

# An hour later another rehearsal says more of what people would get.
REHEARSED = timedelta(hours=1)
# Long enough for any holder of a Lease to have renewed it.
_ALIVE = timedelta(seconds=60)
_REHEARSE = "ansible-playbook -i inventories/mine fediverse.mastodon.rehearse"


@dataclass(frozen=True)
class Wish:
    """What is asked for: a time to restore to, None for the newest; the name of a Cluster to go `back` to; or an `image` to import by."""

    target: datetime | None = None
    back: str = ""
    image: str = ""

    @classmethod
    def of(cls, kept: Generation) -> Wish:
        """Return what was asked for when that was begun."""
        if kept.back:
            return cls(back=kept.current)
        return cls(datetime.fromisoformat(kept.asked) if kept.asked else None, image=kept.image)

    @property
    def asked(self) -> str:
        """Return the time as records have it."""
        return written(self.target) if self.target else ""

    @property
    def command(self) -> str:
        """Return how it is asked for."""
        if self.image:
            return f"{IMPORT} with cnpg_cluster_image: {self.image}"
        if self.back:
            return f"{AGAIN} -e restore_back={self.back}"
        return f"{AGAIN} -e restore_to={self.asked}" if self.target else AGAIN

    def is_of(self, kept: Generation) -> bool:
        """Return whether just that was begun."""
        if self.back:
            return kept.current == self.back
        return not kept.back and (kept.asked, kept.image) == (self.asked, self.image)


def is_done(kept: Generation, wish: Wish, now: datetime) -> bool:
    """Return whether just that was done already: what is asked for by the same command again.

    The newest of an hour later is another one.
    """
    if not kept.ended or not wish.is_of(kept):
        return False
    recent = now - datetime.fromisoformat(kept.ended) < REHEARSED
    return bool(wish.back or wish.asked or wish.image) or recent


def refuse_other(place: str, kept: Generation, wish: Wish) -> None:
    """Raise MastodonError when something else was begun than is asked for now, and it is not the way back from it."""
    if wish.is_of(kept) or (wish.back and wish.back == kept.former):
        return
    why = f"{kept.what()} began at {kept.began} and has not ended"
    remedy = f"Go on with it, {Wish.of(kept).command}, or go back from it, {AGAIN} -e restore_back={kept.former}."
    raise MastodonError(place, "is asked for otherwise now", why, remedy)


def refuse_unrehearsed(place: str, last: Record, wish: Wish, now: datetime) -> None:
    """Raise MastodonError unless just that was rehearsed within the hour."""
    what = f"to {wish.asked}" if wish.target else "of the newest"
    why = ""
    if not last.ended:
        why = "no restore of it was rehearsed"
    elif last.failure:
        why = f"its last rehearsal failed at {last.ended}: {last.failure}"
    elif last.asked != wish.asked:
        why = f"its last rehearsal, at {last.ended}, was of {last.asked or 'the newest'}"
    elif now - datetime.fromisoformat(last.ended) > REHEARSED:
        why = f"its last rehearsal was at {last.ended}, more than an hour ago"
    if why:
        command = f"{_REHEARSE} -e at={wish.asked}" if wish.target else _REHEARSE
        remedy = f"Rehearse it: {command}. Where that is not possible, add -e restore_unrehearsed=true."
        raise MastodonError(place, f"a restore {what} was not rehearsed within the hour", why, remedy)


def busy(
    place: str, leases: Iterable[Item], backups: Iterable[Item], cluster: str, upgrade: Upgrade, now: datetime
) -> Iterator[MastodonError]:
    """Yield what else is at work on a database. An upgrade that stopped may be why it is to be restored."""
    for lease in leases:
        renewed = at(lease, "spec.renewTime", "")
        if at(lease, "spec.holderIdentity", "") and renewed and now - datetime.fromisoformat(renewed) < _ALIVE:
            name = f"{lease['metadata']['namespace']}/{lease['metadata']['name']}"
            why = f"Lease {name} was renewed at {renewed}"
            yield MastodonError(place, "something else is at work on it", why, "Wait until that has ended.")
    for item in backups:
        if at(item, "spec.cluster.name", "") == cluster and at(item, "status.phase", "") not in ENDED:
            why = f"{subject(item)} is {at(item, 'status.phase', '') or 'about to begin'}"
            yield MastodonError(place, "a backup of it runs", why, "Wait until it has ended.")
    if upgrade.is_open and not upgrade.failure:
        remedy = "Wait until that has ended; if its run was killed, run playbook upgrade again."
        yield MastodonError(place, "its Mastodon is being upgraded", upgrade.line(), remedy)


def without_pods(quotas: Iterable[Item]) -> Iterator[Item]:
    """Yield quotas as far as they are of volumes: pods make room for pods, as the others are stopped before."""
    for quota in quotas:
        hard = {
            name: most
            for name, most in at(quota, "status.hard", {}).items()
            if "storage" in name or "persistentvolumeclaims" in name
        }
        yield {**quota, "status": {**quota.get("status", {}), "hard": hard}}


def afterwards(namespace: str, kept: Generation, item: Item, domain: str) -> Iterator[str]:
    """Yield what people read once it ended: the way back, and what may be deleted when. `item` is the former Cluster, empty once it is gone."""
    former, former_server = kept.former, beginning.of_live(item).server_name if item else ""
    again = f"-e restore_domain={domain} -e restore_back={former}"
    by_image = f", with cnpg_cluster_image set back to {at(item, 'spec.imageName', '')}" if kept.image else ""
    yield f"Cluster {namespace}/{former} is kept with what was there when Mastodon was stopped. The way back{by_image}: {AGAIN} {again}"
    yield (
        f"Once nobody wants to go back: kubectl delete clusters.postgresql.cnpg.io -n {namespace} {former}. "
        f"Its volumes go with it"
    )
    if former_server and not kept.back:
        yield (
            f"Keep folder {former_server} of the bucket of backups as long as you may want anything of before {kept.began}: nothing cleans it up, and "
            f"{kept.current} reaches back to now only"
        )
