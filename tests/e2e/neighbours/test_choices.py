# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second Mastodon was asked for besides: a pooler before its database, backups of that, of its media and of a volume."""

from __future__ import annotations

import json
import re

import pytest
from mastodon_lab import versions

from ..support import CONTAINER_SECURITY, POD_SECURITY, eventually
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


@pytest.fixture
def backed_up(neighbours: Neighbours) -> Neighbours:
    """The neighbours when the database and the volume have both been backed up."""
    lab = neighbours.lab
    eventually(lambda: lab.get("replicationsource", "-n=mastodon", VOLUME)["status"].get("lastSyncTime"), bool, 240)
    window = ".status.serverRecoveryWindow"
    store = ("get", "objectstore.barmancloud.cnpg.io", "-n=mastodon", "second-db", f"-o=jsonpath={{{window}}}")
    eventually(lambda: lab.kubectl(*store), bool, 240)
    return neighbours


def test_a_run_says_what_can_be_restored(backed_up: Neighbours) -> None:
    run = backed_up.again()
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
    said = " ".join(run.output.split())
    assert re.search(r"Cluster mastodon/second-db: last backup at \S+, can be restored to any moment since \S+", said)
    assert re.search(rf"PersistentVolumeClaim mastodon/{VOLUME}: last backup at \S+", said)


def test_its_media_are_copied_to_a_second_place_and_the_status_says_when(neighbours: Neighbours) -> None:
    lab, here, name = neighbours.lab, "-n=mastodon", "second-mastodon-media-copy"
    lab.kubectl("create", "job", here, "copy-now", f"--from=cronjob/{name}")
    status = eventually(lambda: lab.get("job", here, "copy-now")["status"], lambda found: "conditions" in found, 240)
    log = lab.kubectl("logs", here, "job/copy-now")
    assert status.get("succeeded") == 1, log
    # What the role keeps in three of its folders, to look at who may read them.
    assert re.search(r"has the 3 objects of the source; 3 of them were compared byte by byte\.$", log.strip())
    said = lab.playbook("status.yml", "-e", f"@{neighbours.settings}").output
    assert re.search(rf"CronJob mastodon/{name}: Current, .* old, last ended well \d+ s ago", " ".join(said.split()))


def test_what_was_backed_up_can_be_read_back(backed_up: Neighbours) -> None:
    lab = backed_up.lab
    restoring = {
        "name": "restic",
        "image": f"quay.io/backube/volsync:{versions.VOLSYNC.removeprefix('v')}",
        "command": ["restic", "--no-cache", "dump", "latest", "/word"],
        "envFrom": [{"secretRef": {"name": f"{VOLUME}-restic"}}],
        "securityContext": CONTAINER_SECURITY,
    }
    name = ("pod", "-n=mastodon", "restored")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "restored", "namespace": "mastodon"}}
    spec = {"containers": [restoring], "restartPolicy": "Never", "securityContext": POD_SECURITY}
    given = json.dumps({**pod, "spec": spec})
    lab.kubectl("apply", "--filename=-", given=given)
    try:
        eventually(lambda: lab.get(*name)["status"]["phase"], lambda phase: phase in ("Succeeded", "Failed"))
        assert lab.kubectl("logs", "-n=mastodon", "restored").strip() == KEPT
    finally:
        lab.kubectl("delete", *name)
