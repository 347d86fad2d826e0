# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: odd ones that some kinds may have, and those that would reach another object or spoil an inventory."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import config_map


@pytest.mark.parametrize("name", ["a?b", "a#b", "a b", "a,b=c\\d", "日本", "A:b"])
def test_an_odd_name_is_one_name(cluster: Cluster, name: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    metadata = {"name": name, "namespace": cluster.namespace}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    assert cluster.apply(role).actions[f"Role {cluster.namespace}/{name}"] == "created"
    assert cluster.apply(role).result["changed"] is False
    assert cluster.apply(config_map(cluster)).actions[f"Role {cluster.namespace}/{name}"] == "deleted"


def test_a_name_that_reaches_another_object_is_refused_before_anything_is_written(cluster: Cluster) -> None:
    with pytest.raises(MastodonError, match=r"its metadata.name cannot be used: 'a/status' has '/' in it"):
        cluster.apply(config_map(cluster, "b", a="1"), config_map(cluster, "a/status", a="1"))
    found = cluster.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps")["items"]
    assert {item["metadata"]["name"] for item in found} <= {"kube-root-ca.crt"}


def test_another_set_s_inventory_that_cannot_be_read_is_a_warning(cluster: Cluster) -> None:
    labels = {"app.kubernetes.io/managed-by": "fediverse.mastodon"}
    for name, text in (("fediverse.mastodon.other", "a/b/c/d\n"), ("foreign", "anything")):
        edited = config_map(cluster, name, objects=text)
        edited["metadata"]["labels"] = labels
        cluster.server_side_apply(cluster.path("configmaps", name), "kubectl", edited)
    path = cluster.path("configmaps", "settings")
    cluster.server_side_apply(path, "fediverse.mastodon", config_map(cluster, a="1"))
    applied = cluster.apply(config_map(cluster, a="2"))
    assert applied.lines[0] == (
        f"warning: ConfigMap {cluster.namespace}/fediverse.mastodon.other: cannot be read as the inventory of a set: "
        "'a/b/c/d' is not group/namespaces/namespace/Kind/name or group/Kind/name"
    )
    assert cluster.get(path)["data"] == {"a": "2"}
