# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.memory import resources
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size


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


@pytest.mark.parametrize(
    ("settings", "memory"),
    [
        ({"mastodon_size": "minimal"}, "512Mi"),
        ({"mastodon_size": "large"}, "4Gi"),
        ({"mastodon_size": "minimal", "dragonfly_threads": 4}, "1280Mi"),
        ({"mastodon_size": "large", "dragonfly_memory": "600M"}, "600M"),
        ({"dragonfly_memory": "64Mi", "dragonfly_backend": "external"}, "64Mi"),
    ],
)
def test_the_cache_follows_the_size_and_has_what_its_threads_want(settings: dict[str, Any], memory: str) -> None:
    assert size(settings)["cache"] == {"memory": memory}


@pytest.mark.parametrize(("threads", "given", "least"), [(1, "319Mi", 320), (4, "1Gi", 1280)])
def test_a_cache_with_which_dragonfly_does_not_start_is_refused(threads: int, given: str, least: int) -> None:
    with pytest.raises(MastodonError, match=f"Variable dragonfly_memory: .*Set it to {least}Mi or more"):
        size({"dragonfly_threads": threads, "dragonfly_memory": given})
