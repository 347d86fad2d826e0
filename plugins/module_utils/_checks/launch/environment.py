# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ConfigMap of the user's gives Mastodon's pods, which read it behind the chart's own: of two names the last one holds.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import leaving
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._environment import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

_DECIDED = frozenset({*VARIABLES, leaving.VARIABLE})


def problems(view: ClusterView, namespace: str, name: str) -> list[str]:
    """Return one sentence if the ConfigMap `name` has what a setting decides. One that is not there stops no pod that runs."""
    none: Mapping[str, Any] = {}
    data = at(view.one(kinds.CONFIG_MAP, name, namespace), "data", none) if name else none
    found = ", ".join(sorted(_DECIDED.intersection(data)))
    if not found:
        return []
    why = "Mastodon would run with that, and settings decide it, which the checks look at"
    remedy = "Remove it there, and use the settings."
    return [str(MastodonError(f"ConfigMap {namespace}/{name}", f"sets {found}", why, remedy))]
