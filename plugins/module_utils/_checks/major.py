# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database may be imported into a new Cluster of another major of PostgreSQL, and whether it is all there then. Pure.

CloudNativePG dumps it as its owner and restores it without roles, grants and settings:
https://cloudnative-pg.io/documentation/current/database_import/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.generation import IMPORT
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.database_image import major_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database

# What a new Cluster has: https://cloudnative-pg.io/documentation/current/bootstrap/#passing-options-to-initdb
_ENCODING, _PLAIN, _PROVIDER = "UTF8", ("C", "POSIX"), "c"
# As for an upgrade of Mastodon: one of today says of today's database that it can be imported.
_REHEARSED = timedelta(hours=24)
REHEARSE = "ansible-playbook -i inventories/mine fediverse.mastodon.rehearse -e major=true"
_MOST = 5
# On what is kept of a rehearsal of an import, apart from those of restores, of which it says nothing. Its value is the Cluster's name.
LABEL = "fediverse.mastodon/import-of"


def place_of(namespace: str, cluster: str) -> kept.Place:
    """Return what keeps how the import of a Cluster was rehearsed."""
    return kept.Place(namespace, f"{cluster}-import", LABEL, cluster)


def is_done(place: str, running: str, wanted: str) -> bool:
    """Return whether it is of that major already. Raises MastodonError for what is no import into a newer one."""
    before, after = major_of(running), major_of(wanted)
    if not before or not after:
        unknown = wanted if before else running
        remedy = "Set cnpg_cluster_image to one whose tag begins with it, such as 18."
        raise MastodonError(place, "cannot be imported", f"image {unknown} does not say which PostgreSQL it is", remedy)
    if after < before:
        why, remedy = f"its data is of {before}", f"Set cnpg_cluster_image to one of PostgreSQL {before} or newer."
        raise MastodonError(place, f"cannot go back to PostgreSQL {after}", why, remedy)
    return after == before


def refuse_image(place: str, running: str, wanted: str) -> None:
    """Raise MastodonError when a Cluster that is gone back to is of another major than the settings have."""
    before, after = major_of(running), major_of(wanted)
    if before and after and before != after:
        why, remedy = f"cnpg_cluster_image is one of {after}", f"Set cnpg_cluster_image to {running}."
        raise MastodonError(place, f"is PostgreSQL {before}", why, remedy)


def problems(place: str, found: Database, room: int) -> Iterator[MastodonError]:
    """Yield what speaks against it; `room` is how many bytes the new volume has, zero where that is not known."""
    sorted_by = (found.encoding, found.provider, found.collate in _PLAIN, found.ctype in _PLAIN)
    if sorted_by != (_ENCODING, _PROVIDER, True, True):
        why = f"it is {found.encoding}, {found.collate} and {found.ctype} of provider {found.provider}; a new Cluster is UTF8 and C"
        remedy = "Read docs/upgrade.md: such a database keeps its order of text only where CloudNativePG rewrites it in place."
        yield MastodonError(place, "sorts text otherwise than a new Cluster would", why, remedy)
    if found.unread:
        why = f"its owner may not read {some(found.unread)}"
        remedy = "Give them to its owner: ALTER … OWNER TO; or drop them."
        yield MastodonError(place, "cannot be dumped whole", why, remedy)
    # The dump lies beside what is restored from it, until all of that is there.
    if 0 < room < (needed := found.size * 3 // 2):
        why = f"it has {_mib(found.size)}, and its dump beside it makes {_mib(needed)} of a volume of {_mib(room)}"
        yield MastodonError(place, "has no room to be imported", why, "Raise cnpg_cluster_storage_size.")


def refuse_unrehearsed(place: str, last: Record, image: str, now: datetime) -> None:
    """Raise MastodonError unless just that import was rehearsed within a day."""
    why = ""
    if not last.ended:
        why = "nothing of it was rehearsed"
    elif last.failure:
        why = f"its last rehearsal failed at {last.ended}: {last.failure}"
    elif last.image != image:
        why = (
            f"its last rehearsal, at {last.ended}, was of {f'an import by {last.image}' if last.image else 'a restore'}"
        )
    elif now - datetime.fromisoformat(last.ended) > _REHEARSED:
        why = f"its last rehearsal was at {last.ended}, more than a day ago"
    if why:
        remedy = f"Rehearse it: {REHEARSE}. Where that is not possible, add -e major_unrehearsed=true to {IMPORT}."
        raise MastodonError(place, "its import was not rehearsed within a day", why, remedy)


def missing(former: Mapping[str, int], new: Mapping[str, int]) -> Iterator[str]:
    """Yield what of a database nobody writes to any more is not as it was."""
    for name in sorted({*former, *new}):
        before, after = former.get(name), new.get(name)
        if before != after:
            yield f"{name}: {'none' if after is None else after} in place of {'none' if before is None else before}"


def line(counts: Mapping[str, int]) -> str:
    """Return what people read of what was compared and is the same."""
    tables = [number for name, number in counts.items() if name.startswith("rows of ")]
    sequences = sum(name.startswith("sequence ") for name in counts)
    others = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("indexes", "constraints", "views", "functions"))
    return f"the same in both: {sum(tables)} rows of {len(tables)} tables, {sequences} sequences, {others}"


def left_behind(found: Database) -> str:
    """Return what people read of what a dump does not carry; empty when it carries all."""
    return f"not imported, make them again where you need them: {', '.join(found.left)}" if found.left else ""


def some(found: Sequence[str], between: str = ", ") -> str:
    """Return the first of them, and how many more there are."""
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"{between.join(found[:_MOST])}{more}"


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"
