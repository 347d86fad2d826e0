# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the last rehearsal: a ConfigMap beside the Cluster, without anything secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.scratch import LABEL, name_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Record(kept.Ended):
    """`asked` is the time that was asked for, empty for the newest; `newest` that of the newest row restored.

    Numbers are seconds. `schema` is the newest migration that was restored. `skipped` is what was not checked, and why; `left` what of it
    could not be removed. Where a time was asked for, no RPO is known: what was written until then may be little because nobody wrote. One
    with an `image` was not restored but imported by that PostgreSQL.
    """

    asked: str = ""
    newest: str = ""
    rpo: str = ""
    rto: str = ""
    skipped: str = ""
    left: str = ""
    schema: str = ""
    image: str = ""

    def _result(self) -> str:
        upto = f"up to {self.newest}" if self.newest else "without any row"
        took = ", ".join(f"{name} {value} s" for name, value in (("RPO", self.rpo), ("RTO", self.rto)) if value)
        skipped = f"skipped: {self.skipped}" if self.skipped else ""
        done = f"imported by {self.image}" if self.image else "restored"
        return "; ".join(filter(None, (f"{done} {upto} ({took})", skipped, self.left)))


def place_of(namespace: str, cluster: str) -> kept.Place:
    """Return what keeps that of a Cluster."""
    return kept.Place(namespace, name_of(cluster), LABEL, cluster)


def read_all(api: Api) -> dict[tuple[str, str], Record]:
    """Return the last rehearsal of each Cluster, by namespace and name."""
    found = {(namespace, cluster): kept.record(Record, data) for namespace, cluster, data in kept.read_all(api, LABEL)}
    return {place: record for place, record in found.items() if record.ended}


def of(item: Item, label: str, name: str) -> Record:
    """Return what an object keeps of a Cluster's, empty when there is none, or it is somebody's."""
    kept_here = at(item, "metadata.labels", {}).get(label) == name
    return kept.record(Record, at(item, "data", {}) if kept_here else {})
