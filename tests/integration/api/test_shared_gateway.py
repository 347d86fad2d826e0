# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several Mastodons on one Gateway: each inventory has its own listeners, and the API server keeps them apart."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Applied, Cluster

GROUP = "apis/gateway.networking.k8s.io/v1"
EVERYWHERE = {"namespaces": {"from": "All"}}


def listener(host: str, certificate: str) -> dict[str, Any]:
    return {
        "name": host,
        "hostname": host,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "group": "", "name": certificate}]},
        "allowedRoutes": EVERYWHERE,
    }


class Mastodon:
    """One inventory, as the role gateway applies it."""

    def __init__(self, cluster: Cluster, domain: str) -> None:
        self._cluster = cluster
        self._domain = domain
        self.listeners = [listener(domain, f"{domain}-tls")]
        self.gateway_class = "none-serves-this"

    def apply(self) -> Applied:
        http = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": EVERYWHERE}
        gateway = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "shared", "namespace": self._cluster.namespace},
            "spec": {"gatewayClassName": self.gateway_class, "listeners": [http, *self.listeners]},
        }
        manager = f"fediverse.mastodon/{self._domain}"
        return self._cluster.apply(gateway, name=self._domain, field_manager=manager, wait=False)


def listeners(cluster: Cluster) -> dict[str, Any]:
    gateway = cluster.get(cluster.path("gateways", "shared", GROUP))
    return {item["name"]: item for item in gateway["spec"]["listeners"]}


@pytest.fixture
def one(cluster: Cluster) -> Mastodon:
    return Mastodon(cluster, "one.example.org")


@pytest.fixture
def two(cluster: Cluster) -> Mastodon:
    return Mastodon(cluster, "two.example.org")


def test_a_second_mastodon_adds_its_listeners_and_leaves_the_first_ones(
    cluster: Cluster, one: Mastodon, two: Mastodon
) -> None:
    one.apply()
    before = copy.deepcopy(listeners(cluster)["one.example.org"])
    assert two.apply().actions[f"Gateway {cluster.namespace}/shared"] == "configured"
    found = listeners(cluster)
    assert set(found) == {"http", "one.example.org", "two.example.org"}
    assert found["one.example.org"] == before


def test_with_neighbours_a_second_run_changes_nothing(cluster: Cluster, one: Mastodon, two: Mastodon) -> None:
    one.apply()
    two.apply()
    assert not one.apply().result["changed"]
    assert not two.apply().result["changed"]


def test_a_host_that_moves_away_takes_only_its_own_listener(cluster: Cluster, one: Mastodon, two: Mastodon) -> None:
    two.listeners.append(listener("media.two.example.org", "two.example.org-tls"))
    one.apply()
    two.apply()
    two.listeners.pop()
    two.apply()
    assert set(listeners(cluster)) == {"http", "one.example.org", "two.example.org"}


def test_a_certificate_is_changed_on_ones_own_listener_only(cluster: Cluster, one: Mastodon, two: Mastodon) -> None:
    one.apply()
    two.apply()
    two.listeners = [listener("two.example.org", "another")]
    two.apply()
    names = {
        name: item["tls"]["certificateRefs"][0]["name"] for name, item in listeners(cluster).items() if "tls" in item
    }
    assert names == {"one.example.org": "one.example.org-tls", "two.example.org": "another"}


def test_what_is_shared_is_not_taken_over(cluster: Cluster, one: Mastodon, two: Mastodon) -> None:
    one.apply()
    two.gateway_class = "another"
    result = two.apply().result
    assert result["failed"]
    assert 'spec.gatewayClassName is owned by "fediverse.mastodon/one.example.org"' in result["msg"]
    assert set(listeners(cluster)) == {"http", "one.example.org"}


def test_a_neighbours_host_is_not_taken_over(cluster: Cluster, one: Mastodon, two: Mastodon) -> None:
    one.apply()
    two.listeners = [listener("one.example.org", "two.example.org-tls")]
    result = two.apply().result
    assert result["failed"]
    assert 'is owned by "fediverse.mastodon/one.example.org"' in result["msg"]
    assert listeners(cluster)["one.example.org"]["tls"]["certificateRefs"][0]["name"] == "one.example.org-tls"
