# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a hook on a real cluster: its Job fails at once, which is what Flux waits for."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import first_install
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

IMAGE = "ghcr.io/nobody/nothing:v0"


def test_a_job_whose_image_there_is_not_fails_within_seconds_of_being_ended(cluster: Cluster) -> None:
    path = f"/apis/batch/v1/namespaces/{cluster.namespace}/jobs"
    container = {"name": "prepare", "image": IMAGE}
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "namespace": cluster.namespace,
            "name": "prepare",
            "labels": {"app.kubernetes.io/instance": "app"},
        },
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }
    job["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"}
    cluster.client.request("POST", path, about="Job", body=job)
    api = Objects(cluster.client)
    release: dict[str, Any] = {"metadata": {"namespace": cluster.namespace, "name": "app"}}
    attempt = first_install.read_attempt(api, release)
    assert attempt is not None
    assert [hook["metadata"]["name"] for hook in attempt.hooks] == ["prepare"]
    first_install.end(api, attempt)
    deadline = time.monotonic() + 30
    while "Failed" not in (found := conditions_of(cluster.get(f"{path}/prepare"))):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert found["Failed"].reason == "DeadlineExceeded"
    assert at(cluster.get(f"{path}/prepare"), "spec.activeDeadlineSeconds") == 1
    assert first_install.read_attempt(api, release) is None
