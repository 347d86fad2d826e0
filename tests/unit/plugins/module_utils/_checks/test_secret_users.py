# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a Secret in its environment, by the pods of a cluster in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import secret_users
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Object, Selection

SECRETS = [("mastodon", "db"), ("mastodon", "smtp")]


def pod(name: str, container: Object, kind: str = "spec", phase: str = "Running", **metadata: Any) -> Object:
    containers = {"containers": [{}], "initContainers": [container]} if kind == "init" else {"containers": [container]}
    return {
        "metadata": {"name": name, "namespace": "mastodon", **metadata},
        "spec": containers,
        "status": {"phase": phase},
    }


def variable(secret: str) -> Object:
    return {"env": [{"name": "A", "value": "b"}, {"name": "P", "valueFrom": {"secretKeyRef": {"name": secret}}}]}


def reported(*pods: Object) -> list[str]:
    class Cluster:
        def read(self, selection: Selection) -> Listing:
            return Listing(pods if selection.namespace == "mastodon" else (), "1")

    cluster: Any = Cluster()
    return secret_users.lines(cluster, SECRETS)


def test_a_deployment_is_named_once_with_all_that_it_holds() -> None:
    owned: dict[str, Any] = {
        "labels": {"pod-template-hash": "5f"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5f"}],
    }
    held = {"env": variable("smtp")["env"] + variable("db")["env"]}
    assert reported(pod("web-5f-a", held, **owned), pod("web-5f-b", held, **owned)) == [
        "Deployment mastodon/web runs with an older value of Secret mastodon/db, Secret mastodon/smtp"
        " until its pods are created again"
    ]


@pytest.mark.parametrize("kind", ["spec", "init"])
def test_a_variable_and_a_whole_secret_are_seen_in_every_container(kind: str) -> None:
    assert reported(pod("one", variable("db"), kind))
    assert reported(pod("one", {"envFrom": [{"configMapRef": {"name": "db"}}, {"secretRef": {"name": "db"}}]}, kind))


def test_others_are_named_as_they_are() -> None:
    owner = [{"kind": "StatefulSet", "name": "cache"}]
    assert [line.partition(" runs")[0] for line in reported(pod("cache-0", variable("db"), ownerReferences=owner))] == [
        "StatefulSet mastodon/cache"
    ]
    assert reported(pod("alone", variable("db")))[0].startswith("Pod mastodon/alone runs")


def test_what_holds_something_else_or_has_ended_is_not_named() -> None:
    assert reported(pod("one", variable("other")), pod("two", {"envFrom": [{"configMapRef": {"name": "db"}}]})) == []
    assert reported(pod("migrate", variable("db"), phase="Succeeded")) == []
