# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What time it is in the pods behind a path, which sign by it: a gateway writes dates by a clock of its own."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import backend
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import Broken, Cluster, name_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.identity import SKEW
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# Of more it takes too long: each is asked by a command of its own.
_ASKED = 3


def broken(cluster: Cluster, host: str, path: str) -> Broken | None:
    """Return which pod behind a path has another time than it is here, and where it runs. Raises MastodonError."""
    for _number, pod in zip(range(_ASKED), backend.pods(cluster, host, path), strict=False):
        place, node = pod["metadata"], at(pod, "spec.nodeName", "")
        said = cluster.read_time(place["namespace"], place["name"])
        off = (said - now()).total_seconds()
        if abs(off) > SKEW:
            found = f"{name_of(pod)} on Node {node} says {said:%Y-%m-%dT%H:%M:%SZ}, which is {abs(off):.0f} s "
            then = f"Compare it with date -u on Node {node}, and let chrony or systemd-timesyncd set the clock there."
            return Broken((f"{found}{'ahead' if off > 0 else 'behind'}",), then)
    return None
