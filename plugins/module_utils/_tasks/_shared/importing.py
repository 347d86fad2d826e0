# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a database that was imported with the one that it was imported from, to which nobody writes any more."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import major
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import room
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import Databases
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch


def refuse(databases: Databases, scratch: Scratch, say: Callable[[str], None]) -> None:
    """Raise MastodonError when a Cluster could not be imported by its rehearsal's image, and say what would not be."""
    origin, spec = scratch.origin, scratch.origin.cluster["spec"]
    subject = str(origin)
    if major.is_done(subject, str(at(spec, "imageName", "")), scratch.image):
        remedy = "Set cnpg_cluster_image to one of another PostgreSQL, or leave out major."
        raise MastodonError(subject, "need not be imported", f"it is of the same PostgreSQL as {scratch.image}", remedy)
    found = databases.ask(origin.name, lambda reader: reader.whole.itself())
    problems = list(major.problems(subject, found, int(room.amount(at(spec, "storage.size", "")))))
    if problems:
        raise problems[0] if len(problems) == 1 else CombinedError(problems)
    if left := major.left_behind(found):
        say(left)


def same(databases: Databases, former: str, new: str) -> str:
    """Return what people read of all that is the same in both. Raises MastodonError for what is not."""
    before, after = (databases.ask(name, lambda reader: reader.whole.counts()) for name in (former, new))
    if found := list(major.missing(before, after)):
        delete = f"kubectl delete clusters.postgresql.cnpg.io -n {databases.namespace} {new}"
        remedy = f"Look for who still writes to {former}, or what its owner cannot dump. Then delete what was imported, {delete}, and run again."
        place = f"Cluster {databases.namespace}/{new}"
        raise MastodonError(place, f"is not all of {former}", major.some(found, "; "), remedy)
    return major.line(before)
