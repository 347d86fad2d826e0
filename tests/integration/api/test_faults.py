# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine through a proxy that loses, delays and refuses: the right end, or one sentence, and never without bound."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import (
    balancer,
    config_map,
    deployment,
    service,
)
from ansible_collections.fediverse.mastodon.tests.integration.faults import Faults, Upstream, running


@contextmanager
def through(cluster: Cluster, folder: Path, faults: Faults) -> Iterator[dict[str, Any]]:
    """Yield options by which a task reaches the cluster through a proxy."""
    real = connect({"kubeconfig": cluster.kubeconfig}, {})
    trust = real.pool.connection_pool_kw["ssl_context"]
    place = urlsplit(real.host)
    with running(Upstream(str(place.hostname), place.port or 443, trust), faults) as address:
        named = {"name": "proxy", "cluster": {"server": address}}
        context = {"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}
        user = {"name": "nobody", "user": {}}
        config = {"current-context": "proxy", "clusters": [named], "contexts": [context], "users": [user]}
        (folder / "proxy").write_text(json.dumps(config))
        yield {"kubeconfig": str(folder / "proxy")}


def objects(cluster: Cluster, value: str) -> list[dict[str, Any]]:
    return [*(config_map(cluster, f"s{number}", a=value) for number in range(8)), deployment(cluster), service(cluster)]


@pytest.mark.parametrize("seed", range(6))
def test_a_third_of_all_requests_goes_wrong_and_the_end_is_right(cluster: Cluster, tmp_path: Path, seed: int) -> None:
    faults = Faults(seed, rate=0.33)
    with through(cluster, tmp_path, faults) as options:
        first = cluster.apply(*objects(cluster, "1"), wait_timeout=120, **options)
        assert "msg" not in first.result
        changed = cluster.apply(*objects(cluster, "2"), wait_timeout=120, **options)
        assert "msg" not in changed.result
    assert faults.injected.total() > 5
    # Without faults it takes about 20 and 30.
    assert first.result["requests"] + changed.result["requests"] < 200
    again = cluster.apply(*objects(cluster, "2"))
    assert again.result["changed"] is False
    assert all(cluster.get(cluster.path("configmaps", f"s{number}"))["data"] == {"a": "2"} for number in range(8))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("429", "the API server is overloaded or starting: injected. Run again later."),
        ("500", "the API server answered with an error: injected. Check the API server's log."),
        ("503", "the API server is overloaded or starting: injected. Run again later."),
        ("reset before", "cannot be reached: "),
        ("reset after", "cannot be reached: "),
        ("cut short", "cannot be reached: "),
    ],
)
def test_what_never_gets_better_is_one_sentence(cluster: Cluster, tmp_path: Path, fault: str, sentence: str) -> None:
    began = time.monotonic()
    faults = Faults(always=fault)
    with through(cluster, tmp_path, faults) as options, pytest.raises(MastodonError) as caught:
        cluster.apply(config_map(cluster, a="1"), **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert faults.injected.total() <= 5
    assert time.monotonic() - began < 120


def test_dropped_watches_are_taken_up_again(cluster: Cluster, tmp_path: Path) -> None:
    waiting = balancer(cluster, "waiting")
    with through(cluster, tmp_path, Faults(1, rate=0.5, in_a_row=5, kinds=("cut short", "reset after"))) as options:
        applied = cluster.apply(waiting, wait_timeout=12, **options)
    assert f"Service {cluster.namespace}/waiting: not ready after 12 s: it has no address yet" in applied.result["msg"]
