# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second Mastodon was asked for besides: a pooler before its database, backups of that and of a volume."""

from __future__ import annotations

import json
import re

import pytest
from mastodon_lab import versions

from ..support import eventually
from .conftest import KEPT, VOLUME, Neighbours


def test_the_second_asks_its_database_through_pgbouncer_and_migrates_past_it(neighbours: Neighbours) -> None:
    values = neighbours.lab.get("helmrelease", "-n=mastodon", "second")["spec"]["values"]["postgresql"]
    hosts = (values["hostname"], values["direct"]["hostname"])
    assert hosts == ("second-db-pooler.mastodon.svc", "second-db-rw.mastodon.svc")
    pods = neighbours.lab.get("pods", "-n=mastodon")["items"]
    address = {pod["metadata"]["name"]: pod["status"].get("podIP") for pod in pods}
    sql = (
        "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE usename = 'mastodon' AND client_addr IS NOT NULL"
    )
    psql = (
        "exec",
        "-n=mastodon",
        "second-db-1",
        "-c=postgres",
        "--",
        "psql",
        "--tuples-only",
        "--no-align",
        f"-c{sql}",
    )
    poolers = {ip for name, ip in address.items() if name.startswith("second-db-pooler-")}
    asking = set(neighbours.lab.kubectl(*psql).split())
    assert asking
    assert asking <= poolers


@pytest.mark.parametrize(
    "told",
    [
        r"Cluster mastodon/second-db: last backup at \S+, can be restored to any moment since \S+",
        rf"PersistentVolumeClaim mastodon/{VOLUME}: last backup at \S+",
    ],
)
def test_a_run_says_what_can_be_restored(neighbours: Neighbours, told: str) -> None:
    run = eventually(neighbours.again, lambda run: re.search(told, run.output) is not None, 240)
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0


def test_what_was_backed_up_can_be_restored(neighbours: Neighbours) -> None:
    source = ("replicationsource", "-n=mastodon", VOLUME)
    eventually(lambda: neighbours.lab.get(*source)["status"].get("lastSyncTime"), bool, 240)
    restoring = {
        "name": "restic",
        "image": f"quay.io/backube/volsync:{versions.VOLSYNC.removeprefix('v')}",
        "command": ["restic", "--no-cache", "dump", "latest", "/data/word"],
        "envFrom": [{"secretRef": {"name": f"{VOLUME}-restic"}}],
    }
    name = ("pod", "-n=mastodon", "restored")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "restored", "namespace": "mastodon"}}
    given = json.dumps({**pod, "spec": {"containers": [restoring], "restartPolicy": "Never"}})
    neighbours.lab.kubectl("apply", "--filename=-", given=given)
    try:
        eventually(lambda: neighbours.lab.get(*name)["status"]["phase"], lambda phase: phase in ("Succeeded", "Failed"))
        assert neighbours.lab.kubectl("logs", "-n=mastodon", "restored").strip() == KEPT
    finally:
        neighbours.lab.kubectl("delete", *name)
