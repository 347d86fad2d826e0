# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods in a namespace that enforces PodSecurity `restricted`: all of ours are let in, and our Jobs do their work there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from ...conftest import Lab
from ..support import eventually

JOBS = {"mastodon-media-remove": "media attachments", "mastodon-preview-cards-remove": "preview cards"}


@pytest.fixture
def started(installed: Lab) -> Iterator[Lab]:
    """The lab with both Jobs started as by their schedule."""
    for name in JOBS:
        installed.kubectl("create", "job", "-n=mastodon", f"--from=cronjob/{name}", name)
    yield installed
    installed.kubectl("delete", "job", "-n=mastodon", *JOBS)


def test_the_namespace_lets_in_no_pod_that_could_be_root(installed: Lab) -> None:
    container = {"name": "root", "image": "docker.io/library/busybox:latest"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root", "namespace": "mastodon"}}
    given = json.dumps({**pod, "spec": {"containers": [container]}})
    with pytest.raises(subprocess.CalledProcessError) as refused:
        installed.kubectl("apply", "--dry-run=server", "--filename=-", given=given)
    assert "violates PodSecurity" in refused.value.stderr


def test_jobs_remove_old_media_with_what_the_release_gives_its_pods(started: Lab) -> None:
    for name, what in JOBS.items():
        status = eventually(lambda name=name: started.get("job", "-n=mastodon", name).get("status", {}), ended)
        log = started.kubectl("logs", "-n=mastodon", f"job/{name}")
        assert status.get("succeeded") == 1, log
        assert log.strip() == f"Removed 0 {what}"


def ended(status: dict[str, object]) -> bool:
    return bool(status.get("succeeded") or status.get("failed"))
