# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudNativePG: a cluster of two survives the loss of its primary, with what was written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import wait
from mastodon_lab.build.images import POSTGRESQL_IMAGE

from ...conftest import Lab
from ...integration.api.support import Cluster
from ..smoke.support import apply, namespace
from ..support import eventually

SPACE = "smoke-cnpg"
NAME = "pair"


@pytest.fixture(scope="module")
def pair(installed: Lab) -> Iterator[Lab]:
    """The lab with a cluster of two instances, by the operator that site.yml installed."""
    with namespace(installed, SPACE):
        apply(
            installed,
            {
                "apiVersion": "postgresql.cnpg.io/v1",
                "kind": "Cluster",
                "metadata": {"name": NAME, "namespace": SPACE},
                "spec": {
                    "instances": 2,
                    "imageName": POSTGRESQL_IMAGE,
                    "storage": {"size": "1Gi"},
                    # A new replica would else wait minutes for the next checkpoint.
                    "postgresql": {"parameters": {"checkpoint_completion_target": "0", "checkpoint_timeout": "30s"}},
                },
            },
        )
        wait_healthy(installed, seconds=300)
        yield installed


def status(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.get("clusters.postgresql.cnpg.io", f"-n={SPACE}", NAME).get("status", {})
    return found


def wait_healthy(lab: Lab, seconds: float = 180) -> None:
    healthy = (2, "Cluster in healthy state")
    eventually(
        lambda: (status(lab).get("readyInstances"), status(lab).get("phase")), lambda found: found == healthy, seconds
    )


def ask(lab: Lab, instance: str, sql: str) -> str:
    """What an instance's PostgreSQL answers."""
    psql = ("psql", "--tuples-only", "--no-align", "--command", sql)
    return lab.kubectl("exec", f"-n={SPACE}", instance, "-c=postgres", "--", *psql).strip()


def test_the_second_instance_takes_over_with_the_data(pair: Lab) -> None:
    lost = status(pair)["currentPrimary"]
    (survivor,) = set(status(pair)["instanceNames"]) - {lost}
    ask(pair, lost, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('yes')")
    eventually(
        lambda: ask(pair, survivor, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"),
        lambda found: found == "1",
    )
    pair.kubectl("delete", "pod", f"-n={SPACE}", lost, "--grace-period=0", "--force")
    eventually(lambda: status(pair)["currentPrimary"], lambda found: found == survivor)
    wait_healthy(pair)
    assert ask(pair, survivor, "SELECT word, pg_is_in_recovery() FROM kept") == "yes|f"
    ask(pair, survivor, "INSERT INTO kept VALUES ('still')")


def test_a_hibernated_database_is_reported_at_once_and_woken_as_the_message_says(pair: Lab) -> None:
    wanted = {"api_version": "postgresql.cnpg.io/v1", "kind": "Cluster", "namespace": SPACE, "name": NAME}
    cluster = Cluster.of(pair.facts["kubeconfig"], SPACE)
    pair.kubectl(
        "annotate", "clusters.postgresql.cnpg.io", f"-n={SPACE}", NAME, "cnpg.io/hibernation=on", "--overwrite"
    )
    # Its operator says so a moment after the last pod is gone.
    eventually(lambda: (pods(pair), hibernation(pair)), lambda found: found == ([], "True"))
    began = time.monotonic()
    with pytest.raises(MastodonError) as caught:
        cluster.run(wait.TASK, objects=[wanted], wait_timeout=300)
    # Far from what it may wait.
    assert time.monotonic() - began < 45
    reported = str(caught.value)
    assert reported.startswith(
        f"Cluster {SPACE}/{NAME}: failed: is hibernated: its pods are gone, its volumes are kept. Wake it: "
    )
    pair.kubectl(*reported.partition("Wake it: kubectl ")[2].rstrip(".").split())
    assert "failed" not in cluster.run(wait.TASK, objects=[wanted], wait_timeout=300).result


def hibernation(lab: Lab) -> str:
    conditions = {one["type"]: one["status"] for one in status(lab).get("conditions", [])}
    return str(conditions.get("cnpg.io/hibernation", ""))


def pods(lab: Lab) -> list[str]:
    found = lab.get("pods", f"-n={SPACE}", f"-l=cnpg.io/cluster={NAME}")["items"]
    return [item["metadata"]["name"] for item in found]
