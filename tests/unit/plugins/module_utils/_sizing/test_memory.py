# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.memory import resources


@pytest.mark.parametrize(
    ("millicores", "mebibytes", "cpu", "requested", "limit"),
    [(100, 1024, "100m", "1Gi", "2Gi"), (1000, 512, "1", "512Mi", "1Gi"), (1500, 1536, "1500m", "1536Mi", "3Gi")],
)
def test_quantities_are_as_kubernetes_writes_them(
    millicores: int, mebibytes: int, cpu: str, requested: str, limit: str
) -> None:
    assert resources(millicores, mebibytes) == {
        "requests": {"cpu": cpu, "memory": requested},
        "limits": {"memory": limit},
    }
