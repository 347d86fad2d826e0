# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that someone else owns: taken back from people, left to everyone else."""

from __future__ import annotations

import re

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

# What a person types: kubectl-edit, kubectl-patch, kubectl-client-side-apply, kubectl, …
_PEOPLE = "kubectl"
_OWNER = re.compile(r'conflict with "([^"]+)"')


def owners(error: ApiError) -> dict[str, str]:
    """Return who owns each field in conflict, by the field's path, such as `.spec.replicas`."""
    found = {}
    for cause in error.causes:
        match = _OWNER.search(cause.message)
        found[cause.field] = match.group(1) if match else cause.message
    return found


def settle(error: ApiError, subject: ObjectRef, *, is_ours: bool, is_forced: bool) -> dict[str, str]:
    """Return the fields to take over and from whom.

    An object of ours (`is_ours`: the set's inventory lists it) that people edited is drift. Any other owner means it:
    raises MastodonError unless the user forces this object.
    """
    held = owners(error)
    if is_forced:
        return held
    foreign = {field: owner for field, owner in held.items() if not (is_ours and owner.startswith(_PEOPLE))}
    if not foreign:
        return held
    message = ", ".join(f'{field.lstrip(".")} is owned by "{owner}"' for field, owner in sorted(foreign.items()))
    # As an option of `apply`, or to site.yml, which hands it to all of them.
    remedy = f'Leave it to its owner by not declaring it, or take it over once with -e \'{{"force_conflicts": ["{subject}"]}}\'.'
    raise MastodonError(str(subject), "is not applied", message, remedy) from error
