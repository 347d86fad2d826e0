# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects the user forces. Names of other sets may be among them, as one list may be given to all sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef


def read(names: Iterable[str], subjects: Iterable[ObjectRef]) -> frozenset[str]:
    """Return the names. Raises MastodonError for one that means an object of `subjects`, but is written otherwise."""
    meant = {way: str(subject) for subject in subjects for way in _ways(subject)}
    given = frozenset(names)
    for name in sorted(given - set(meant.values())):
        if right := meant.get(name.strip().lower()):
            raise MastodonError(f"Option force_conflicts: {name!r}", "names no object", "", f'Write "{right}".')
    return given


def _ways(subject: ObjectRef) -> Iterator[str]:
    """Yield how people write it, without regard to capitals: without namespace, or as kubectl does."""
    kind, name = subject.kind.lower(), subject.name.lower()
    for place in (f"{subject.namespace}/{name}", name):
        yield from (f"{kind} {place}", f"{kind}/{place}", f"{kind}s/{place}")
        if subject.group:
            yield f"{kind}.{subject.group}/{place}"
