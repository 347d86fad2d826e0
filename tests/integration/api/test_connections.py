# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that fail in the middle, at every stage of `apply`: the end is right, or reported within the deadline.

With TEST_CONNECTIONS=long all lasts as long as it really does.
"""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from threading import Timer

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import balancer, config_map, deployment
from ansible_collections.fediverse.mastodon.tests.integration.api.test_faults import through
from ansible_collections.fediverse.mastodon.tests.integration.faults import LASTING, STAGES, Faults


@dataclass(frozen=True)
class Times:
    """Seconds: how long a server is away, when an object gets ready, and what a task may take."""

    away: float
    ready: float
    deadline: float
    hopeless: int


IS_LONG = os.environ.get("TEST_CONNECTIONS") == "long"
TIMES = Times(30, 45, 180, 40) if IS_LONG else Times(3, 4, 60, 3)
# How many times longer than usual a task may take beside what it waits for.
_AS_OFTEN = 5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    if not IS_LONG:
        monkeypatch.setattr(client, "_SILENT_SECONDS", 2)
        monkeypatch.setattr(client, "_READ_SECONDS", 3)
        monkeypatch.setattr(client, "_AT_LEAST_SECONDS", 1.0)


def usual(cluster: Cluster, name: str) -> float:
    """Apply what the test begins with, and return what that takes on this machine now, with nothing that fails."""
    began = time.monotonic()
    cluster.apply(config_map(cluster, name, a="1"), name=name)
    return time.monotonic() - began


def make_ready(cluster: Cluster, name: str) -> None:
    """Give a Service an address, once it is there."""
    path = f"{cluster.path('services', name)}/status"
    until = time.monotonic() + TIMES.deadline
    while time.monotonic() < until:
        with suppress(ApiError):
            cluster.patch(path, "test", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})
            return
        time.sleep(0.5)


@pytest.mark.parametrize("fault", LASTING)
def test_what_fails_once_at_any_stage_ends_well(cluster: Cluster, tmp_path: Path, fault: str) -> None:
    def run(stage: str) -> tuple[str, float, int]:
        name = stage.replace(" ", "-")
        objects = [config_map(cluster, name, a="2"), balancer(cluster, name)]
        slack = _AS_OFTEN * usual(cluster, name)
        folder = tmp_path / name
        folder.mkdir()
        faults = Faults(always=fault, stage=stage, seconds=TIMES.away)
        began = time.monotonic()
        with through(cluster, folder, faults) as options:
            Timer(TIMES.ready, make_ready, (cluster, name)).start()
            applied = cluster.apply(*objects, name=name, wait_timeout=TIMES.deadline, **options)
        late = time.monotonic() - began - slack
        reported = str(applied.result.get("msg", ""))
        if not reported:
            assert cluster.get(cluster.path("configmaps", name))["data"] == {"a": "2"}
            assert cluster.apply(*objects, name=name).result["changed"] is False
        return reported, late, faults.injected.total()

    with ThreadPoolExecutor() as pool:
        ends = dict(zip(STAGES, pool.map(run, STAGES), strict=True))
    assert {stage: reported for stage, (reported, _unused, _unused) in ends.items()} == dict.fromkeys(STAGES, "")
    assert {stage: count for stage, (_unused, _unused, count) in ends.items()} == dict.fromkeys(STAGES, 1)
    # It ends soon after what it waits for is ready, also when the watch of it has died in silence.
    most = TIMES.ready + (70 if IS_LONG else 8)
    assert {stage: late for stage, (_unused, late, _unused) in ends.items() if late > most} == {}


@pytest.mark.parametrize("fault", ["silent", "silent half-way", "half closed", "away"])
def test_what_fails_for_good_at_any_stage_is_reported_within_the_deadline(
    cluster: Cluster, tmp_path: Path, fault: str
) -> None:
    def run(stage: str) -> tuple[str, float]:
        name = stage.replace(" ", "-")
        slack = _AS_OFTEN * usual(cluster, name)
        # Time enough to come to the stage.
        deadline = TIMES.hopeless + ceil(slack)
        folder = tmp_path / name
        folder.mkdir()
        faults = Faults(always=fault, stage=stage, times=10**6, seconds=3600)
        began = time.monotonic()
        with through(cluster, folder, faults) as options:
            objects = [config_map(cluster, name, a="2"), balancer(cluster, name)]
            try:
                reported = str(cluster.apply(*objects, name=name, wait_timeout=deadline, **options).result["msg"])
            except MastodonError as error:
                reported = str(error)
        return reported, time.monotonic() - began - deadline - slack

    with ThreadPoolExecutor() as pool:
        ends = dict(zip(STAGES, pool.map(run, STAGES), strict=True))
    assert all(reported and len(reported.splitlines()) <= 2 for reported, _unused in ends.values()), ends
    assert all("API server http://" in reported for stage, (reported, _unused) in ends.items() if stage != "watch"), (
        ends
    )
    assert "it has no address yet" in ends["watch"][0]
    assert all(late < (12 if IS_LONG else 5) for _unused, late in ends.values()), ends


def api_server(state: Path) -> int:
    """Return the number of the process of a lab's API server."""
    planned = {item["name"]: item["argv"] for item in json.loads((state / "etc/components.json").read_text())}
    wanted = "\0".join(planned["kube-apiserver"]).encode() + b"\0"
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if file.read_bytes() == wanted:
                return int(file.parent.name)
    raise ProcessLookupError("the API server does not run")


def test_an_api_server_that_is_restarted_in_the_middle_of_a_wait(cluster: Cluster) -> None:
    state = Path(cluster.kubeconfig).parent
    if not IS_LONG or not (state / "etc/components.json").exists():
        pytest.skip("it takes half a minute, and only a lab's API server is ours to kill")
    killed = api_server(state)
    Timer(2, os.kill, (killed, signal.SIGKILL)).start()
    Timer(4, make_ready, (cluster, "restarted")).start()
    applied = cluster.apply(balancer(cluster, "restarted"), deployment(cluster), wait_timeout=90)
    assert "msg" not in applied.result
    assert api_server(state) != killed
    # What the next test needs is there again.
    assert "msg" not in cluster.apply(deployment(cluster, replicas=0, minReadySeconds=1), wait_timeout=90).result
