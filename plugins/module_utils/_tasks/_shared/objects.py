# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task reports of objects in the cluster; apart from `changes`, as tasks that only ask Vault need nothing that this imports."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diff import documents
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import Outcome
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.changes import difference


def object_difference(outcome: Outcome) -> dict[str, str]:
    """Return one entry of `diff` for what was done with an object."""
    return difference(str(outcome.subject), *documents(outcome.before, outcome.after))
