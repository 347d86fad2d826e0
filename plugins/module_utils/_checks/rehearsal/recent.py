# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a restore was rehearsed not long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError, WarnedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

# Twelve a year are few; less often, and nobody remembers how.
OLDEST = timedelta(days=31)
_REMEDY = "Rehearse one: ansible-playbook -i inventories/mine fediverse.mastodon.rehearse."


def rehearsed(objects: Api, namespace: str, name: str, now: datetime) -> str:
    """Report the last rehearsal of a Cluster. Raises WarnedError when it failed, or there was none for long."""
    name = generation.current(objects, namespace, name)
    subject, kind = f"Cluster {namespace}/{name}", objects.discover().preferred("postgresql.cnpg.io", "Cluster")
    if kind is None or not objects.names(Selection(kind, namespace, name)):
        raise SkippedError(f"{subject}: fediverse.mastodon.site creates it, and nothing of it can be restored yet")
    last = record.read_all(objects).get((namespace, name))
    if last is None:
        raise WarnedError(MastodonError(subject, "no restore of it was rehearsed yet", "", _REMEDY))
    if last.failure:
        raise WarnedError(MastodonError(subject, f"its last rehearsal failed at {last.ended}", last.failure))
    if now - datetime.fromisoformat(last.ended) > OLDEST:
        failed = f"no restore of it was rehearsed for {OLDEST.days} days"
        raise WarnedError(MastodonError(subject, failed, f"the last was at {last.ended}", _REMEDY))
    return f"{subject}: a restore was rehearsed at {last.ended}, {last.line()}"
