# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a restore is written as it was read, and no other way: of two runs that go on, the late one stops."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import generation
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import database_generation, database_restore
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

BEGUN = {"began": "2026-11-29T13:00:00Z", "current": "mastodon-db-2", "former": "mastodon-db", "restored_from": "old"}


def begun(cluster: Cluster) -> None:
    path = cluster.path("configmaps", "mastodon-db-generation")
    body = generation.place_of(cluster.namespace, "mastodon-db").body(BEGUN)
    cluster.server_side_apply(path, "fediverse.mastodon", body)


def going_on(cluster: Cluster, why: str) -> database_restore.Restore:
    """A run that has read how far it is."""
    given: dict[str, Any] = {"namespace": cluster.namespace, "cluster": "mastodon-db", "at": "", "back": ""}
    given |= {"major": False, "image": "", "run": ""}
    run = Run(check=False, diff=False, say=lambda _line: None, environment=os.environ)
    connection = connect({"kubeconfig": cluster.kubeconfig}, os.environ)
    return database_restore.Restore({**given, "domain": "example.org", "why": why}, connection, Deadline(30), run)


def stopped(one: database_restore.Restore) -> str:
    with pytest.raises(MastodonError) as caught:
        one.stop()
    return str(caught.value)


def test_of_two_runs_that_go_on_the_one_that_is_late_writes_nothing(cluster: Cluster) -> None:
    begun(cluster)
    first, second = going_on(cluster, "the first stopped"), going_on(cluster, "the second stopped")
    assert "stopped while it was restored: the first stopped" in stopped(first)
    assert "was changed by somebody else meanwhile" in stopped(second)
    kept, version = generation.read(Objects(cluster.client), cluster.namespace, "mastodon-db")
    assert (kept.failure, kept.current, bool(version)) == ("the first stopped", "mastodon-db-2", True)
    # Whoever reads it again may write again.
    assert "stopped while it was restored: the third stopped" in stopped(going_on(cluster, "the third stopped"))


def test_nobody_else_works_with_a_database_that_is_about_to_change(cluster: Cluster) -> None:
    begun(cluster)
    asked = {"namespace": cluster.namespace, "cluster": "mastodon-db"}
    with pytest.raises(MastodonError, match="is being restored"):
        cluster.run(database_generation.TASK, **asked)
    found = cluster.run(database_generation.TASK, **asked, restoring=True).result
    assert (found["current"], found["former"], found["changed"]) == ("mastodon-db-2", "mastodon-db", False)
