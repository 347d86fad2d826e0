# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the last rehearsal: a ConfigMap beside the Cluster, without anything secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.scratch import LABEL, name_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)


@dataclass(frozen=True)
class Record:
    """Times are RFC 3339 in UTC. `asked` is the time that was asked for, empty for the newest; `newest` that of the newest row restored.

    `failure` is empty when it went well; numbers are then seconds. `skipped` is what was not checked, and why; `left` what of it
    could not be removed. Where a time was asked
    for, no RPO is known: what was written until then may be little because nobody wrote.
    """

    ended: str
    asked: str = ""
    newest: str = ""
    rpo: str = ""
    rto: str = ""
    failure: str = ""
    skipped: str = ""
    left: str = ""

    def line(self) -> str:
        """Return what people read, without when."""
        if self.failure:
            return f"failed: {self.failure}"
        upto = f"up to {self.newest}" if self.newest else "without any row"
        took = ", ".join(f"{name} {value} s" for name, value in (("RPO", self.rpo), ("RTO", self.rto)) if value)
        skipped = f"skipped: {self.skipped}" if self.skipped else ""
        return "; ".join(filter(None, (f"restored {upto} ({took})", skipped, self.left)))


def config_map(namespace: str, cluster: str, record: Record) -> dict[str, Any]:
    """Return what keeps it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name_of(cluster), "namespace": namespace, "labels": {LABEL: cluster}},
        "data": asdict(record),
    }


def read_all(api: Api) -> dict[tuple[str, str], Record]:
    """Return the last rehearsal of each Cluster, by namespace and name."""
    found: dict[tuple[str, str], Record] = {}
    for item in api.read(Selection(CONFIG_MAP, labels=LABEL)).objects:
        cluster = at(item, "metadata.labels", {}).get(LABEL, "")
        record = _of(at(item, "data", {}))
        if record.ended:
            found[item["metadata"]["namespace"], cluster] = record
    return found


def _of(data: Mapping[str, Any]) -> Record:
    return Record(**{name: str(data.get(name, "")) for name in Record.__dataclass_fields__})
