# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that kubectl made without server-side apply, and that a set declares then."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import config_map


def by_client_kubectl(cluster: Cluster, kubectl: str, item: dict[str, Any]) -> None:
    """Apply an object as kubectl does without server-side apply."""
    command = [kubectl, f"--kubeconfig={cluster.kubeconfig}", "apply", "--filename=-"]
    subprocess.run(command, input=json.dumps(item), text=True, check=True, capture_output=True)


def test_what_kubectl_made_and_we_no_longer_declare_is_removed(cluster: Cluster, kubectl: str) -> None:
    subject, path = f"ConfigMap {cluster.namespace}/settings", cluster.path("configmaps", "settings")
    by_client_kubectl(cluster, kubectl, config_map(cluster, a="1", b="2", theirs="3"))
    planned = cluster.apply(config_map(cluster, a="1", b="2"), check=True).lines
    adopted = cluster.apply(config_map(cluster, a="1", b="2"))
    assert adopted.lines == planned
    assert adopted.lines == [
        f"configured {subject}: its declared fields are now managed by this collection, "
        "its declared fields are no longer shared with kubectl apply, "
        "what is not declared stays as kubectl apply set it: data.theirs"
    ]
    assert cluster.apply(config_map(cluster, a="1", b="2")).result["changed"] is False
    assert cluster.apply(config_map(cluster, a="1")).lines == [f"configured {subject}: data.b removed"]
    # Nobody asked for what the set never declared.
    assert cluster.get(path)["data"] == {"a": "1", "theirs": "3"}


def test_what_kubectl_made_otherwise_is_not_taken_over_unless_asked(cluster: Cluster, kubectl: str) -> None:
    subject, path = f"ConfigMap {cluster.namespace}/settings", cluster.path("configmaps", "settings")
    by_client_kubectl(cluster, kubectl, config_map(cluster, a="theirs", b="2"))
    before = cluster.get(path)
    assert (
        'data.a is owned by "kubectl-client-side-apply"' in cluster.apply(config_map(cluster, a="ours")).result["msg"]
    )
    assert cluster.get(path) == before
    with pytest.raises(MastodonError, match=f'Write "{subject}"'):
        cluster.apply(config_map(cluster, a="ours"), force_conflicts=["configmap/settings"])
    assert cluster.apply(config_map(cluster, a="ours"), force_conflicts=[subject]).actions[subject] == "configured"
    assert cluster.get(path)["data"] == {"a": "ours", "b": "2"}
